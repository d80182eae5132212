package templates

// Where things are on a host.
const (
	CACertificate        = "/etc/kubernetes/pki/ca.crt"
	AdminConf            = "/etc/kubernetes/admin.conf"
	manifestFolder       = "/etc/kubernetes/manifests"
	APIServerCertificate = "/etc/kubernetes/pki/apiserver.crt"
	KubeletCertificate   = "/var/lib/kubelet/pki/kubelet-client-current.pem"
	KubeletConfigFile    = "/var/lib/kubelet/config.yaml"
	StateFolder          = "/var/lib/fairlead"
	KubeadmConfigFile    = "/run/fairlead/kubeadm.yaml"
	KubeadmLog           = StateFolder + "/kubeadm.log"
	KubeadmService       = "fairlead-kubeadm.service"
	ContainerdService    = "containerd.service"
	DockerService        = "docker.service"
	KubeletService       = "kubelet.service"
	ContainerdSocket     = "unix:///run/containerd/containerd.sock"
	ContainerdConfigFile = "/etc/containerd/config.toml"
	Fstab                = "/etc/fstab"
	FlannelPlugin        = "/opt/cni/bin/flannel"
)

// The units of fairlead's own registry.
const (
	RegistryService       = "fairlead-registry.service"
	RegistryWriterService = "fairlead-registry-writer.service"
)
