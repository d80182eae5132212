package templates

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const etcdManifestText = `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/etcd.advertise-client-urls: https://192.0.2.11:2379
spec:
  containers:
  - command:
    - etcd
    - --advertise-client-urls=https://192.0.2.11:2379
    - --initial-cluster=cp2=https://192.0.2.12:2380,cp1=https://192.0.2.11:2380
    image: registry.k8s.io/etcd:3.7.0-0
`

func TestForce(t *testing.T) {
	forced, err := Force([]byte(etcdManifestText))
	if err != nil || !Forced(forced) || Forced([]byte(etcdManifestText)) || !strings.Contains(string(forced), "    - etcd\n    - --force-new-cluster=true\n") {
		t.Fatalf("%v:\n%s", err, forced)
	}
	if again, err := Force(forced); err != nil || string(again) != string(forced) {
		t.Errorf("a second time: %v\n%s", err, again)
	}
	if back := Unforce(forced); string(back) != etcdManifestText {
		t.Errorf("without it again:\n%s", back)
	}
	for _, text := range []string{"- --force-new-cluster", `- "--force-new-cluster=true"`, "- --force-new-cluster=1"} {
		byHand := strings.Replace(etcdManifestText, "- --advertise", text+"\n    - --advertise", 1)
		if !Forced([]byte(byHand)) || string(Unforce([]byte(byHand))) != etcdManifestText {
			t.Errorf("%s is not seen", text)
		}
	}
	for _, text := range []string{"", "{", "spec: {containers: [{command: [etcd]}]}", strings.Replace(etcdManifestText, "- etcd\n", "- /etcd\n", 1)} {
		if _, err := Force([]byte(text)); !errors.Is(err, ErrManifest) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRecoveryMark(t *testing.T) {
	for text, want := range map[string]Recovery{
		"begun\n": {}, "forced\n": {Forced: true}, "begun\nlost cp2\nlost cp3\n": {Lost: []string{"cp2", "cp3"}},
		"forced\nlost cp2\n": {Forced: true, Lost: []string{"cp2"}},
	} {
		got, underWay := ReadRecovery([]byte(text))
		if !underWay || got.Forced != want.Forced || !slices.Equal(got.Lost, want.Lost) || string(want.Text()) != text {
			t.Errorf("%q is read as %+v, %v, and written as %q", text, got, underWay, want.Text())
		}
	}
	if _, underWay := ReadRecovery(nil); underWay {
		t.Error("nothing is a mark")
	}
}

// recoveringHost has an etcd that runs, with its manifest.
func recoveringHost(t *testing.T, command ...string) (*standIns, *exec.Cmd) {
	t.Helper()
	s := newHost(t, nil)
	s.put("/var/lib/etcd/member/snap/db", "data")
	s.put("/var/lib/etcd/member/wal/0.wal", "log")
	s.put("/etc/kubernetes/manifests/etcd.yaml", etcdManifestText)
	etcd := s.holding(s.at("/var/lib/etcd/member/snap/db"))
	s.put("/proc/"+strconv.Itoa(etcd.Process.Pid)+"/cmdline", strings.Join(command, "\x00"))
	return s, etcd
}

// ended has the etcd of a host be gone from /proc.
func (s *standIns) ended(etcd *exec.Cmd) {
	s.t.Helper()
	if err := os.RemoveAll(s.at("/proc/" + strconv.Itoa(etcd.Process.Pid))); err != nil {
		s.t.Fatal(err)
	}
}

func TestRecoverEtcd(t *testing.T) {
	s, etcd := recoveringHost(t, "etcd", "--force-new-cluster=true")
	if said, ok := s.onHost(ScriptRecoverEtcd.Text(), "copy"); ok {
		t.Errorf("it copied the data of an etcd that runs: %s", said)
	}
	s.wantGone(RecoveryCopy)
	s.ended(etcd)
	for range 2 { // each part once more is the same
		s.wantRun("", ScriptRecoverEtcd.Text(), "begin", "cp2", "cp3")
		s.wantText(RecoveryMark, "begun\nlost cp2\nlost cp3\n")
		s.wantText(RecoveryManifest, etcdManifestText)
		s.wantGone("/etc/kubernetes/manifests/etcd.yaml")
	}
	s.put(RecoveryCopy+"/snap/of-an-earlier-one", "x")
	for range 2 {
		s.wantRun("", ScriptRecoverEtcd.Text(), "copy")
		s.wantText(RecoveryCopy+"/snap/db", "data")
		s.wantGone(RecoveryCopy+"/snap/of-an-earlier-one", RecoveryCopy+".part")
	}
	for range 2 {
		s.wantRun("", ScriptRecoverEtcd.Text(), "back")
		s.wantText("/etc/kubernetes/manifests/etcd.yaml", etcdManifestText)
		s.wantGone(RecoveryMark, RecoveryManifest, "/etc/kubernetes/manifests/.etcd.yaml.part")
	}
	s.wantRun("", ScriptRecoverEtcd.Text(), "end")
	s.wantText(RecoveryCopy+"/wal/0.wal", "log")
}

// An etcd that was started with the flag is waited for to go.
func TestRecoverEtcdSettles(t *testing.T) {
	s, _ := recoveringHost(t, "etcd", "--name=cp1")
	s.wantRun("", ScriptRecoverEtcd.Text(), "settled")
	text := strings.ReplaceAll(ScriptRecoverEtcd.Text(), "until_true 120", "until_true 0")
	s, etcd := recoveringHost(t, "etcd", "--force-new-cluster=true")
	for _, why := range []string{"it was started with the flag", "it does not run"} {
		if said, ok := s.onHost(text, "settled"); ok || !strings.Contains(said, "waited in vain until etcd ran without --force-new-cluster") {
			t.Errorf("%s: %q", why, said)
		}
		s.ended(etcd)
	}
}

// Without room for a copy nothing is stopped.
func TestRecoverEtcdNeedsRoom(t *testing.T) {
	s, etcd := recoveringHost(t, "etcd")
	s.ended(etcd)
	text := strings.Replace(ScriptRecoverEtcd.Text(), "65536))", "1099511627776))", 1)
	if said, ok := s.onHost(text, "begin", "cp2"); ok || !strings.Contains(said, "a copy of ") {
		t.Errorf("%q", said)
	}
	s.wantText("/etc/kubernetes/manifests/etcd.yaml", etcdManifestText)
	s.wantGone(RecoveryMark)
}
