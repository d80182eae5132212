package apply_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/provision/apply"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/provision/remote/local"
	"fairlead/provision/remote/remotetest"
)

// TestRealShell removes files on this very machine: what the other tests read from the wire means the same to a shell. A program stands
// in for sudo where the tests do not run as root.
func TestRealShell(t *testing.T) {
	folder := t.TempDir()
	remotetest.WriteText(t, filepath.Join(folder, "sudo"), "#!/bin/sh\nshift 2\nexec \"$@\"\n")
	if err := os.Chmod(filepath.Join(folder, "sudo"), 0o700); err != nil {
		t.Fatal(err)
	}
	host, err := local.Open(local.Options{Name: "cp1", Path: folder + ":/usr/bin:/bin"})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	w := &world{t: t, hosts: map[string]*remote.Host{"cp1": host}, log: &remotetest.Buffer{}}
	w.steps = (&apply.Applier{Connections: w, Events: event.NewEmitter(time.Now, w.hear)}).Perform(nil)

	paths := []string{filepath.Join(folder, "it's", "a b"), filepath.Join(folder, "it's", "$HOME\n!"), filepath.Join(folder, "never there")}
	if err := os.Mkdir(filepath.Dir(paths[0]), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths[:2] {
		remotetest.WriteText(t, path, "")
	}
	w.well(w.do(plan.RemoveForKubeadm(paths...)))
	for _, path := range paths {
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%s: %v, want it gone", path, err)
		}
	}
}
