package provision

// Names of packages.
const (
	packageKubelet      = "kubelet"
	packageKubeadm      = "kubeadm"
	packageKubectl      = "kubectl"
	packageCRITools     = "cri-tools"
	packageContainerd   = "containerd"
	packageContainerdIO = "containerd.io"
)
