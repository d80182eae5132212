package templates

import (
	"strings"
	"testing"
)

// wholeHost is a host with something of everything that reset undoes.
func wholeHost(t *testing.T) *standIns {
	t.Helper()
	s := resetHost(t)
	s.hide = append([]string{s.savedName("/etc/fstab"), "SAVED-FSTAB", s.savedName("/var/lib/kubelet"), "SAVED-KUBELET"}, s.hide...)
	s.put("/var/lib/fairlead/saved/links", "lo\neth0\n")
	s.put("/var/lib/fairlead/saved/chains", "")
	s.put("/var/lib/fairlead/saved/"+s.savedName("/etc/fstab"), "/dev/sda2 none swap sw\n")
	s.keep("/var/lib/kubelet", "/var/lib/kubelet/theirs")
	s.putLedger(`swap active /dev/sda2
file /etc/fstab saved NAME(/etc/fstab) SUMS(/etc/fstab)
module overlay loaded
module br_netfilter absent
sysctl net.ipv4.ip_forward 0
sysctl net.bridge.bridge-nf-call-iptables absent
dir /etc/containerd absent
file /etc/containerd/config.toml absent
package kubelet absent
package theirs absent
unit containerd.service not-found inactive
unit kubelet.service not-found inactive
tree /var/lib/etcd absent
dir /etc/cni absent
dir /etc/cni/net.d absent
tree /var/lib/kubelet existed TREE(/var/lib/kubelet) 700 0:0 SUMS(/var/lib/kubelet)
net all saved SUMS(links) SUMS(chains)
unit swapfile.swap static active
`)
	s.put("/etc/fstab", "#/dev/sda2 none swap sw\n")
	s.put("/proc/sys/net/ipv4/ip_forward", "1\n")
	s.put("/etc/containerd/config.toml", "version = 3\n")
	s.put("/etc/cni/net.d/other.conf", "")
	s.put("/var/lib/etcd/member/snap/db", "")
	s.put("/var/lib/kubelet/theirs", "")
	s.put("/var/lib/kubelet/config.yaml", "")
	s.put("/run/fairlead/kubeadm.yaml", "")
	s.put("/proc/self/mountinfo", "1 1 0:1 / /var/lib/kubelet/pods/a rw\n")
	s.write("bin/umount", standInPrelude+resetFails+`: >"$S/host/proc/self/mountinfo"`)
	s.process("101", "/pause", "/kubepods.slice/a", "/pause")
	for _, link := range []string{"lo", "eth0", "cni0"} {
		s.mkdir("/sys/class/net/" + link)
	}
	s.write("iptables-save", "*filter\n:KUBE-A - [0:0]\n-A FORWARD -j KUBE-A\nCOMMIT\n")
	s.write("nft/tables", "table ip kube-proxy\n")
	s.write("installed", "bash\nkubelet\nlibc6\ntheirs\n")
	s.write("needs", "bash theirs\n")
	return s
}

// All in its order; at the end the ledger goes, and once it is gone there is nothing to do.
func TestReset(t *testing.T) {
	s := wholeHost(t)
	golden(t, "scripts/reset.log", []byte(s.ran(resetKill+ScriptReset.Text())))
	s.wantGone("/var/lib/fairlead", "/run/fairlead", "/etc/containerd", "/var/lib/etcd", "/var/lib/kubelet/config.yaml", "/sys/class/net/cni0")
	s.wantThere("/etc/cni/net.d/other.conf", "/var/lib/kubelet/theirs", "/sys/class/net/eth0")
	s.wantText("/etc/fstab", "/dev/sda2 none swap sw\n")
	s.wantText("/proc/sys/net/ipv4/ip_forward", "0\n")
	s.wantFile("installed", "bash\nlibc6\ntheirs\n")
	s.wantRun("", resetKill+ScriptReset.Text())
}

