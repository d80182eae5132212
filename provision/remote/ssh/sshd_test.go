package ssh

import (
	"context"
	"os/user"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// server is a real sshd that lets the current user in.
type server struct{ *remotetest.Server }

func startSSHD(t testing.TB, extra ...string) server {
	t.Helper()
	return server{remotetest.StartSSHD(t, extra...)}
}

// target logs in with the right key and the right pin.
func (s server) target(t testing.TB) Target {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return Target{
		Name: "cp1", Address: "127.0.0.1", Port: s.Port, User: u.Username, IdentityFiles: []string{s.Identity}, IdentitiesOnly: true,
		HostKey: xssh.FingerprintSHA256(s.HostKeys["ed25519"]),
	}
}

// dial connects to s, and closes the host when the test ends.
func (s server) dial(t testing.TB, o Options) *remote.Host {
	t.Helper()
	h, err := reach(t.Context(), s.target(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

// reach dials one host with a Dialer of its own.
func reach(ctx context.Context, target Target, o Options) (*remote.Host, error) {
	d := NewDialer(o)
	h, err := d.Dial(ctx, target)
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return h, err
}

func closeHost(t testing.TB, h *remote.Host) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
