package templates

import (
	"slices"
	"strings"
	"testing"
)

// kindHost is a node of kind with a cluster that kind has made.
func kindHost(t *testing.T) *standIns {
	t.Helper()
	s := resetHost(t)
	s.elsewhere = append(s.elsewhere, "/kind/", s.path("host/kind")+"/")
	s.mkdir("/kind")
	s.put("/kind/kubeadm.conf", "networking:\n  podSubnet: \"10.244.0.0/16,fd00:10:244::/56\"\n  serviceSubnet: \"10.96.0.0/16\"\n")
	s.write("bin/ip", standInPrelude+`case $* in
"-4 route show root 10.244.0.0/16") printf '10.244.0.3 dev vethX scope host\n10.244.1.0/24 via 172.18.0.2 dev eth0\n' ;;
"-6 route show root fd00:10:244::/56") echo 'fd00:10:244:1::/64 via fc00::2 dev eth0 metric 1024' ;;
esac
case $1 in link) rmdir "$S/host/sys/class/net/$3" ;; esac`)
	s.write("containerd", "")
	s.write("namespaces/k8s.io", "tasks 1\ncontainers 1\nimages registry.k8s.io/pause:3.10\nleases l1\ncontent x\n")
	s.write("iptables-save", "*nat\n:KIND-MASQ-AGENT - [0:0]\n:KUBE-A - [0:0]\n:DOCKER_OUTPUT - [0:0]\n-A POSTROUTING -j KIND-MASQ-AGENT\n-A OUTPUT -j DOCKER_OUTPUT\nCOMMIT\n")
	s.write("nft/tables", "table ip kube-proxy\ntable inet kindnet-network-policies\ntable ip nat\n")
	for _, path := range kindMade() {
		s.put(path, "of the cluster")
	}
	for _, path := range kindKeeps() {
		s.put(path, "kept")
	}
	return s
}

func kindMade() []string {
	return []string{
		"/var/lib/kubelet/config.yaml", "/var/lib/kubelet/pods/a/volumes/x", "/var/lib/etcd/member/wal/0", "/var/lib/cni/results/a", "/run/cni-ipam-state/kindnet/10.244.0.2",
		"/var/log/pods/a/0.log", "/etc/cni/net.d/10-kindnet.conflist", "/etc/kubernetes/manifests/etcd.yaml", "/etc/kubernetes/pki/sa.key", "/etc/kubernetes/pki/etcd/ca.crt",
		"/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf", "/etc/kubernetes/kubelet.conf", "/etc/kubernetes/tmp/a/etcd.yaml",
	}
}

func kindKeeps() []string {
	return []string{
		"/kind/version", "/etc/containerd/config.toml", "/etc/resolv.conf", "/etc/cni/net.d/99-mine.conf", "/etc/kubernetes/audit.yaml", "/etc/systemd/system/kubelet.service",
		"/var/lib/containerd/content", "/etc/default/kubelet",
	}
}

// All that a cluster of kind's leaves on a node goes, and what kind's image holds stays. A second run has nothing to do.
func TestResetKind(t *testing.T) {
	s := kindHost(t)
	golden(t, "scripts/reset-kind.log", []byte(s.ran(resetKill+ScriptResetKind.Text())))
	s.wantGone(kindMade()...)
	s.wantGone("/var/lib/etcd", "/var/lib/kubelet", "/run/fairlead-reset", "/etc/kubernetes/pki")
	s.wantThere(append(kindKeeps(), "/kind/kubeadm.conf", "/etc/kubernetes/manifests")...)
	s.wantFile("namespaces/k8s.io", "images registry.k8s.io/pause:3.10\n")
	s.ran(resetKill + ScriptResetKind.Text())
	s.wantThere(kindKeeps()...)
}

// It is no node of kind, or fairlead has made something by now: nothing happens.
func TestResetKindElsewhere(t *testing.T) {
	for name, spoil := range map[string]func(*standIns){
		"not kind's":  func(s *standIns) { s.remove("/kind/kubeadm.conf") },
		"empty":       func(s *standIns) { s.put("/kind/kubeadm.conf", "") },
		"a ledger":    func(s *standIns) { s.putLedger("tree /opt/cni absent\n") },
		"what it had": func(s *standIns) { s.put("/var/lib/fairlead/saved/links", "") },
	} {
		s := kindHost(t)
		spoil(s)
		if transcript := s.refused(resetKill + ScriptResetKind.Text()); strings.Count(transcript, "\n") != 3 || !strings.Contains(transcript, "Nothing was changed\n") {
			t.Errorf("%s: it did\n%s", name, transcript)
		}
		s.wantThere(kindMade()...)
	}
}

// What somebody has mounted into a folder of the cluster's, as kind does for its users, stays, and all else goes.
func TestResetKindKeepsMounts(t *testing.T) {
	s := kindHost(t)
	const mounted = "/var/lib/kubelet/config.json"
	s.put(mounted, "the user's")
	s.put("/proc/self/mountinfo", "1 1 8:1 / "+mounted+" rw - ext4 /dev/sda1 rw\n")
	if transcript := s.ran(resetKill + ScriptResetKind.Text()); !strings.Contains(transcript, "| keeping in /var/lib/kubelet what is mounted there\n") {
		t.Errorf("it did\n%s", transcript)
	}
	s.wantThere(mounted)
	s.wantGone(kindMade()...)
}

// As long as something is left, the CA is, by which the next reset knows that it has to go on.
func TestResetKindLeavesTheCA(t *testing.T) {
	for _, fails := range []string{"ip link delete cni0", "systemctl restart containerd.service"} {
		s := kindHost(t)
		s.mkdir("/sys/class/net/cni0")
		s.write("bin/ip", standInPrelude+resetFails+`case $1 in link) rmdir "$S/host/sys/class/net/$3" ;; esac`)
		s.write("fails", fails+"\n")
		s.refused(resetKill + ScriptResetKind.Text())
		s.wantThere("/etc/kubernetes/pki/ca.crt")
		s.write("fails", "")
		s.ran(resetKill + ScriptResetKind.Text())
		s.wantGone(kindMade()...)
	}
}

// Images that were in a containerd before fairlead came, which the ledger's first look at its unit writes down, stay there.
func TestResetKeepsImagesOfBefore(t *testing.T) {
	s := resetHost(t)
	s.put("/var/lib/fairlead/ledger", "unit containerd.service enabled active\n")
	s.write("containerd", "")
	s.write("state/saved/images", "registry.k8s.io/pause:3.10\nsha256:1\n")
	s.write("namespaces/k8s.io", "tasks 1\ncontainers 1\nimages registry.k8s.io/pause:3.10\nimages registry.k8s.io/pause:3.10.2\nimages sha256:1\nimages sha256:2\ncontent x\n")
	transcript := s.ran(resetPart(t, "empty_namespaces"))
	s.wantFile("namespaces/k8s.io", "images registry.k8s.io/pause:3.10\nimages sha256:1\n")
	if slices.Contains(strings.Split(transcript, "\n"), "ctr namespaces remove k8s.io") {
		t.Errorf("it did\n%s", transcript)
	}
}