// Beside a containerd of others, what Kubernetes had in it is emptied before interfaces and rules go.
func TestResetBesideAContainerdOfOthers(t *testing.T) {
	s := wholeHost(t)
	s.put("/var/lib/fairlead/ledger", "unit containerd.service enabled active\nnet all saved\n") // of the former form
	s.write("containerd", "")
	s.write("namespaces/k8s.io", "containers 1\n")
	s.write("namespaces/default", "containers 2\n")
	transcript := s.ran(resetKill + ScriptReset.Text())
	emptied, removed := strings.Index(transcript, "\nctr namespaces remove k8s.io\n"), strings.Index(transcript, "\nip link delete cni0\n")
	if emptied < 0 || removed < emptied || strings.Contains(transcript, "systemctl stop containerd.service") {
		t.Errorf("it did\n%s", transcript)
	}
	s.wantNone("namespaces/k8s.io")
	s.wantFile("namespaces/default", "containers 2\n")
}

// When something was left, all else is done, the ledger stays, and the next reset ends it.
func TestResetLeavesTheLedger(t *testing.T) {
	for command, complaint := range map[string]string{
		"ip link delete cni0": "cannot delete interface cni0", "swapon /dev/sda2": "cannot turn swap on again: /dev/sda2",
		"rm -rf --one-file-system /var/lib/etcd": "cannot remove /var/lib/etcd", "systemctl start swapfile.swap": "cannot start swapfile.swap again",
	} {
		t.Run(complaint, func(t *testing.T) {
			s := wholeHost(t)
			ledger := s.text("/var/lib/fairlead/ledger")
			s.write("fails", s.rooted(command+"\n"))
			transcript := s.refused(resetKill + ScriptReset.Text())
			if !strings.HasSuffix(transcript, "exit status 1\n") || strings.Count(transcript, "| cannot") != 1 || !strings.Contains(transcript, "| "+complaint+"\n") {
				t.Errorf("it did\n%s", transcript)
			}
			s.wantText("/var/lib/fairlead/ledger", ledger)
			s.wantThere("/var/lib/fairlead/saved/links", "/run/fairlead")
			s.wantText("/etc/fstab", "/dev/sda2 none swap sw\n")
			s.write("fails", "")
			s.ran(resetKill + ScriptReset.Text())
			s.wantGone("/var/lib/fairlead", "/var/lib/etcd", "/sys/class/net/cni0")
		})
	}
}

// What cannot be read is not undone, and stays written.
func TestResetThatCannotRead(t *testing.T) {
	for name, c := range map[string]struct{ program, complaint string }{
		"ledger":   {"tac", "cannot read the ledger backwards"},
		"packages": {"dpkg-query", "keeping all packages"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wholeHost(t)
			s.write("bin/"+c.program, standInPrelude+"exit 1\n")
			if transcript := s.refused(resetKill + ScriptReset.Text()); !strings.Contains(transcript, "| "+c.complaint+"\n") {
				t.Errorf("it did\n%s", transcript)
			}
			s.wantThere("/var/lib/fairlead/ledger", "/var/lib/fairlead/saved/links")
		})
	}
}

// A reset that is cut off while it forgets what was saved must not be led by the ledger again: it
// would take what it knows nothing of any more for the cluster's.
func TestResetCutOffAtTheEnd(t *testing.T) {
	s := wholeHost(t)
	s.write("bin/rm", standInPrelude+`case $* in
"-rf --one-file-system $S/state") "$S/tools/rm" -rf "$S/state/saved"; kill -KILL "$PPID"; exit 1 ;;
esac
exec "$S/tools/rm" "$@"`)
	s.refused(resetKill + ScriptReset.Text())
	s.wantGone("/var/lib/fairlead/saved", "/var/lib/fairlead/ledger")
	s.write("bin/rm", standInPrelude+`exec "$S/tools/rm" "$@"`)
	s.ran(resetKill + ScriptReset.Text())
	s.wantThere("/var/lib/kubelet/theirs")
	s.wantGone("/var/lib/fairlead")
}
