package templates

// The static pods of a control plane.
const (
	ComponentAPIServer         = "kube-apiserver"
	ComponentControllerManager = "kube-controller-manager"
	ComponentScheduler         = "kube-scheduler"
	ComponentEtcd              = "etcd"
)

// Components are the static pods of a control plane, in the order in which they are changed.
func Components() []string {
	return []string{ComponentEtcd, ComponentAPIServer, ComponentControllerManager, ComponentScheduler}
}

// KubeadmPhase is the phase of kubeadm init that writes a component's manifest.
func KubeadmPhase(component string) []string {
	return map[string][]string{
		ComponentAPIServer:         {"init", "phase", "control-plane", "apiserver"},
		ComponentControllerManager: {"init", "phase", "control-plane", "controller-manager"},
		ComponentScheduler:         {"init", "phase", "control-plane", "scheduler"},
		ComponentEtcd:              {"init", "phase", "etcd", "local"},
	}[component]
}

// ManifestPath is where the manifest of a component lies.
func ManifestPath(component string) string { return manifestFolder + "/" + component + ".yaml" }

// FormerManifest is where a manifest is kept while it is changed.
func FormerManifest(component string) string { return StateFolder + "/former/" + component + ".yaml" }
