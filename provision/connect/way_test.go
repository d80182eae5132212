package connect

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// An sshd that lets no connection through is told from a port that nobody listens on, and the API server is reached by its own
// address then, where that can be.
func TestSSHDThatDoesNotForward(t *testing.T) {
	for name, c := range map[string]struct {
		config   string
		address  string // of the host, for who goes straight; empty: where it is
		listens  bool   // something does, where the API server will
		forwards bool
		want     error
	}{
		"forwards, nothing runs":        {forwards: true},
		"forwards":                      {forwards: true, listens: true},
		"AllowTcpForwarding":            {config: "AllowTcpForwarding no", listens: true},
		"AllowTcpForwarding, no API":    {config: "AllowTcpForwarding no"},
		"remote alone":                  {config: "AllowTcpForwarding remote", listens: true},
		"DisableForwarding":             {config: "DisableForwarding yes", listens: true},
		"PermitOpen none":               {config: "PermitOpen none", listens: true},
		"PermitOpen of another":         {config: "PermitOpen 192.0.2.1:1", listens: true},
		"and behind a firewall":         {config: "AllowTcpForwarding no", address: "firewalled", want: remote.ErrForwarding},
		"PermitOpen, and straight away": {config: "PermitOpen none", address: "firewalled", want: remote.ErrForwarding},
	} {
		t.Run(name, func(t *testing.T) {
			sshd := remotetest.StartSSHD(t, strings.Split(c.config, "\n")...)
			cluster := lab("cp1")
			toSSHD(t, &cluster.ControlPlane.Hosts[0], sshd)
			connections := New(cluster, ssh.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, nothing())
			defer connections.Close()
			connections.apiPort = remotetest.RefusingPort(t)
			if c.listens {
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer listener.Close()
				connections.apiPort = listener.Addr().(*net.TCPAddr).Port
			}
			host := get(t, connections, "cp1")
			if c.address != "" {
				connections.dialer = func(context.Context, inventory.Host, string, string) (net.Conn, error) {
					return nil, errors.New("i/o timeout")
				}
			}
			if err := connections.Reaches(t.Context(), "cp1"); !errors.Is(err, c.want) || c.want != nil && !strings.Contains(err.Error(), "i/o timeout") {
				t.Errorf("Reaches: %v", err)
			}
			conn, err := host.DialContext(t.Context(), "tcp", connections.apiAddress(cluster.ControlPlane.Hosts[0]))
			if err == nil {
				conn.Close()
			}
			if forwards := !errors.Is(err, remote.ErrForwarding); forwards != c.forwards {
				t.Errorf("it forwards: %v: %v", forwards, err)
			}
		})
	}
}

// A host that cannot be connected to says nothing of forwarding.
func TestReachesNobody(t *testing.T) {
	l := newLines(t)
	l.fails["cp1"] = remote.ErrUnreachable
	if err := NewWith(lab("cp1"), l.dial).Reaches(t.Context(), "cp1"); !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// The client goes straight to the host's address where sshd does not forward.
func TestAPIStraight(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1"), l.dial)
	defer c.Close()
	api := withAPI(t, l, c, "cp1")
	l.dialled("cp1")[0].OnDial(func(context.Context, string, string) (net.Conn, error) { return nil, remote.ErrForwarding })
	c.dialer = func(ctx context.Context, _ inventory.Host, network, address string) (net.Conn, error) {
		if host := lab("cp1").ControlPlane.Hosts[0]; address != net.JoinHostPort(host.Address.String(), "6443") {
			t.Errorf("dialled is %s", address)
		}
		return api.Dial(ctx, network, address)
	}
	client, _, err := c.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// What goes on for long finds its host again.
func TestLastingWay(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1"), l.dial)
	withAPI(t, l, c, "cp1")
	way := c.Lasting("cp1")
	knock := func() error {
		conn, err := way(t.Context(), "tcp", "example.com:6443")
		if err != nil {
			return err
		}
		return conn.Close()
	}
	if err := knock(); err != nil {
		t.Error(err)
	}
	host := get(t, c, "cp1")
	l.dialled("cp1")[0].Lose()
	<-host.Done()
	if err := knock(); err == nil || !strings.Contains(err.Error(), "connection refused") { // the new line has nobody behind it
		t.Errorf("on the new connection: %v", err)
	}
	if n := len(l.dialled("cp1")); n != 2 {
		t.Errorf("cp1 was connected to %d times", n)
	}
	if _, err := c.Lasting("cp9")(t.Context(), "tcp", "a:1"); err == nil {
		t.Error("a host that is not in the inventory was found")
	}
}
