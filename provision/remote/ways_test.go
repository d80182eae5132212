package remote_test

import (
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
	"fairlead/provision/remote/container"
	"fairlead/provision/remote/local"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// setting is what a test asks of a host beside the way to it.
type setting struct {
	log   *slog.Logger
	grace time.Duration
	path  string // PATH of the host, whose user is then taken for an ordinary one

	password *remote.Password // of that one, for sudo
}

// opener opens a host and closes it when the test ends.
type opener func(t testing.TB, s setting) *remote.Host

// ways are the transports: what holds for a Host has to hold over each of them.
func ways() map[string]opener {
	return map[string]opener{"ssh": overSSH, "local": overLocal, "container": overContainer}
}

// inContainer says that a test runs over the way into a container, which is root's and knows no signal that ended a process.
func inContainer(t testing.TB) bool { return strings.Contains(t.Name(), "/container") }

// loginUser is whom commands run as.
func loginUser(t testing.TB) string {
	t.Helper()
	if inContainer(t) {
		return "root"
	}
	return currentUser(t)
}

// overWays runs a test over each transport.
func overWays(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	for name, open := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// overFiles runs a test over each transport, with and without an sftp-server on the host.
func overFiles(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	overWays(t, test)
	for name, open := range ways() {
		t.Run(name+" without sftp-server", func(t *testing.T) {
			t.Parallel()
			test(t, func(t testing.TB, s setting) *remote.Host {
				h := open(t, s)
				h.UseServer("/nowhere/sftp-server")
				return h
			})
		})
	}
}

func overSSH(t testing.TB, s setting) *remote.Host {
	t.Helper()
	var config []string
	if s.path != "" {
		config = []string{"SetEnv HOME=" + t.TempDir() + " PATH=" + s.path}
	}
	h := dialSSH(t, remotetest.StartSSHD(t, config...), ssh.Options{Log: s.log, StopGrace: s.grace})
	return prepare(t, h, s)
}

// dialSSH logs in to srv as the current user.
func dialSSH(t testing.TB, srv *remotetest.Server, o ssh.Options) *remote.Host {
	t.Helper()
	d := ssh.NewDialer(o)
	t.Cleanup(func() { _ = d.Close() })
	h, err := d.Dial(t.Context(), ssh.Target{
		Name: "cp1", Address: "127.0.0.1", Port: srv.Port, User: currentUser(t), IdentityFiles: []string{srv.Identity}, IdentitiesOnly: true,
		HostKey: xssh.FingerprintSHA256(srv.HostKeys["ed25519"]),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func currentUser(t testing.TB) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

func overLocal(t testing.TB, s setting) *remote.Host {
	t.Helper()
	h, err := local.Open(local.Options{Name: "cp1", Log: s.log, StopGrace: s.grace, Path: s.path})
	if err != nil {
		t.Fatal(err)
	}
	return prepare(t, h, s)
}

// overContainer has the stand-in of Docker's client. For real containers there are the tests on the lab.
func overContainer(t testing.TB, s setting) *remote.Host {
	t.Helper()
	engine := remotetest.NewEngine(t, container.Docker, "--context", s.path)
	engine.Run("cp1", strings.Repeat("0123456789abcdef", 4), nil)
	dialer := container.NewDialer(container.Options{Log: s.log, StopGrace: s.grace, Path: engine.Path})
	h, err := dialer.Dial(t.Context(), container.Target{Name: "cp1", Engine: container.Docker, Container: "cp1"})
	if err != nil {
		t.Fatal(err)
	}
	return prepare(t, h, s)
}

func prepare(t testing.TB, h *remote.Host, s setting) *remote.Host {
	t.Helper()
	if s.path != "" {
		h.UseSudo(s.password)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

func closeHost(t testing.TB, h *remote.Host) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// program is a script in a file of its own.
func program(t testing.TB, name, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return path
}

// standIn is a PATH in which a script stands in for sudo.
func standIn(t testing.TB, script string) string {
	t.Helper()
	return filepath.Dir(program(t, "sudo", script)) + ":/usr/bin:/bin"
}
