// Package packages makes real, signed apt repositories of what a cluster is installed from, as
// pkgs.k8s.io, download.docker.com and a mirror of Debian hold it, and serves them on a lab host.
//
// The packages of Kubernetes and of containerd hold the lab's own programs, at the paths and
// with the scripts of the real ones; those of Debian are Debian's. All is made once and cached
// by the hash of its recipe, with keys of its own that nobody keeps.
//
// The package talks to a Debian mirror when it makes the repositories, and otherwise to lab
// hosts only.
package packages
