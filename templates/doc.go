// Package templates holds every text that fairlead puts on a host or into the
// cluster: the kubeadm documents, the containerd configuration, the systemd
// units, kernel settings and the objects of the pod network.
//
// Everything here is a pure function of its arguments: the same input gives the
// same bytes, so that a caller can compare them with what it observed. The
// package never reads a file or a clock, never talks to a host or to an API
// server, and never renders a shell program.
package templates
