package desired

import (
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/templates"
)

// NeedsOf are the images that a host needs.
func (w State) NeedsOf(host string) []ImageNeed {
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

// SandboxImage is the pause image, by the name it is used by.
func (w State) SandboxImage() string {
	for _, need := range w.Needs {
		if imageBase(need.Origin) == "pause" {
			return need.Name
		}
	}
	return "" // preflight has reported it
}

// TemplateCluster is what the documents for kubeadm say of the whole cluster.
func (w State) TemplateCluster() templates.Cluster {
	c := w.Cluster
	names, _ := KubeadmImages(w) // preflight has reported the problem
	cluster := templates.Cluster{
		Name: c.Name, KubernetesVersion: c.Kubernetes.Version, Endpoint: c.ControlPlane.Endpoint, PublicEndpoint: c.ControlPlane.PublicEndpoint,
		PodSubnet: c.Kubernetes.PodSubnet.String(), ServiceSubnet: c.Kubernetes.ServiceSubnet.String(),
		Overrides: c.Kubernetes.Config, Images: names, KubeletServingCertificates: VerifiedMetrics(c),
	}
	if balancer := c.ControlPlane.LoadBalancer; balancer != nil {
		cluster.SharedAddress = balancer.VIP.String()
	}
	for _, host := range c.ControlPlane.Hosts {
		for _, address := range host.Addresses() {
			cluster.CertSANs = append(cluster.CertSANs, address.String())
		}
	}
	return cluster
}

// PackageDockerCE is Docker's own package of Docker Engine.
const PackageDockerCE = "docker-ce"

// KubernetesPackages are those that have the version of Kubernetes.
func KubernetesPackages() []string {
	return []string{templates.PackageKubelet, templates.PackageKubeadm, templates.PackageKubectl}
}

// NeededComponents are the components of the bundle that the inventory asks for.
func (w State) NeededComponents() []string {
	var needed []string
	if w.Cluster.Kubernetes.Source != inventory.SourcePackages {
		needed = append(needed, bundle.Kubernetes, bundle.CNIPlugins)
	}
	if !w.PackagedRuntime() && !w.ForeignRuntime() {
		needed = append(needed, bundle.Containerd, bundle.Runc)
	}
	if w.Cluster.Images.Host != "" {
		needed = append(needed, bundle.Registry)
	}
	return needed
}

// NeededImages are the last names of the images of the bundle that the inventory asks for.
func (w State) NeededImages() []string {
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
	if VerifiedMetrics(w.Cluster) {
		needed = append(needed, ImageApprover)
	}
	if w.Cluster.Addons.Ingress != nil {
		needed = append(needed, imageTraefik)
	}
	return needed
}

// OwnHolds says that hosts look for the image in fairlead's own registry first.
func (w State) OwnHolds(need ImageNeed) bool {
	repository, _, err := w.OwnRepository(need.Name)
	if err != nil || w.OwnRegistry() == "" {
		return false
	}
	domain, _, _ := strings.Cut(repository, "/")
	places, _ := w.Endpoints(domain)
	return !slices.ContainsFunc(w.Registries, func(r Registry) bool { return sameRegistry(r.Host, domain) }) && len(places) > 0
}

// ConfiguresDocker says that the inventory has something for daemon.json.
func (w State) ConfiguresDocker() bool {
	return w.Cluster.Runtime.InsecureRegistries != nil || w.DockerMirrors() != nil
}

// DockerMirrors are those of Docker Hub: Docker Engine knows no others. They are nil when the
// inventory does not speak of them.
func (w State) DockerMirrors() []string {
	if w.Cluster.Runtime.Mirrors == nil {
		return nil
	}
	return append([]string{}, w.Cluster.Runtime.Mirrors[dockerHub]...)
}

// PackagedRuntime says that the inventory has the container runtime come from packages.
func (w State) PackagedRuntime() bool {
	return w.Cluster.Kubernetes.Source == inventory.SourcePackages || w.Cluster.Runtime.Name == inventory.RuntimeDocker
}

// ForeignRuntime says that the user has installed a runtime that fairlead leaves alone.
func (w State) ForeignRuntime() bool { return w.Cluster.Runtime.CRISocket != "" }

// CRISocket is the socket of the container runtime. kubeadm always gets it, because it refuses to
// choose where it finds several.
func (w State) CRISocket() string {
	if socket := w.Cluster.Runtime.CRISocket; socket != "" {
		return socket
	}
	return templates.ContainerdSocket
}

// settingsRecord is the ConfigMap in kube-system with the settings that the inventory had at
// the end of the last run, by kind: what it has no longer is taken back, what others set stays.
// While settings change it also holds those to come, under KIND.to-come.HASH: a run that is cut
// off may have brought some of them about.
const (
	SettingsRecord = "fairlead-settings"
	SettingsToCome = ".to-come."
)

// settingsSource is where a cluster keeps a document of kubeadm (cmd/kubeadm/app/constants:
// KubeadmConfigConfigMap, KubeletBaseConfigurationConfigMap, KubeProxyConfigMap).
type settingsSource struct{ Kind, ConfigMap, Key string }

// SettingsSources are where a cluster keeps each document, in the order in which they are read.
func SettingsSources() []settingsSource {
	return []settingsSource{
		{templates.KindCluster, "kubeadm-config", "ClusterConfiguration"},
		{templates.KindKubelet, "kubelet-config", "kubelet"},
		{templates.KindKubeProxy, "kube-proxy", "config.conf"},
	}
}

// RecordOf is the record of settings: a text for each kind.
func RecordOf(wanted templates.Settings) (map[string]string, error) {
	record := map[string]string{}
	for kind, fields := range wanted {
		text, err := templates.FieldsText(fields)
		if err != nil {
			return nil, err
		}
		record[kind] = string(text)
	}
	return record, nil
}
