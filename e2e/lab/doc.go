// Package lab makes the hosts that the real-cluster tests run on: containers of Docker Engine that boot
// systemd and OpenSSH's sshd, each with a fixed address on a Docker network of the lab's own, so that they
// are reached and used like any machine.
//
// What the hosts need is decided from facts of the machine: the capability bounding set, the type of the
// control group file system. A lab is found again by the label that its containers and its network carry;
// everything it removes carries that label.
//
// The package never touches containers, networks or images without its label, never stops a Docker daemon,
// and knows nothing of Kubernetes except what an inventory for its hosts has to say.
package lab
