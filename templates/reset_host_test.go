package templates

import (
	"os"
	"strings"
	"testing"
)

// Every stand-in of a host that is reset fails where its command is in the file fails. The builtin
// of the shell that kills is one of them, too.
const (
	resetFails = `! grep -qxF "${0##*/} $*" "$S/fails" 2>/dev/null || exit 1` + "\n"
	resetKill  = `kill() { printf 'kill %s\n' "$*" >>"$S/log"; }` + "\n"
)

const resetSystemctl = `case $* in "--quiet is-active containerd.service") [ -e "$S/containerd" ]; exit ;; esac`

// containerd's namespaces are files of lines KIND ID.
const ctrStandIn = `
case $* in
"namespaces list --quiet") ls "$S/namespaces" ;;
"namespaces remove "*) [ ! -s "$S/namespaces/$3" ] && "$S/tools/rm" "$S/namespaces/$3" ;;
*"list --quiet") sed -n "s/^$3 //p" "$S/namespaces/$2" ;;
*" delete --sync fairlead") sed -i '/^content /d' "$S/namespaces/$2" ;;
*" leases create "*) ;;
*" delete "* | *" remove "*)
	namespace=$2 kind=$3; shift 4
	for id in "$@"; do sed -i "\|^$kind $id\$|d" "$S/namespaces/$namespace"; done
	;;
esac
`

func resetHost(t *testing.T) *standIns {
	t.Helper()
	s := newHost(t, map[string]string{
		"systemctl": resetFails + resetSystemctl, "modprobe": resetFails, "chown": resetFails, "swapon": resetFails,
		"rm": resetFails + `exec "$S/tools/rm" "$@"`, "ctr": resetFails + ctrStandIn, "mountpoint": `! grep -qxF "$2" "$S/gone" 2>/dev/null`,
		"umount": resetFails, "ip": resetFails + `case $1 in link) rmdir "$S/host/sys/class/net/$3" ;; esac`,
		"iptables-save": saveStandIn, "iptables-restore": restoreStandIn, "nft": nftRulesStandIn,
		"dpkg": dpkgStandIn, "dpkg-query": dpkgQueryStandIn, "apt-mark": "",
	})
	s.write("nft/chains", "")
	s.write("nft/tables", "")
	s.put("/proc/self/mountinfo", "")
	return s
}

// process makes a process of the host.
func (s *standIns) process(pid, program, cgroup, cmdline string) {
	s.t.Helper()
	s.put("/proc/"+pid+"/cgroup", "0::"+cgroup+"\n")
	s.put("/proc/"+pid+"/cmdline", strings.ReplaceAll(cmdline, " ", "\x00")+"\x00")
	s.symlink(program, "/proc/"+pid+"/exe")
}

// Pods and their shims are killed, whoever else works with containerd.
func TestResetStopsPrograms(t *testing.T) {
	s := resetHost(t)
	const shim = "/usr/local/bin/containerd-shim-runc-v2"
	s.process("101", "/pause", "/kubepods.slice/kubepods-a.slice/cri-containerd-1.scope", "/pause")
	s.process("102", shim, "/system.slice/containerd.service", shim+" -namespace k8s.io -id 1")
	s.process("103", shim, "/system.slice/containerd.service", shim+" -namespace moby -id 2")
	s.process("104", "/usr/sbin/sshd", "/system.slice/ssh.service", "sshd -namespace k8s.io")
	s.process("105", shim+" (deleted)", "/system.slice/containerd.service", shim+" -namespace k8s.io -id 3")
	s.process("106", "/usr/local/bin/kubelet", "/system.slice/kubelet.service", "kubelet --namespace k8s.io")
	s.put("/var/lib/fairlead/ledger", "unit containerd.service not-found inactive\nunit docker.service enabled active\nunit fairlead-registry.service not-found inactive\nfile /etc/unit not-found x\n")
	s.wantRun("systemctl stop fairlead-kubeadm.service kubelet.service\nsystemctl reset-failed fairlead-kubeadm.service\nkill -KILL 101\nkill -KILL 102\nkill -KILL 105\n"+
		"systemctl stop containerd.service\nsystemctl stop fairlead-registry.service\nsystemctl stop kubepods.slice\n| stopping kubelet, pods and containerd\n", resetKill+resetPart(t, "stop_programs"))
}

