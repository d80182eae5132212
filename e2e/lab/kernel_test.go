package lab

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEnsureKernel(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root sets kernel parameters")
	}
	tree := t.TempDir()
	for _, p := range parameters() {
		file := filepath.Join(tree, p.path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("2\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	const inotify = "fs/inotify/max_user_instances"
	m := &machine{log: log.New(io.Discard, "", 0)}
	for _, step := range []struct{ has, want string }{{"128", "1024"}, {"9000", "9000"}} {
		if err := os.WriteFile(filepath.Join(tree, inotify), []byte(step.has+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := m.ensureKernel(tree); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{inotify: step.want, "vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10"} {
			if is, err := os.ReadFile(filepath.Join(tree, path)); err != nil || strings.TrimSpace(string(is)) != want {
				t.Errorf("%s is %q, want %s: %v", path, is, want, err)
			}
		}
	}
	if err := m.ensureKernel(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no parameters: %v", err)
	}
}

func TestAlone(t *testing.T) {
	m := &machine{cache: t.TempDir(), log: log.New(io.Discard, "", 0)}
	why := errors.New("why")
	err := m.alone(t.Context(), func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 3*pollInterval)
		defer cancel()
		// Another process has a file of its own, as this second call has.
		if err := m.alone(ctx, func() error { t.Error("two at a time"); return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second one: %v", err)
		}
		return why
	})
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if err := m.alone(t.Context(), func() error { return nil }); err != nil {
		t.Errorf("after the first one: %v", err)
	}
}
