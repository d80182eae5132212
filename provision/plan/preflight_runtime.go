package plan

import (
	"cmp"
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// checkContainerdName is what ignorePreflight calls the check of containerd's version.
const checkContainerdName = "ContainerdVersion"

func checkKubernetes(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	_, conflict := p.kubernetesSource(f)
	if conflict == "" {
		return "", ""
	}
	return conflict + ", and are not " + p.Cluster.Kubernetes.Version,
		"remove them, so that fairlead installs its own; or choose the other kubernetes.source"
}

// checkFamily is for packages on a system of which fairlead does not know how they are got there.
func checkFamily(p *planner, host inventory.Host, f facts.Host) (string, string) {
	beside := len(p.Cluster.PackagesOf(host)) > 0
	if _, known := f.Family(); known || !p.PackagedRuntime() && !beside {
		return "", ""
	}
	mending := "use a bundle"
	switch {
	case !p.PackagedRuntime():
		mending = "install them by hand, and leave packages out of the inventory for this host"
	case p.Cluster.Runtime.Name == inventory.RuntimeDocker: // which no bundle has
		mending = "use a bundle, with its own containerd: runtime.name: containerd"
	}
	return fmt.Sprintf("it is not known how packages are got on %s (ID=%s)", cmp.Or(f.OS.Name, "this operating system"), f.OS.ID), mending
}

func checkRuntime(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if p.ForeignRuntime() {
		return "", ""
	}
	_, conflict := p.runtimeSource(f)
	if conflict == "" {
		return "", ""
	}
	return conflict, "remove that containerd first"
}

// checkContainerdVersion is for a containerd that fairlead does not choose the version of.
func checkContainerdVersion(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	from, conflict := p.runtimeSource(f)
	version := templates.UpstreamVersion(f.Versions[templates.PackageContainerd].Version)
	if from == fromBundle || conflict != "" || p.ForeignRuntime() || version == "" || desired.ContainerdFits(p.Cluster.Kubernetes.Version, version) {
		return "", ""
	}
	mending := "remove it, so that fairlead installs one that fits"
	if name := f.ContainerdPackage(); name == templates.PackageContainerd {
		mending = "remove the package " + name + ", so that fairlead installs " + templates.PackageContainerdIO + " of Docker's repository (or that of the bundle)"
	}
	return fmt.Sprintf("containerd is %s, and %s", version, desired.ContainerdWanted(p.Cluster.Kubernetes.Version)), mending
}

func checkSocket(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	socket := p.Cluster.Runtime.CRISocket
	if !p.ForeignRuntime() || f.Sockets[strings.TrimPrefix(socket, "unix://")] {
		return "", ""
	}
	return "there is no socket " + socket, "install and start that container runtime, or correct runtime.criSocket"
}

func checkDockerConfig(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if p.Cluster.Runtime.Name != inventory.RuntimeDocker || !p.ConfiguresDocker() {
		return "", ""
	}
	if _, err := templates.DockerConfig(f.Contents[templates.DockerConfigPath], nil, nil); err != nil {
		return fmt.Sprintf("%s:%v", templates.DockerConfigPath, err), "correct it: fairlead only adds to what is there"
	}
	return "", ""
}