// Volumes and the files of pods are unmounted, the deepest first; those of a containerd of others stay, and so do namespaces and
// disks of others, wherever they are mounted.
func TestResetUnmounts(t *testing.T) {
	const mounts = `22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 8:1 /a /var/lib/kubelet rw - ext4 /dev/sda1 rw
31 30 0:1 / /var/lib/kubelet/pods/1/volumes/a rw - tmpfs tmpfs rw
32 31 0:2 / /var/lib/kubelet/pods/1/volumes/a/b rw - tmpfs tmpfs rw
33 22 0:3 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs rw - overlay overlay rw
34 22 0:3 / /run/containerd/io.containerd.runtime.v2.task/moby/2/rootfs rw - overlay overlay rw
35 22 0:4 / /run/containerd/io.containerd.grpc.v1.cri/sandboxes/1/shm rw - tmpfs shm rw
36 22 0:5 / /run/netns/cni-1 rw - nsfs nsfs rw
37 22 0:6 / /run/netns rw - tmpfs tmpfs rw
38 22 0:7 / /run/netns/theirs rw - nsfs nsfs rw
39 22 8:2 / /var/lib/containerd rw - ext4 /dev/sdb1 rw
40 39 0:8 / /var/lib/containerd/tmpmounts/1 rw - overlay overlay rw
41 22 0:9 / /mnt/var/lib/kubelet/x rw - tmpfs tmpfs rw
42 30 0:10 / /var/lib/kubelet/backup rw - ext4 /dev/sdc1 rw
43 30 0:11 / /var/lib/kubelet/pods rw - ext4 /dev/sdd1 rw
44 39 0:12 / /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs rw - ext4 /dev/sde1 rw
45 22 0:13 / /run/docker/netns/default rw - nsfs nsfs rw
`
	// What is not of the cluster alone is a containerd's, which may be that of others.
	cluster := []string{
		"/var/lib/kubelet/pods/1/volumes/a/b", "/var/lib/kubelet/pods/1/volumes/a", "/run/netns/cni-1",
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/1/shm",
	}
	own := []string{
		"/var/lib/kubelet/pods/1/volumes/a/b", "/var/lib/kubelet/pods/1/volumes/a", "/var/lib/containerd/tmpmounts/1", "/run/netns/cni-1",
		"/run/containerd/io.containerd.runtime.v2.task/moby/2/rootfs", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/1/shm",
	}
	for _, c := range []struct {
		name, ledger string
		want         []string
	}{
		{"a containerd of others", "unit containerd.service enabled active\n", cluster},
		{"our containerd", "unit containerd.service not-found inactive\n", own},
		{"our Docker", "unit docker.service not-found inactive\n", append(cluster[:3:3], append([]string{"/run/docker/netns/default"}, cluster[3:]...)...)},
		{"our folder of namespaces", "tree /run/netns absent\n", append(cluster[:3:3], append([]string{"/run/netns"}, cluster[3:]...)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := resetHost(t)
			s.put("/var/lib/fairlead/ledger", c.ledger)
			s.put("/proc/self/mountinfo", mounts)
			s.put("/run/netns/cni-2", "")
			s.put("/run/netns/mine", "")
			want := ""
			for _, path := range c.want {
				want += "mountpoint -q " + path + "\numount " + path + "\n"
			}
			s.wantRun(want+"rm -f /run/netns/cni-2\n| unmounting volumes\n", resetPart(t, "unmount"))
			s.wantThere("/run/netns/mine")
		})
	}
}

