package provision

import (
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
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

// Names of packages.
const (
	packageKubelet      = "kubelet"
	packageKubeadm      = "kubeadm"
	packageKubectl      = "kubectl"
	packageCRITools     = "cri-tools"
	packageContainerd   = "containerd"
	packageContainerdIO = "containerd.io"
)

// byHand says that a program lies where packages put none.
func (h HostFacts) byHand(program string) bool {
	path := h.Versions[program].Path
	return path != "" && !strings.HasPrefix(path, "/usr/bin/") && !strings.HasPrefix(path, "/usr/sbin/") && !strings.HasPrefix(path, "/bin/")
}

// kubernetesSource says where a host's kubelet, kubeadm and kubectl come from, and why they
// cannot be used, if that is so.
func (w Wish) kubernetesSource(h HostFacts) (from source, conflict string) {
	byHand := h.byHand(packageKubelet) || h.byHand(packageKubeadm)
	_, packaged := h.Packages[packageKubelet]
	want := w.Cluster.Kubernetes.Version
	fits := h.Versions[packageKubelet].Version == want && h.Versions[packageKubeadm].Version == want
	is := fmt.Sprintf("kubelet %s and kubeadm %s", describeVersion(h.Versions[packageKubelet]), describeVersion(h.Versions[packageKubeadm]))
	from, otherwise, how := fromBundle, packaged && !byHand, "were installed from packages"
	if w.Cluster.Kubernetes.Source == inventory.SourcePackages {
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

// packagedRuntime says that the inventory has the container runtime come from packages.
func (w Wish) packagedRuntime() bool {
	return w.Cluster.Kubernetes.Source == inventory.SourcePackages || w.Cluster.Runtime.Name == inventory.RuntimeDocker
}

// foreignRuntime says that the user has installed a runtime that fairlead leaves alone.
func (w Wish) foreignRuntime() bool { return w.Cluster.Runtime.CRISocket != "" }

// runtimeSource says where a host's containerd comes from, and why it cannot be used, if that
// is so.
func (w Wish) runtimeSource(h HostFacts) (from source, conflict string) {
	unit := h.Units[containerdUnit]
	byHand := h.byHand(packageContainerd) || unit.Load == "loaded" && strings.HasPrefix(unit.Path, "/etc/systemd/system/")
	installed := h.containerdPackage() != ""
	switch {
	case w.packagedRuntime() && byHand && w.Cluster.Runtime.Name == inventory.RuntimeDocker:
		return conflicting, fmt.Sprintf("containerd %s was not installed from a package, and the package of Docker Engine brings its own", describeVersion(h.Versions[packageContainerd]))
	case w.packagedRuntime() && byHand:
		return adopted, ""
	case w.packagedRuntime():
		return fromPackages, ""
	case installed && !byHand:
		return adopted, ""
	}
	return fromBundle, ""
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

// criSocket is the socket of the container runtime. kubeadm always gets it, because it refuses to
// choose where it finds several.
func (w Wish) criSocket() string {
	if socket := w.Cluster.Runtime.CRISocket; socket != "" {
		return socket
	}
	return containerdSocket
}

// bundledFor are the components of the bundle that a host needs.
func (w Wish) bundledFor(h HostFacts) []string {
	var components []string
	if from, conflict := w.kubernetesSource(h); from == fromBundle && conflict == "" {
		components = append(components, bundle.Kubernetes, bundle.CNIPlugins)
	}
	if from, conflict := w.runtimeSource(h); from == fromBundle && conflict == "" && !w.foreignRuntime() {
		components = append(components, bundle.Containerd, bundle.Runc)
	}
	if w.Cluster.Images.Host != "" {
		components = append(components, bundle.Registry)
	}
	return components
}
