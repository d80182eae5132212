package templates

import (
	"strings"
	"testing"
)

// What reset must leave none of: each kind once, beside what is like it.
func TestProbeOfRemains(t *testing.T) {
	t.Run("nothing", func(t *testing.T) {
		s := newHost(t, nil)
		s.put("/proc/self/mountinfo", "")
		s.wantFacts("remains")
	})
	t.Run("links", func(t *testing.T) {
		s := newHost(t, map[string]string{"ip": ipStandIn})
		s.put("/proc/self/mountinfo", "")
		s.wantFacts("remains", "link lo", "link eth0", "link br-lan")
	})
	t.Run("processes", func(t *testing.T) {
		s := newHost(t, nil)
		s.put("/proc/self/mountinfo", "")
		var want []string
		for pid, program := range map[string]string{
			"11": "kubelet", "12": "containerd", "13": "containerd-shim-runc-v2", "14": "kube-apiserver", "15": "kube-controller-manager", "16": "kube-scheduler",
			"17": "kube-proxy", "18": "etcd", "19": "coredns", "20": "flanneld", "21": "pause", "22": "kubeadm",
		} {
			s.symlink("/opt/"+program, "/proc/"+pid+"/exe")
			want = append(want, "process "+program+" "+pid)
		}
		s.symlink("/usr/bin/kubectl", "/proc/23/exe")
		s.symlink("/usr/bin/registry", "/proc/24/exe")
		s.symlink(s.at("/usr/local/bin/registry"), "/proc/25/exe")
		s.symlink("/opt/kubelet (deleted)", "/proc/26/exe")
		s.symlink("/opt/kubelet", "/proc/26/task/exe") // a thread has one, too
		var is []string
		for line := range strings.Lines(s.probePart("remains")) {
			if fact, ok := strings.CutPrefix(line, "| "); ok {
				is = append(is, strings.ReplaceAll(strings.TrimSuffix(fact, "\n"), "\t", " "))
			}
		}
		if want = append(want, "process registry 25", "process kubelet 26"); !sameLines(is, want) {
			t.Errorf("it says\n%s\ninstead of\n%s", strings.Join(is, "\n"), strings.Join(want, "\n"))
		}
	})
	t.Run("mounts", func(t *testing.T) {
		s := newHost(t, nil)
		var text strings.Builder
		for _, path := range []string{
			"/", "/var/lib/kubelet", "/var/lib/kubelet/pods/a", "/var/lib/kubelets/a", "/run/containerd/a", "/var/lib/containerd/b", "/run/netns", "/run/netns/cni-1", "/run/netns/theirs", "/run/k8s.io/a",
		} {
			text.WriteString("22 1 8:1 / " + path + " rw,relatime shared:1 - ext4 /dev/sda1 rw\n")
		}
		s.put("/proc/self/mountinfo", text.String())
		s.wantFacts("remains", "mount /var/lib/kubelet/pods/a", "mount /run/containerd/a", "mount /var/lib/containerd/b", "mount /run/netns/cni-1", "mount /run/k8s.io/a")
	})
}

// Lines of rules that are ours are counted, for each kind of iptables, and tables of nft are named.
func TestProbeOfNetfilter(t *testing.T) {
	const theirs = "*filter\n:FORWARD ACCEPT [0:0]\n:DOCKER - [0:0]\n:KUBERNETES - [0:0]\n-A FORWARD -j DOCKER\nCOMMIT\n"
	s := netfilterHost(t)
	s.put("/proc/self/mountinfo", "")
	s.write("nft/tables", "table ip filter\ntable inet firewalld\n")
	for _, save := range []string{"iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save"} {
		s.write(save, theirs)
	}
	s.put("/proc/net/ip_tables_names", "")
	s.put("/proc/net/ip6_tables_names", "")
	s.wantFacts("remains")
	s.write("iptables-save", theirs+":KUBE-A - [0:0]\n-A FORWARD -j KUBE-A\n:CNI-B - [0:0]\n")
	s.write("ip6tables-save", theirs+":FLANNEL-FWD - [0:0]\n")
	s.write("iptables-legacy-save", theirs+"-A FORWARD -m comment --comment \"flanneld forward\" -j ACCEPT\n")
	s.write("ip6tables-legacy-save", theirs+":KUBE-A - [0:0]\n")
	s.write("nft/tables", "table ip filter\ntable ip kube-proxy\ntable ip flannel-ipv4\ntable ip6 flannel-ipv6\n")
	all := []string{
		"netfilter iptables-save 3", "netfilter ip6tables-save 1", "netfilter iptables-legacy-save 1", "netfilter ip6tables-legacy-save 1",
		"netfilter nft table ip kube-proxy 1", "netfilter nft table ip flannel-ipv4 1", "netfilter nft table ip6 flannel-ipv6 1",
	}
	s.wantFacts("remains", all...)
	// Asking those that are not compiled in would load them.
	s.remove("/proc/net/ip6_tables_names")
	s.wantFacts("remains", append(append([]string{}, all[:3]...), all[4:]...)...)
	s.remove("/proc/net/ip_tables_names")
	s.put("/proc/net/ip6_tables_names", "")
	s.wantFacts("remains", append(append([]string{}, all[:2]...), all[3:]...)...)
	s.remove("/proc/net/ip6_tables_names")
	s.wantFacts("remains", append(append([]string{}, all[:2]...), all[4:]...)...)
	if did := s.probePart("remains"); strings.Contains(did, "legacy") {
		t.Errorf("it did\n%s", did)
	}
}
