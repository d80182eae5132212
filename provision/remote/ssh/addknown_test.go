package ssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"fairlead/provision/remote/remotetest"
)

// waitForSSHD is how long sshd may take to say what it has seen.
const waitForSSHD = 10 * time.Second

// Keys that were added make their hosts known, to fairlead and to OpenSSH's tools, and what was in the file stays.
func TestAddKnown(t *testing.T) {
	one, two := startSSHD(t), startSSHD(t)
	other := remotetest.KeyText(remotetest.NewPublic(t))
	for name, tt := range map[string]struct {
		before string // "-" for no file and no folder
		hashed bool
	}{
		"no file":         {before: "-"},
		"empty":           {},
		"others":          {before: "# mine\nold.example " + other + "\n"},
		"no last newline": {before: "old.example " + other},
		"broken last":     {before: "old.example ssh-ed25519"},
		"hashed":          {before: knownhosts.HashHostname("old.example") + " " + other + "\n", hashed: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a", ".ssh", "known_hosts")
			if tt.before != "-" {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				remotetest.WriteText(t, path, tt.before)
			}
			var keys []ShownKey
			for _, srv := range []server{one, two} {
				target := srv.target(t)
				target.HostKey, target.KnownHosts = "", []string{path, "/nonexistent"}
				key, err := NewDialer(Options{}).HostKey(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				if !key.Unknown() || key.File() != path {
					t.Fatalf("got %+v", key)
				}
				keys = append(keys, key)
			}
			if err := AddKnown(path, keys); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			before := strings.TrimPrefix(tt.before, "-")
			if !strings.HasPrefix(string(text), before) || strings.Contains(string(text), "127.0.0.1") == tt.hashed {
				t.Errorf("the file is\n%s", text)
			}
			for _, srv := range []server{one, two} {
				target := srv.target(t)
				target.HostKey, target.KnownHosts = "", []string{path}
				h, err := reach(t.Context(), target, Options{})
				if err != nil {
					t.Fatal(err)
				}
				closeHost(t, h)
				found, err := exec.Command("ssh-keygen", "-F", fmt.Sprintf("[127.0.0.1]:%d", srv.Port), "-f", path).CombinedOutput()
				if err != nil || !strings.Contains(string(found), remotetest.KeyText(srv.HostKeys["ed25519"])) {
					t.Errorf("ssh-keygen finds %q, %v", found, err)
				}
			}
			if tt.before == "-" {
				checkMode(t, path, 0o600)
				checkMode(t, filepath.Dir(path), 0o700)
			}
		})
	}
}

func checkMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != want {
		t.Errorf("%s has the mode %o", path, info.Mode().Perm())
	}
}

// A link stays one, a file that others may read stays so, and what keeps nothing is refused.
func TestAddKnownPlaces(t *testing.T) {
	key := ShownKey{name: "cp1", Key: remotetest.KeyText(remotetest.NewPublic(t))}
	dir := t.TempDir()
	file, link, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	remotetest.WriteText(t, file, "")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := AddKnown(link, []ShownKey{key}); err != nil {
		t.Fatal(err)
	}
	checkMode(t, file, 0o644)
	if text, err := os.ReadFile(file); err != nil || string(text) != "cp1 "+key.Key+"\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{os.DevNull, pipe, dir, filepath.Join(file, "below")} {
		if err := AddKnown(path, []ShownKey{key}); err == nil || !strings.Contains(err.Error(), "write known hosts: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What was written of a line that is not whole goes away, unless somebody has written since.
func TestTakeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "known_hosts")
	for _, tt := range []struct {
		written    int
		text, want string
	}{{4, "old\nhalf", "old\n"}, {0, "old\n", "old\n"}, {4, "old\nhalfnew\n", "old\nhalfnew\n"}} {
		remotetest.WriteText(t, path, tt.text)
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := takeBack(f, 4, tt.written); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != tt.want {
			t.Errorf("%q is left, %v", text, err)
		}
	}
}

// The names are those that known_hosts has, with the port where it is not ssh's own.
func TestAddedNames(t *testing.T) {
	key := remotetest.NewPublic(t)
	for _, tt := range []struct {
		target Target
		want   string
	}{
		{Target{Address: "CP1.example"}, "cp1.example"},
		{Target{Address: "192.0.2.1", Port: 22}, "192.0.2.1"},
		{Target{Address: "2001:db8::1", Port: 2222}, "[2001:db8::1]:2222"},
	} {
		d := NewDialer(Options{})
		tt.target.KnownHosts = []string{"/nonexistent"}
		v, err := d.verifier(tt.target.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		shown, err := d.shownKey(v, key, v.check("", nil, key))
		if err != nil || shown.name != tt.want || !shown.Unknown() || shown.Fingerprint != xssh.FingerprintSHA256(key) {
			t.Errorf("%+v, %v", shown, err)
		}
	}
}
