package provision

// Where things are on a host.
const (
	caPath               = "/etc/kubernetes/pki/ca.crt"
	adminConf            = "/etc/kubernetes/admin.conf"
	manifestFolder       = "/etc/kubernetes/manifests"
	apiServerCertificate = "/etc/kubernetes/pki/apiserver.crt"
	kubeletConfig        = "/var/lib/kubelet/config.yaml"
	stateFolder          = "/var/lib/fairlead"
	kubeadmConfig        = "/run/fairlead/kubeadm.yaml"
	kubeadmLog           = stateFolder + "/kubeadm.log"
	kubeadmUnit          = "fairlead-kubeadm.service"
	containerdUnit       = "containerd.service"
	dockerUnit           = "docker.service"
	kubeletUnit          = "kubelet.service"
	containerdSocket     = "unix:///run/containerd/containerd.sock"
	configTOML           = "/etc/containerd/config.toml"
	fstab                = "/etc/fstab"
	flannelPlugin        = "/opt/cni/bin/flannel"
)

// The units of fairlead's own registry.
const (
	registryUnit   = "fairlead-registry.service"
	registryWriter = "fairlead-registry-writer.service"
)
