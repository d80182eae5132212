package facts

import (
	"slices"
	"strings"

	"fairlead/provision/ledger"
	"fairlead/templates"
)

// ByHand says that a program lies where packages put none.
func (h Host) ByHand(program string) bool {
	path := h.Versions[program].Path
	return path != "" && !strings.HasPrefix(path, "/usr/bin/") && !strings.HasPrefix(path, "/usr/sbin/") && !strings.HasPrefix(path, "/bin/")
}

// ContainerdPackage is the package of containerd that is installed; empty without one.
func (h Host) ContainerdPackage() string {
	for _, name := range []string{templates.PackageContainerdIO, templates.PackageContainerd} {
		if _, ok := h.Packages[name]; ok {
			return name
		}
	}
	return ""
}

// Family is how packages are got on the host.
func (h Host) Family() (templates.Family, bool) { return templates.FamilyOf(h.OS.ID, h.OS.Like) }

// Preexisting says that a unit was on the host before fairlead came, so that what it holds is not
// fairlead's.
func (h Host) Preexisting(unit string) bool {
	for _, entry := range h.Ledger {
		if entry.Kind == ledger.Unit && entry.Key == unit {
			return !strings.HasPrefix(entry.Was, "not-found") && entry.Was != "absent"
		}
	}
	return h.Units[unit].Load == "loaded"
}

// Ours says that fairlead wrote the file that is at a path: it is in the ledger, and not as it was before.
func (h Host) Ours(path string) bool {
	is, exists := h.Files[path]
	return exists && slices.ContainsFunc(h.Ledger, func(entry ledger.Entry) bool {
		return entry.Kind == ledger.File && entry.Key == path && (entry.SavedSHA256() == "" || entry.SavedSHA256() != is.SHA256)
	})
}

// Contained says that the host is a container, whose kernel and much of its hardware are those of the machine below it.
func (h Host) Contained() bool { return h.Container != "" && h.Container != "none" }

// NodeName is what the host's kubelet calls its Node, by the certificate with which it speaks to the API server; empty where
// that is not known.
func (h Host) NodeName() string {
	for _, certificate := range h.Certificates {
		if _, after, found := strings.Cut(certificate.Subject, "CN=system:node:"); found && certificate.Path == templates.KubeletClientCertificate {
			name, _, _ := strings.Cut(after, ",")
			return name
		}
	}
	return ""
}

// HasCapability says whether a bit of the capability bounding set is there.
func (h Host) HasCapability(capability int) bool { return h.Capabilities>>capability&1 == 1 }

// Withholds says that a content or a variable was not wholly written into the file that the facts
// were read from.
func (h Host) Withholds(name string) bool { return slices.Contains(h.Withheld, name) }

// Joined says that the host has what kubeadm leaves when init or join is done.
func (h Host) Joined() bool { return h.KubeletStarted() && h.KubeletCredentials }

// KubeletStarted says that kubeadm has started the kubelet for a cluster, which may have let it in or not.
func (h Host) KubeletStarted() bool { return h.Kubeconfigs["kubelet.conf"] && h.KubeletConfig }

// KubeadmRunning says that a kubeadm of an earlier run is still at work.
func (h Host) KubeadmRunning() bool {
	active := h.Units[templates.KubeadmService].Active
	return active == "active" || active == "activating"
}

// lacksToServe is what is missing on a control plane without which its API server never comes up, however long one waits:
// a manifest, or the kubelet's configuration. kubeadm init writes them in this order. Empty if nothing is.
func (h Host) lacksToServe() string {
	lacks := h.missingManifest()
	if lacks == "" && !h.KubeletConfig {
		lacks = templates.KubeletConfigFile
	}
	return lacks
}

// WholeControlPlane says that all of kubeadm's manifests are there.
func (h Host) WholeControlPlane() bool { return h.missingManifest() == "" }

// missingManifest is the first of kubeadm's manifests that is not there; empty if all are.
func (h Host) missingManifest() string {
	for _, component := range templates.Components() {
		if !slices.Contains(h.Manifests, component+".yaml") {
			return templates.ManifestPath(component)
		}
	}
	return ""
}

// HasControlPlane says that kubeadm has put a control plane on the host, whole or in part.
func HasControlPlane(facts Host) bool {
	return len(facts.Manifests) > 0 || facts.Kubeconfigs["admin.conf"]
}
