package bundle

import (
	"runtime"
	"slices"

	format "fairlead/provision/bundle"
)

// The versions of what each bundle holds, whatever its release. Those of modules stand in the go.mod files
// too; the checks of the sets find a difference.
const (
	containerdVersion = "2.4.2"
	runcVersion       = "1.5.2"
	cniVersion        = "1.9.1"
	flannelVersion    = "0.28.7"
	flannelCNIVersion = "1.9.1-flannel1"

	metricsServerVersion = "0.9.0"
	registryVersion      = "3.1.2"
	traefikVersion       = "3.7.6"
	nfpmVersion          = "2.45.2"
)

// recipe is the bundle of the release for the architecture of this machine.
func (r release) recipe() recipe {
	return recipe{
		Kubernetes: r.Kubernetes,
		Arch:       runtime.GOARCH,
		Sets: []set{
			ownSet("pause"), ownSet("probe"),
			runcSet(), cniSet(), cniFlannelSet(), containerdSet(),
			flannelSet(), r.etcdSet(), r.coreDNSSet(), r.kubernetesSet(),
			metricsServerSet(), registrySet(), traefikSet(), approverSet(),
			nfpmSet(), ownSet("signer"), ownSet("fileserver"),
		},
		Base:       debianBase(),
		Components: r.components(),
		Images:     slices.Concat(r.controlPlaneImages(), r.sharedImages(), addonImages()),
		Required: query{Set: r.folder("kubernetes"), Binary: "kubeadm", Args: []string{
			"config", "images", "list", "--kubernetes-version", "v" + r.Kubernetes,
		}},
	}
}

func (r release) components() []component {
	const local = "/usr/local/bin"
	plugins := at("cniplugins", "/opt/cni/bin", binaryNames(cniSet())...)
	return []component{
		{format.Kubernetes, r.Kubernetes, layerPerFile(at(r.folder("kubernetes"), local, "kubeadm", "kubelet", "kubectl"))},
		{format.Containerd, containerdVersion, layerPerFile(at("containerd", local, binaryNames(containerdSet())...))},
		{format.Runc, runcVersion, layerPerFile(at("runc", "/usr/local/sbin", "runc"))},
		{format.Registry, registryVersion, layerPerFile(at("registry", local, "registry"))},
		{format.CNIPlugins, cniVersion, [][]file{append(plugins, at("cniflannel", "/opt/cni/bin", "flannel")...)}},
	}
}

// controlPlaneImages are the static pods. Their manifests name the binary only, so it
// lies in the image's PATH and the images have no entry point.
func (r release) controlPlaneImages() []image {
	const local = "/usr/local/bin"
	roles := []string{format.RoleControlPlane}
	images := []image{{
		Name: "registry.k8s.io/etcd:" + r.EtcdImage, Roles: roles,
		Files: at(r.folder("etcd"), local, "etcd", "etcdctl", "etcdutl"),
	}}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		images = append(images, image{
			Name: "registry.k8s.io/" + name + ":v" + r.Kubernetes, Roles: roles,
			Files: at(r.folder("kubernetes"), local, name),
		})
	}
	return images
}

func (r release) sharedImages() []image {
	roles := []string{format.RoleControlPlane, format.RoleWorker}
	return []image{{
		Name: "registry.k8s.io/kube-proxy:v" + r.Kubernetes, Roles: roles, OnBase: true,
		Files: at(r.folder("kubernetes"), "/usr/local/bin", "kube-proxy"),
	}, {
		Name: "registry.k8s.io/coredns/coredns:v" + r.CoreDNS, Roles: roles,
		Files: at(r.folder("coredns"), "", "coredns"), Entrypoint: []string{"/coredns"},
	}, {
		Name: "registry.k8s.io/pause:" + r.Pause, Roles: roles,
		Files: at("pause", "", "pause"), Entrypoint: []string{"/pause"}, User: "65535:65535",
	}, {
		Name: "ghcr.io/flannel-io/flannel:v" + flannelVersion, Roles: roles, OnBase: true,
		Files: at("flannel", "/opt/bin", "flanneld", "install-conf"), Entrypoint: []string{"/opt/bin/flanneld"},
	}, {
		Name: "lab.fairlead.example/probe:v1", Roles: roles,
		Files: at("probe", "", "probe"), Entrypoint: []string{"/probe"},
	}}
}

// addonImages are needed only where their add-on is wanted. The plugin of flannel is an image
// for hosts whose other plugins come from packages; it is copied from there with cp.
func addonImages() []image {
	return []image{{
		Name: "ghcr.io/flannel-io/flannel-cni-plugin:v" + flannelCNIVersion, Addon: format.AddonNetwork, OnBase: true,
		Files: at("cniflannel", "", "flannel"),
	}, {
		Name: "registry.k8s.io/metrics-server/metrics-server:v" + metricsServerVersion, Addon: format.AddonMetricsServer,
		Files: at("metricsserver", "", "metrics-server"), Entrypoint: []string{"/metrics-server"}, User: "65534",
	}, {
		Name: "registry.fairlead.example/fairlead-approver:v1", Addon: format.AddonMetricsServer,
		Files: at("approver", "", "fairlead-approver"), Entrypoint: []string{"/fairlead-approver"}, User: "65532",
	}, {
		Name: "docker.io/library/traefik:v" + traefikVersion, Addon: format.AddonIngress,
		Files: at("traefik", "/usr/local/bin", "traefik"), Entrypoint: []string{"/usr/local/bin/traefik"},
	}}
}

// ownSet is a module of ours with one main package at its root.
func ownSet(name string) set {
	return set{Name: name, Binaries: []binary{{name, "fairlead/e2e/modules/" + name}}}
}

// binaryNames are the names of all binaries of a set, sorted.
func binaryNames(s set) []string {
	var names []string
	for _, b := range s.Binaries {
		names = append(names, b.Name)
	}
	slices.Sort(names)
	return names
}
