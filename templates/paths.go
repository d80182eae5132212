package templates

// Where things are on a host.
const (
	CACertificate        = "/etc/kubernetes/pki/ca.crt"
	AdminConf            = "/etc/kubernetes/admin.conf"
	SuperAdminConf       = "/etc/kubernetes/super-admin.conf"
	KubeletConf          = "/etc/kubernetes/kubelet.conf"
	manifestFolder       = "/etc/kubernetes/manifests"
	APIServerCertificate = "/etc/kubernetes/pki/apiserver.crt"
	KubeletConfigFile    = "/var/lib/kubelet/config.yaml"
	// KubeletClientCertificate is the one that the kubelet got, with its key: a link to a file with the day in its name.
	KubeletClientCertificate = "/var/lib/kubelet/pki/kubelet-client-current.pem"
	StateFolder              = "/var/lib/fairlead"
	ClusterRecord            = StateFolder + "/cluster"
	PackagesRecord           = StateFolder + "/packages" // of what was added beside fairlead's own; scripts/packages.sh writes it
	LockFile                 = "/run/fairlead-lock"
	KubeadmConfigFile        = "/run/fairlead/kubeadm.yaml"
	KubeadmLog               = StateFolder + "/kubeadm.log"
	KubeadmService           = "fairlead-kubeadm.service"
	ContainerdService        = "containerd.service"
	DockerService            = "docker.service"
	KubeletService           = "kubelet.service"
	ContainerdSocket         = "unix:///run/containerd/containerd.sock"
	ContainerdConfigFile     = "/etc/containerd/config.toml"
	HAProxyService           = "haproxy.service"
	KeepalivedService        = "keepalived.service"
	Fstab                    = "/etc/fstab"
	FlannelPlugin            = "/opt/cni/bin/flannel"
	BridgePlugin             = "/opt/cni/bin/bridge"
	KindFolder               = "/kind" // of containers that kind has made
	KindConfigFile           = KindFolder + "/kubeadm.conf"
)

// The units of fairlead's own registry.
const (
	RegistryService       = "fairlead-registry.service"
	RegistryWriterService = "fairlead-registry-writer.service"
)
