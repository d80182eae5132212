package provision

import (
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/templates"
)

// needsOf are the images that a host needs.
func (w Wish) needsOf(host string) []ImageNeed {
	var needs []ImageNeed
	for _, need := range w.Needs {
		for _, name := range need.Hosts {
			if name == host {
				needs = append(needs, need)
			}
		}
	}
	return needs
}

// sandboxImage is the pause image, by the name it is used by.
func (w Wish) sandboxImage() string {
	for _, need := range w.Needs {
		if imageBase(need.Origin) == "pause" {
			return need.Name
		}
	}
	return "" // preflight has reported it
}

// templateCluster is what the documents for kubeadm say of the whole cluster.
func (w Wish) templateCluster() templates.Cluster {
	c := w.Cluster
	names, _ := kubeadmImages(w) // preflight has reported the problem
	cluster := templates.Cluster{
		Name: c.Name, KubernetesVersion: c.Kubernetes.Version, Endpoint: c.ControlPlane.Endpoint,
		PodSubnet: c.Kubernetes.PodSubnet.String(), ServiceSubnet: c.Kubernetes.ServiceSubnet.String(),
		Overrides: c.Kubernetes.Config, Images: names, KubeletServingCertificates: verifiedMetrics(c),
	}
	for _, host := range c.ControlPlane.Hosts {
		cluster.CertSANs = append(cluster.CertSANs, host.Address.String())
	}
	return cluster
}

// packageDockerCE is Docker's own package of Docker Engine.
const packageDockerCE = "docker-ce"

func kubernetesPackages() []string { return []string{packageKubelet, packageKubeadm, packageKubectl} }

// neededComponents are the components of the bundle that the inventory asks for.
func (w Wish) neededComponents() []string {
	var needed []string
	if w.Cluster.Kubernetes.Source != inventory.SourcePackages {
		needed = append(needed, bundle.Kubernetes, bundle.CNIPlugins)
	}
	if !w.packagedRuntime() && !w.foreignRuntime() {
		needed = append(needed, bundle.Containerd, bundle.Runc)
	}
	if w.Cluster.Images.Host != "" {
		needed = append(needed, bundle.Registry)
	}
	return needed
}

// neededImages are the last names of the images of the bundle that the inventory asks for.
func (w Wish) neededImages() []string {
	needed := []string{"pause", "kube-apiserver", "kube-proxy", "etcd", "coredns"}
	if w.Cluster.Addons.Network.Name != inventory.NetworkNone {
		needed = append(needed, imageFlannel)
		if w.Cluster.Kubernetes.Source == inventory.SourcePackages {
			needed = append(needed, imageFlannelPlugin)
		}
	}
	if w.Cluster.Addons.MetricsServer != nil {
		needed = append(needed, imageMetricsServer)
	}
	if verifiedMetrics(w.Cluster) {
		needed = append(needed, imageApprover)
	}
	if w.Cluster.Addons.Ingress != nil {
		needed = append(needed, imageTraefik)
	}
	return needed
}

// ownHolds says that hosts look for the image in fairlead's own registry first.
func (w Wish) ownHolds(need ImageNeed) bool {
	repository, _, err := w.ownRepository(need.Name)
	if err != nil || w.ownRegistry() == "" {
		return false
	}
	domain, _, _ := strings.Cut(repository, "/")
	places, _ := w.endpoints(domain)
	return !slices.ContainsFunc(w.Registries, func(r Registry) bool { return r.Host == domain }) && len(places) > 0
}

// configuresDocker says that the inventory has something for daemon.json.
func (w Wish) configuresDocker() bool {
	return w.Cluster.Runtime.InsecureRegistries != nil || w.dockerMirrors() != nil
}

// dockerMirrors are those of Docker Hub: Docker Engine knows no others. They are nil when the
// inventory does not speak of them.
func (w Wish) dockerMirrors() []string {
	if w.Cluster.Runtime.Mirrors == nil {
		return nil
	}
	return append([]string{}, w.Cluster.Runtime.Mirrors[dockerHub]...)
}

// packagedRuntime says that the inventory has the container runtime come from packages.
func (w Wish) packagedRuntime() bool {
	return w.Cluster.Kubernetes.Source == inventory.SourcePackages || w.Cluster.Runtime.Name == inventory.RuntimeDocker
}

// foreignRuntime says that the user has installed a runtime that fairlead leaves alone.
func (w Wish) foreignRuntime() bool { return w.Cluster.Runtime.CRISocket != "" }

// criSocket is the socket of the container runtime. kubeadm always gets it, because it refuses to
// choose where it finds several.
func (w Wish) criSocket() string {
	if socket := w.Cluster.Runtime.CRISocket; socket != "" {
		return socket
	}
	return containerdSocket
}

// settingsRecord is the ConfigMap in kube-system with the settings that the inventory had at
// the end of the last run, by kind: what it has no longer is taken back, what others set stays.
// While settings change it also holds those to come, under KIND.to-come.HASH: a run that is cut
// off may have brought some of them about.
const (
	settingsRecord = "fairlead-settings"
	settingsToCome = ".to-come."
)

// settingsSource is where a cluster keeps a document of kubeadm (cmd/kubeadm/app/constants:
// KubeadmConfigConfigMap, KubeletBaseConfigurationConfigMap, KubeProxyConfigMap).
type settingsSource struct{ kind, configMap, key string }

func settingsSources() []settingsSource {
	return []settingsSource{
		{templates.KindCluster, "kubeadm-config", "ClusterConfiguration"},
		{templates.KindKubelet, "kubelet-config", "kubelet"},
		{templates.KindKubeProxy, "kube-proxy", "config.conf"},
	}
}
