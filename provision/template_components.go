package provision

// The static pods of a control plane.
const (
	componentAPIServer         = "kube-apiserver"
	componentControllerManager = "kube-controller-manager"
	componentScheduler         = "kube-scheduler"
	componentEtcd              = "etcd"
)

func components() []string {
	return []string{componentEtcd, componentAPIServer, componentControllerManager, componentScheduler}
}

// kubeadmPhase is the phase of kubeadm init that writes a component's manifest.
func kubeadmPhase(component string) []string {
	return map[string][]string{
		componentAPIServer:         {"init", "phase", "control-plane", "apiserver"},
		componentControllerManager: {"init", "phase", "control-plane", "controller-manager"},
		componentScheduler:         {"init", "phase", "control-plane", "scheduler"},
		componentEtcd:              {"init", "phase", "etcd", "local"},
	}[component]
}

func manifestPath(component string) string { return manifestFolder + "/" + component + ".yaml" }

// formerManifest is where a manifest is kept while it is changed.
func formerManifest(component string) string { return stateFolder + "/former/" + component + ".yaml" }
