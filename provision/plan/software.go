package plan

import (
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/facts"
	"fairlead/templates"
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
func (p *planner) kubernetesSource(h facts.Host) (from source, conflict string) {
	byHand := h.ByHand(templates.PackageKubelet) || h.ByHand(templates.PackageKubeadm)
	_, packaged := h.Packages[templates.PackageKubelet]
	want := p.Cluster.Kubernetes.Version
	fits := h.Versions[templates.PackageKubelet].Version == want && h.Versions[templates.PackageKubeadm].Version == want
	is := fmt.Sprintf("kubelet %s and kubeadm %s", describeVersion(h.Versions[templates.PackageKubelet]), describeVersion(h.Versions[templates.PackageKubeadm]))
	if ofKind(h) && !packaged && !byHand && h.Versions[templates.PackageKubelet].Path != "" {
		return p.sourceOfKind(is, fits)
	}
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

// sourceOfKind is for what the image of a node of kind brings, in the folders of packages. A package in its place would take it along when it
// goes; what a bundle brings lies elsewhere.
func (p *planner) sourceOfKind(is string, fits bool) (from source, conflict string) {
	switch {
	case fits:
		return adopted, ""
	case p.Cluster.Kubernetes.Source == inventory.SourcePackages:
		return conflicting, is + " are of the image of kind, where packages would take their place for good"
	}
	return fromBundle, ""
}

// runtimeOfKind says that a node of kind had its containerd, which is of no package, before fairlead came.
func runtimeOfKind(h facts.Host) bool {
	return ofKind(h) && h.ContainerdPackage() == "" && h.Preexisting(templates.ContainerdService)
}

func describeVersion(v facts.Version) string {
	if v.Path == "" {
		return "(none)"
	}
	return fmt.Sprintf("%s (%s)", v.Version, v.Path)
}

// runtimeSource says where a host's containerd comes from, and why it cannot be used, if that
// is so.
func (p *planner) runtimeSource(h facts.Host) (from source, conflict string) {
	unit := h.Units[templates.ContainerdService]
	byHand := h.ByHand(templates.PackageContainerd) || unit.Load == "loaded" && strings.HasPrefix(unit.Path, "/etc/systemd/system/")
	installed := h.ContainerdPackage() != ""
	switch {
	case p.PackagedRuntime() && byHand && p.Cluster.Runtime.Name == inventory.RuntimeDocker:
		return conflicting, fmt.Sprintf("containerd %s was not installed from a package, and the package of Docker Engine brings its own", describeVersion(h.Versions[templates.PackageContainerd]))
	case p.PackagedRuntime() && byHand:
		return adopted, ""
	case p.PackagedRuntime():
		return fromPackages, ""
	case installed && !byHand:
		return adopted, ""
	case runtimeOfKind(h):
		return adopted, ""
	}
	return fromBundle, ""
}

// bundledFor are the components of the bundle that a host needs.
func (p *planner) bundledFor(h facts.Host) []string {
	var components []string
	if from, conflict := p.kubernetesSource(h); from == fromBundle && conflict == "" {
		components = append(components, bundle.Kubernetes, bundle.CNIPlugins)
	}
	if from, conflict := p.runtimeSource(h); from == fromBundle && conflict == "" && !p.ForeignRuntime() {
		components = append(components, bundle.Containerd, bundle.Runc)
	}
	if p.Cluster.Images.Host != "" {
		components = append(components, bundle.Registry)
	}
	return components
}
