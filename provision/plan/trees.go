package plan

import (
	"fairlead/provision/ledger"
)

// The trees that programs make which fairlead installs. What is in them belongs to the
// cluster, unless a tree held something before fairlead came.
func containerdTrees() []string {
	return []string{
		"/etc/containerd", "/var/lib/containerd", "/run/containerd", "/opt/containerd", "/run/nri", "/opt/nri", "/etc/nri",
	}
}

func networkTrees() []string { return []string{"/opt/cni", "/etc/cni", "/var/lib/cni"} }

func dockerTrees() []string {
	return []string{"/etc/docker", "/var/lib/docker", "/run/docker"}
}

func kubeletTrees() []string {
	return []string{
		"/etc/kubernetes", "/var/lib/kubelet", "/usr/libexec/kubernetes", "/run/flannel", "/run/netns", "/run/kubernetes",
		"/var/log/pods", "/var/log/containers", "/run/fairlead",
	}
}

func etcdTrees() []string { return []string{"/var/lib/etcd"} }

// kubeletSysctls are the kernel parameters that the kubelet, kube-proxy and flannel set
// (pkg/kubelet/cm/container_manager_linux.go setupKernelTunables, cmd/kube-proxy/app/conntrack.go,
// pkg/proxy/iptables/proxier.go).
func kubeletSysctls() []ledger.Touch {
	var touched []ledger.Touch
	for _, key := range []string{
		"vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys",
		"kernel.keys.root_maxbytes", "net.ipv4.conf.all.route_localnet", "net.netfilter.nf_conntrack_max",
		"net.netfilter.nf_conntrack_tcp_timeout_established", "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
	} {
		touched = append(touched, ledger.Touch{Kind: ledger.Sysctl, Key: key})
	}
	return touched
}