// A mount that is in use goes when its last user does; one that cannot go is told.
func TestResetUnmountsWhatIsInUse(t *testing.T) {
	s := resetHost(t)
	s.putLedger("tree /run/netns absent\n")
	const pods = "/var/lib/kubelet/pods/"
	s.put("/proc/self/mountinfo", "1 1 0:1 / "+pods+"a rw\n1 1 0:1 / "+pods+`b\040\134b rw`+"\n1 1 0:1 / "+pods+"c rw\n1 1 0:1 / /run/netns rw\n")
	s.write("gone", s.rooted(pods+"c\n"))
	s.write("fails", s.rooted("umount "+pods+"a\numount "+pods+`b \b`+"\numount -l "+pods+"a\numount /run/netns\n"))
	s.wantRun("mountpoint -q "+pods+"c\nmountpoint -q "+pods+"b \\b\numount "+pods+"b \\b\numount -l "+pods+"b \\b\n"+
		"mountpoint -q "+pods+"a\numount "+pods+"a\numount -l "+pods+"a\nmountpoint -q /run/netns\numount /run/netns\nrm -f /run/netns/cni-*\n"+
		"| unmounting volumes\n| cannot unmount "+pods+"a\n| cannot unmount /run/netns\n", resetPart(t, "unmount"))
}

// Of a containerd of others, only the namespace of Kubernetes is emptied, and that of a Docker that goes.
func TestResetEmptiesNamespaces(t *testing.T) {
	const (
		theirs = "unit containerd.service enabled active\n"
		full   = "tasks 1\ntasks 2\ncontainers 1\ncontainers 2\nimages docker.io/library/a:1\nimages sha256:1\nleases l1\ncontent x\n"
	)
	lay := func(t *testing.T, ledger string) *standIns {
		t.Helper()
		s := resetHost(t)
		s.put("/var/lib/fairlead/ledger", ledger)
		s.write("containerd", "")
		for _, name := range []string{"k8s.io", "moby", "default", "k8s"} {
			s.write("namespaces/"+name, full)
		}
		return s
	}
	s := lay(t, theirs+"unit docker.service enabled active\n")
	golden(t, "scripts/namespaces.log", []byte(s.ran(resetPart(t, "empty_namespaces"))))
	s.wantNone("namespaces/k8s.io")
	s.wantFile("namespaces/moby", full)
	s.wantFile("namespaces/k8s", full)

	s = lay(t, theirs+"unit docker.service not-found inactive\n")
	s.ran(resetPart(t, "empty_namespaces"))
	s.wantNone("namespaces/k8s.io", "namespaces/moby")
	s.wantFile("namespaces/default", full)

	s = lay(t, theirs)
	s.write("namespaces/k8s.io", full+"snapshots s\n")
	if transcript := s.ran(resetPart(t, "empty_namespaces")); !strings.HasSuffix(transcript, "| keeping containerd's namespace k8s.io, which is not empty\n") {
		t.Errorf("it did\n%s", transcript)
	}
	s.wantFile("namespaces/k8s.io", "snapshots s\n")

	// Ours goes with its folders, and one that is stopped answers nothing.
	s = lay(t, "unit containerd.service not-found inactive\n")
	s.wantRun("", resetPart(t, "empty_namespaces"))
	s = lay(t, theirs)
	if err := os.Remove(s.path("containerd")); err != nil {
		t.Fatal(err)
	}
	s.wantRun("systemctl --quiet is-active containerd.service\n", resetPart(t, "empty_namespaces"))
	s = lay(t, theirs)
	if err := os.RemoveAll(s.path("namespaces/k8s.io")); err != nil {
		t.Fatal(err)
	}
	s.wantRun("systemctl --quiet is-active containerd.service\nctr namespaces list --quiet\n| emptying containerd's namespaces\n", resetPart(t, "empty_namespaces"))
}
