package provision

import (
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
)

// source is where the software of one host comes from. The inventory says where it should come
// from; what a host has already and what fits is adopted, so that nothing is installed twice.
type source int

const (
	fromBundle source = iota
	// fromPackages is what the package manager has, or is to install.
	fromPackages
	// adopted is there, and not in the way that the inventory says: it stays as it is.
	adopted
	// conflicting is there and cannot be used: preflight says why.
	conflicting
)

// kubernetesSource says where a host's kubelet, kubeadm and kubectl come from, and why they
// cannot be used, if that is so.
func (p *planner) kubernetesSource(h HostFacts) (from source, conflict string) {
	byHand := h.byHand(packageKubelet) || h.byHand(packageKubeadm)
	_, packaged := h.Packages[packageKubelet]
	want := p.Cluster.Kubernetes.Version
	fits := h.Versions[packageKubelet].Version == want && h.Versions[packageKubeadm].Version == want
	is := fmt.Sprintf("kubelet %s and kubeadm %s", describeVersion(h.Versions[packageKubelet]), describeVersion(h.Versions[packageKubeadm]))
	from, otherwise, how := fromBundle, packaged && !byHand, "were installed from packages"
	if p.Cluster.Kubernetes.Source == inventory.SourcePackages {
		from, otherwise, how = fromPackages, byHand, "were not installed from packages"
	}
	switch {
	case !otherwise:
		return from, ""
	case fits:
		return adopted, ""
	}
	return conflicting, is + " " + how
}

func describeVersion(v Version) string {
	if v.Path == "" {
		return "(none)"
	}
	return fmt.Sprintf("%s (%s)", v.Version, v.Path)
}

// runtimeSource says where a host's containerd comes from, and why it cannot be used, if that
// is so.
func (p *planner) runtimeSource(h HostFacts) (from source, conflict string) {
	unit := h.Units[containerdUnit]
	byHand := h.byHand(packageContainerd) || unit.Load == "loaded" && strings.HasPrefix(unit.Path, "/etc/systemd/system/")
	installed := h.containerdPackage() != ""
	switch {
	case p.packagedRuntime() && byHand && p.Cluster.Runtime.Name == inventory.RuntimeDocker:
		return conflicting, fmt.Sprintf("containerd %s was not installed from a package, and the package of Docker Engine brings its own", describeVersion(h.Versions[packageContainerd]))
	case p.packagedRuntime() && byHand:
		return adopted, ""
	case p.packagedRuntime():
		return fromPackages, ""
	case installed && !byHand:
		return adopted, ""
	}
	return fromBundle, ""
}

// bundledFor are the components of the bundle that a host needs.
func (p *planner) bundledFor(h HostFacts) []string {
	var components []string
	if from, conflict := p.kubernetesSource(h); from == fromBundle && conflict == "" {
		components = append(components, bundle.Kubernetes, bundle.CNIPlugins)
	}
	if from, conflict := p.runtimeSource(h); from == fromBundle && conflict == "" && !p.foreignRuntime() {
		components = append(components, bundle.Containerd, bundle.Runc)
	}
	if p.Cluster.Images.Host != "" {
		components = append(components, bundle.Registry)
	}
	return components
}
