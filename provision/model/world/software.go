package world

import (
	"strings"

	"fairlead/provision/facts"
)

// KubernetesOf has kubelet and kubeadm of a version in a folder.
func KubernetesOf(path, of string) func(*facts.Host) {
	return func(h *facts.Host) { Programs(h, "kubelet "+path+" "+of, "kubeadm "+path+" "+of) }
}

// Packaged are packages that are installed: "kubelet 1.37.2", and "held" if they are.
func Packaged(h *facts.Host, all ...string) {
	for _, each := range all {
		words := append(strings.Fields(each), "", "")
		h.Packages[words[0]] = facts.Package{Version: words[1], Held: words[2] == "held"}
	}
}

// Programs are versions of programs: "kubelet /usr/bin 1.37.2".
func Programs(h *facts.Host, all ...string) {
	for _, each := range all {
		words := append(strings.Fields(each), "", "")
		h.Versions[words[0]] = facts.Version{Path: words[1] + "/" + words[0], Version: words[2]}
	}
}
