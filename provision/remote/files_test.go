package remote_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Error(err)
	}
	return n
}

func own(path string, mode fs.FileMode, content string) remote.File {
	return remote.File{Path: path, Mode: mode, UID: os.Getuid(), GID: os.Getgid(), Content: []byte(content)}
}

func checkFile(t *testing.T, f remote.File) {
	t.Helper()
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if !bytes.Equal(text, f.Content) || info.Mode() != f.Mode || int(owner.Uid) != f.UID || int(owner.Gid) != f.GID {
		t.Errorf("%s: %s %d:%d, %d bytes; want %s %d:%d, %d bytes", f.Path, info.Mode(), owner.Uid, owner.Gid, len(text),
			f.Mode, f.UID, f.GID, len(f.Content))
	}
}

func noTemporaries(t *testing.T, dir string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".*"+remote.TempInfix+"*"))
	if err != nil || len(found) > 0 {
		t.Errorf("temporary files are left: %v %v", found, err)
	}
}

func TestWriteFile(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		dir := t.TempDir()
		path := filepath.Join(dir, "a", "b", "it's a file")
		steps := []struct {
			name    string
			before  func()
			file    remote.File
			changed bool
		}{
			{"new", nil, own(path, 0o640, "one"), true},
			{"equal", nil, own(path, 0o640, "one"), false},
			{"content of equal size", nil, own(path, 0o640, "two"), true},
			{"mode", nil, own(path, 0o600, "two"), true},
			{"empty", nil, own(path, 0o600, ""), true},
			{"empty again", nil, own(path, 0o600, ""), false},
			{"large", nil, own(path, 0o600, strings.Repeat("x", 300_000)), true},
			{"large again", nil, own(path, 0o600, strings.Repeat("x", 300_000)), false},
			{"mode was changed", func() { _ = os.Chmod(path, 0o666) }, own(path, 0o600, strings.Repeat("x", 300_000)), true},
			{"link", func() { _ = os.Remove(path); _ = os.Symlink("/etc/hostname", path) }, own(path, 0o600, "mine"), true},
		}
		for _, s := range steps {
			if s.before != nil {
				s.before()
			}
			changed, err := h.WriteFile(t.Context(), s.file)
			if err != nil || changed != s.changed {
				t.Fatalf("%s: changed %v, %v; want %v", s.name, changed, err, s.changed)
			}
			checkFile(t, s.file)
		}
		if os.Getuid() == 0 {
			f := own(path, 0o600, "mine")
			f.UID, f.GID = 12, 34
			if changed, err := h.WriteFile(t.Context(), f); err != nil || !changed {
				t.Errorf("owner: changed %v, %v", changed, err)
			}
			checkFile(t, f)
		}
		for _, d := range []string{filepath.Join(dir, "a"), filepath.Join(dir, "a", "b")} {
			if info, err := os.Stat(d); err != nil || info.Mode().Perm() != remote.ParentMode {
				t.Errorf("parent %s: %v, %v", d, info.Mode(), err)
			}
		}
		noTemporaries(t, filepath.Dir(path))
	})
}

// TestWholeOrFormer reads a file all the while it is replaced: each time it is one whole version.
func TestWholeOrFormer(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		path := filepath.Join(t.TempDir(), "f")
		versions := []string{strings.Repeat("a", 200_000), strings.Repeat("b", 300_000)}
		if _, err := h.WriteFile(t.Context(), own(path, 0o600, versions[0])); err != nil {
			t.Fatal(err)
		}
		stop, result := make(chan struct{}), make(chan string)
		go func() {
			for reads := 0; ; reads++ {
				text, err := os.ReadFile(path)
				if s := string(text); err != nil || s != versions[0] && s != versions[1] {
					result <- "a reader saw something else than one version"
					return
				}
				select {
				case <-stop:
					result <- ""
					return
				default:
				}
			}
		}()
		for i := range 6 {
			if _, err := h.WriteFile(t.Context(), own(path, 0o600, versions[(i+1)%2])); err != nil {
				t.Error(err)
			}
		}
		close(stop)
		if problem := <-result; problem != "" {
			t.Error(problem)
		}
	})
}

// TestSecretFromFirstByte looks at the temporary file while the first byte is waited for.
func TestSecretFromFirstByte(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		dir := t.TempDir()
		looked := false
		look := readFunc(func(p []byte) (int, error) {
			if looked {
				return 0, io.EOF
			}
			looked = true
			var found []string
			remotetest.Eventually(t, 10*time.Second, "a temporary file", func() bool {
				found, _ = filepath.Glob(filepath.Join(dir, ".key"+remote.TempInfix+"*"))
				return len(found) > 0
			})
			if info, err := os.Stat(found[0]); err != nil || info.Mode() != 0o600 || info.Size() != 0 || len(found) != 1 {
				t.Errorf("before the first byte: %v, %v, %v", found, info, err)
			}
			return copy(p, "secret"), nil
		})
		if err := h.Upload(t.Context(), filepath.Join(dir, "key"), 0o600, look, 6, nil); err != nil || !looked {
			t.Fatal(err, looked)
		}
	})
}

