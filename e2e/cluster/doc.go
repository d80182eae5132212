// Package cluster holds the tests that run fairlead against real hosts: a lab of its own,
// named fairlead-e2e, is made on this machine, and real kubeadm, kubelet, containerd, etcd
// and OpenSSH run on it. They need root, Docker Engine and some 8 GiB of memory, and
// are built only with the tag "cluster":
//
//	go -C e2e test -tags cluster ./cluster -count 1 -timeout 80m -v -run 'TestUp$' -fairlead ../../bin/fairlead
//
// "make e2e" runs them on several such labs side by side, which share the machine's kernel and nothing else (e2e/cmd/clustertests).
//
// Every test can run alone; a subtest may need those before it. What fairlead says of itself is never the only witness: the
// tests look at the hosts around SSH, at files, at the API server through the host's own
// kubectl, and at sshd's log.
//
// The tests never touch another lab and write only below their temporary folders and the
// lab's; the lab is taken down at the end, unless -keep is given.
package cluster
