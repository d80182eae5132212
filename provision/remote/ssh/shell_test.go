package ssh

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// TestLoginNoise has a login shell that talks on both outputs before every command, as files like .bashrc do.
func TestLoginNoise(t *testing.T) {
	h := startSSHD(t, `ForceCommand echo welcome; printf "no newline"; echo warning >&2; eval "$SSH_ORIGINAL_COMMAND"`).dial(t, Options{})
	r, err := h.Run(t.Context(), remote.Command{Argv: []string{"/bin/sh", "-c", "echo out; echo err >&2"}})
	if err != nil || string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" {
		t.Errorf("got %q, %q, %v", r.Stdout, r.Stderr, err)
	}
	if text, err := h.ReadFile(t.Context(), "/proc/version"); err != nil || !strings.HasPrefix(string(text), "Linux") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestLoginShellRefuses(t *testing.T) {
	h := startSSHD(t, "ForceCommand echo This account is closed.; exit 1").dial(t, Options{})
	_, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}})
	var exit *remote.ExitError
	if !errors.Is(err, remote.ErrShell) || errors.As(err, &exit) || !strings.HasPrefix(err.Error(), "login shell does not run commands for ") ||
		!strings.HasSuffix(err.Error(), ": This account is closed.") {
		t.Errorf("got %v", err)
	}
}

// TestSessions has sshd count the sessions: one for each command, one for all files, none for a tunnel.
func TestSessions(t *testing.T) {
	srv := startSSHD(t)
	h := srv.dial(t, Options{})
	for range 3 {
		if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := h.ReadFile(t.Context(), "/proc/version"); err != nil {
			t.Fatal(err)
		}
	}
	c, err := h.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", "1"))
	if err == nil {
		c.Close()
		t.Error("something listens on port 1")
	}
	if h.Sessions() != 4 {
		t.Errorf("the host counted %d sessions, want 4", h.Sessions())
	}
	remotetest.Eventually(t, 10*time.Second, "sshd has counted as many", func() bool { return strings.Count(srv.Log.String(), "Starting session:") == 4 })
}

// counted is a connection that adds up what it carries.
type counted struct {
	net.Conn
	read, written *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// counting is a DialNet whose connections are counted.
func counting() (dial func(context.Context, string, string) (net.Conn, error), read, written *atomic.Int64) {
	read, written = new(atomic.Int64), new(atomic.Int64)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return counted{c, read, written}, err
	}, read, written
}

// TestEqualFileNotSent counts bytes: checking a file that is already there sends none of it.
func TestEqualFileNotSent(t *testing.T) {
	dial, _, written := counting()
	h := startSSHD(t).dial(t, Options{KeepAlive: time.Hour, DialNet: dial})
	f := remote.File{
		Path: filepath.Join(t.TempDir(), "f"), Mode: 0o600, UID: os.Getuid(), GID: os.Getgid(),
		Content: []byte(strings.Repeat("0123456789abcdef", 1<<16)),
	}
	if _, err := h.WriteFile(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	before := written.Load()
	if changed, err := h.WriteFile(t.Context(), f); err != nil || changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if sent := written.Load() - before; sent > 16<<10 {
		t.Errorf("%d bytes sent for an equal file of %d", sent, len(f.Content))
	}
}

// TestKeepAliveLeavesIdleAlone has an idle connection live through many keep-alives.
func TestKeepAliveLeavesIdleAlone(t *testing.T) {
	dial, read, _ := counting()
	h := startSSHD(t).dial(t, Options{KeepAlive: 20 * time.Millisecond, DialNet: dial})
	before := read.Load()
	remotetest.Eventually(t, 10*time.Second, "thirty answers", func() bool { return read.Load() > before+30*28 })
	if err := h.Alive(); err != nil {
		t.Error(err)
	}
}