// TestFreshFile looks at a new file before its mode is set: it is nobody else's.
func TestFreshFile(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		fresh := filepath.Join(t.TempDir(), "fresh")
		if err := open(t, setting{}).CreateFile(t.Context(), fresh); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(fresh); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	})
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestStaleTemporariesGo(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		dir := t.TempDir()
		old, young, other := filepath.Join(dir, ".f"+remote.TempInfix+"OLD"), filepath.Join(dir, ".f"+remote.TempInfix+"NEW"), filepath.Join(dir, ".g"+remote.TempInfix+"OLD")
		for _, p := range []string{old, young, other} {
			remotetest.WriteText(t, p, "")
		}
		past := time.Now().Add(-2 * remote.TempStale)
		if err := errors.Join(os.Chtimes(old, past, past), os.Chtimes(other, past, past)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.WriteFile(t.Context(), own(filepath.Join(dir, "f"), 0o600, "x")); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]bool{old: false, young: true, other: true} {
			if _, err := os.Stat(path); (err == nil) != want {
				t.Errorf("%s: is there %v, want %v", path, err == nil, want)
			}
		}
	})
}

func TestReadFile(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		dir := t.TempDir()
		want := strings.Repeat("line\n", 100_000)
		remotetest.WriteText(t, filepath.Join(dir, "f"), want)
		if got, err := h.ReadFile(t.Context(), filepath.Join(dir, "f")); err != nil || string(got) != want {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if err := errors.Join(os.Symlink("nowhere", filepath.Join(dir, "dangling")), os.Symlink("loop", filepath.Join(dir, "loop"))); err != nil {
			t.Fatal(err)
		}
		for name, absent := range map[string]bool{"none": true, "none/below": true, "f/below": true, "dangling": false, "loop": false, ".": false} {
			_, err := h.ReadFile(t.Context(), filepath.Join(dir, name))
			if err == nil || errors.Is(err, fs.ErrNotExist) != absent {
				t.Errorf("%s: got %v, want absent %v", name, err, absent)
			}
		}
	})
}

// TestDeniedIsNotAbsent reads as a user who may not look into the folder.
func TestDeniedIsNotAbsent(t *testing.T) {
	drop := `shift 2; exec "$@"`
	if os.Getuid() == 0 {
		drop = `shift 2; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"`
	}
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{path: standIn(t, drop+"\n")})
		dir := filepath.Join(t.TempDir(), "closed")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		remotetest.WriteText(t, filepath.Join(dir, "f"), "x")
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"f", "none"} {
			_, err := h.ReadFile(t.Context(), filepath.Join(dir, name))
			if !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: got %v", name, err)
			}
			_, err = h.WriteFile(t.Context(), own(filepath.Join(dir, name), 0o600, "y"))
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("write %s: got %v", name, err)
			}
		}
	})
}

// TestFileSessionReopened ends the sftp-server: the next operation has a new one.
func TestFileSessionReopened(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		if _, err := h.ReadFile(t.Context(), "/proc/version"); err != nil {
			t.Fatal(err)
		}
		h.EndFiles()
		if _, err := h.ReadFile(t.Context(), "/proc/version"); err != nil {
			t.Error(err)
		}
		if h.Sessions() != 2 {
			t.Errorf("%d sessions, want 2", h.Sessions())
		}
	})
}

// TestServerFails has programs at the sftp-server's place that are none: that is no missing file, and no missing server.
func TestServerFails(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		for name, tt := range map[string]struct{ script, says string }{
			"ends at once":    {"echo 'libcrypto.so: cannot open' >&2\nexit 1\n", "libcrypto.so: cannot open"},
			"talks otherwise": {"echo welcome\ncat >/dev/null\necho 'what?' >&2\nexit 3\n", "what?"},
			"not found":       {"echo 'exec: not found' >&2\nexit 127\n", ""},
		} {
			h := open(t, setting{})
			h.UseServer(program(t, "sftp-server", tt.script))
			_, err := h.ReadFile(t.Context(), "/proc/version")
			if tt.says == "" {
				if err != nil {
					t.Errorf("%s: %v, want that scripts read", name, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "sftp-server ended at once: "+tt.says) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// TestServerLookedForOnce counts processes: one for the server that is not there, and then one for each operation.
func TestServerLookedForOnce(t *testing.T) {
	h := overLocal(t, setting{})
	h.UseServer("/nowhere/sftp-server")
	for range 3 {
		if _, err := h.ReadFile(t.Context(), "/proc/version"); err != nil {
			t.Fatal(err)
		}
	}
	if h.Sessions() != 4 {
		t.Errorf("%d processes, want 4", h.Sessions())
	}
}
