//go:build cluster

package cluster

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// testQuorum loses two of three control planes for good. That is said, with what still works; the third is made a cluster of its own, what
// was written is there, and new machines join in the place of the others.
func testQuorum(t *testing.T) {
	hosts := []string{"cp1", "cp2", "cp3"}
	s := freshSite(t, hosts...)
	t.Cleanup(func() {
		if shared.up, shared.lab = false, nil; *keep { // nobody after it can go on with this cluster
			return
		}
		if err := lab.Down(shared.ctx, shared.options); err != nil {
			t.Error(err)
		}
	})
	s.inventory(lab.InventoryOptions{ControlPlanes: hosts, Bundle: shared.bundle})
	s.mustUp()
	s.wantMembers(hosts...)
	s.fairlead("etcd", "recover", "--from", "cp1", "--yes", "--cluster", "lab", "--lost", "cp2,cp3").exits(1).says("etcd has its quorum")

	writer := startWriter(s)
	s.eventually("some writes", time.Minute, func() string { return writer.few(60) })
	for _, host := range hosts[1:] {
		if err := s.lab.Remove(s.ctx, host); err != nil {
			t.Fatal(err)
		}
	}
	written := writer.stop()

	s.fairlead("check").exits(1).says("etcd has lost its quorum: of its 3 members cp2 and cp3 are gone, and 2 are needed",
		"pods that run go on, and what etcd holds can still be read and saved on cp1", "fairlead etcd recover --from cp1")
	s.fairlead("etcd", "status").exits(0).says("silent", "etcd has no quorum")
	s.wantSnapshot("etcd", "snapshot", "without-quorum.db")
	s.fairlead("etcd", "recover", "--from", "cp1", "--yes", "--cluster", "lab", "--lost", "cp2").exits(1).says("nothing was changed")
	s.fairlead("etcd", "recover", "--from", "cp1", "--yes").exits(2)

	begin := time.Now()
	s.fairlead("etcd", "recover", "--from", "cp1", "--yes", "--cluster", "lab", "--lost", "cp2,cp3", "--snapshot", filepath.Join(s.home, "before.db")).exits(0)
	t.Logf("recovered after %v", time.Since(begin).Round(time.Second))
	s.wantFile("before.db")
	s.wantMembers("cp1")
	s.wantNodes("cp1")
	left := s.shell("cp1", "ls /var/lib/fairlead/recovery; ! grep force-new-cluster /etc/kubernetes/manifests/etcd.yaml; ls /var/lib/fairlead/recovery/member/snap/db")
	if !strings.HasPrefix(left, "member\n") {
		t.Errorf("on cp1 are left:\n%s", left)
	}
	lost := writer.lost()
	t.Logf("of %d acknowledged writes %d were lost: %v", written, len(lost), lost[:min(len(lost), 3)])
	if len(lost) > written/2 {
		t.Error("more is lost than was under way")
	}
	s.kubectl("create", "configmap", "after-the-recovery")

	for _, host := range hosts[1:] {
		if _, err := s.lab.Add(s.ctx, host); err != nil {
			t.Fatal(err)
		}
	}
	s.mustUp()
	s.wantMembers(hosts...)
	s.wantNodes(hosts...)
	s.kubectl("get", "configmap", "after-the-recovery")
	s.planned(0)
}

// few says how many writes are done, while these are less than enough.
func (w *writer) few(enough int) string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.stored) >= enough {
		return ""
	}
	return "there are not enough"
}

// testEtcd looks at etcd, saves and defragments it by commands.
func testEtcd(t *testing.T) {
	s := clusterSite(t)
	var status struct {
		Quorum  bool `json:"quorum"`
		Members []struct {
			Name, Host, Role, State string
			SizeBytes, InUseBytes   int64
		} `json:"members"`
	}
	o := s.fairlead("etcd", "status", "--output", "json").exits(0)
	if err := json.Unmarshal([]byte(o.stdout), &status); err != nil {
		t.Fatalf("%v: %s", err, o.stdout)
	}
	if m := status.Members; !status.Quorum || len(m) != 1 || m[0].Name != "cp1" || m[0].Host != "cp1" || m[0].Role != "leader" || m[0].State != "healthy" || m[0].SizeBytes < m[0].InUseBytes || m[0].InUseBytes == 0 {
		t.Errorf("etcd is %+v", status)
	}
	s.fairlead("etcd", "status").exits(0).says("MEMBER", "leader", "healthy")
	s.wantSnapshot("etcd", "snapshot", "whole.db")
	if out := s.fairlead("etcd", "snapshot", "-").exits(0).stdout; !whole([]byte(out)) {
		t.Errorf("%d bytes on standard output are no snapshot", len(out))
	}
	s.fairlead("etcd", "defragment").exits(0).says("cp1: from ")
	s.fairlead("etcd", "snapshot", filepath.Join(s.home, "no", "such", "folder")).exits(1)
	s.planned(0)
}

// wantSnapshot has a command write a snapshot below the home folder.
func (s *site) wantSnapshot(args ...string) {
	s.t.Helper()
	s.fairlead(args...).exits(0)
	s.wantFile(args[len(args)-1])
}

// wantFile fails the test unless a file is a whole snapshot that is there for its owner alone, with nothing beside it.
func (s *site) wantFile(name string) {
	s.t.Helper()
	path := filepath.Join(s.home, name)
	info, err := os.Stat(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if content := s.read(path); info.Mode().Perm() != 0o600 || !whole([]byte(content)) {
		s.t.Errorf("%s has the mode %v and %d bytes", name, info.Mode(), len(content))
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"-*")); err != nil || len(left) > 0 {
		s.t.Errorf("of %s was left: %v, %v", name, left, err)
	}
}

// whole says that the last bytes of a snapshot are the sum of the rest.
func whole(snapshot []byte) bool {
	at := len(snapshot) - sha256.Size
	if at < 1 || at%512 != 0 {
		return false
	}
	sum := sha256.Sum256(snapshot[:at])
	return string(sum[:]) == string(snapshot[at:])
}
