package provision

import (
	"errors"
	"strings"

	"fairlead/templates"
)

// byHand says that a program lies where packages put none.
func (h HostFacts) byHand(program string) bool {
	path := h.Versions[program].Path
	return path != "" && !strings.HasPrefix(path, "/usr/bin/") && !strings.HasPrefix(path, "/usr/sbin/") && !strings.HasPrefix(path, "/bin/")
}

// containerdPackage is the package of containerd that is installed; empty without one.
func (h HostFacts) containerdPackage() string {
	for _, name := range []string{packageContainerdIO, packageContainerd} {
		if _, ok := h.Packages[name]; ok {
			return name
		}
	}
	return ""
}

// family is how packages are got on the host.
func (h HostFacts) family() (templates.Family, bool) { return templates.FamilyOf(h.OS.ID, h.OS.Like) }

// there says that a unit was on the host before fairlead came, so that what it holds is not
// fairlead's.
func (h HostFacts) there(unit string) bool {
	for _, entry := range h.Ledger {
		if entry.Kind == touchUnit && entry.Key == unit {
			return !strings.HasPrefix(entry.Was, "not-found") && entry.Was != "absent"
		}
	}
	return h.Units[unit].Load == "loaded"
}

// has says whether a bit of the capability bounding set is there.
func (h HostFacts) has(capability int) bool { return h.Capabilities>>capability&1 == 1 }

// Joined says that the host has what kubeadm leaves when init or join is done.
func (h HostFacts) Joined() bool { return h.Kubeconfigs["kubelet.conf"] && h.KubeletConfig }

// KubeadmRunning says that a kubeadm of an earlier run is still at work.
func (h HostFacts) KubeadmRunning() bool {
	active := h.Units[kubeadmUnit].Active
	return active == "active" || active == "activating"
}

// hasControlPlane says that kubeadm has put a control plane on the host, whole or in part.
func hasControlPlane(facts HostFacts) bool {
	return len(facts.Manifests) > 0 || facts.Kubeconfigs["admin.conf"]
}

// ErrNoCluster says that no control plane exists on any host that was reached.
var ErrNoCluster = errors.New("there is no control plane yet")
