package connect

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// behind puts a host behind an sshd that lets the host's own key in, and is known from the host's own known_hosts.
func behind(t *testing.T, host *inventory.Host, jump *remotetest.Server) {
	t.Helper()
	known := filepath.Join(t.TempDir(), "known")
	remotetest.WriteText(t, known, fmt.Sprintf("[127.0.0.1]:%d %s\n", jump.Port, remotetest.KeyText(jump.HostKeys["ed25519"])))
	host.SSH.KnownHosts = known
	host.SSH.Jump = []string{fmt.Sprintf("%s@127.0.0.1:%d", host.SSH.User, jump.Port)}
}

// Hosts are reached through the jump host that the inventory names, by their own key and known_hosts, and so is an API server
// to which a host itself lets nobody through. All of that is one connection to the jump host.
func TestBehindAJumpHost(t *testing.T) {
	host := remotetest.StartSSHD(t, "AllowTcpForwarding no")
	jump := remotetest.StartSSHD(t, "AuthorizedKeysFile "+host.Identity+".pub")
	cluster := lab("cp1", "cp2")
	for i := range cluster.ControlPlane.Hosts {
		toSSHD(t, &cluster.ControlPlane.Hosts[i], host)
	}
	behind(t, &cluster.ControlPlane.Hosts[0], jump)
	cluster.ControlPlane.Hosts[1].SSH = cluster.ControlPlane.Hosts[0].SSH
	var dialled atomic.Int32
	c := New(cluster, ssh.Options{DialNet: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}, nothing())
	for _, name := range []string{"cp1", "cp2"} {
		if result, err := get(t, c, name).Run(t.Context(), remote.Command{Argv: []string{"echo", name}}); err != nil || strings.TrimSpace(string(result.Stdout)) != name {
			t.Errorf("%s says %q: %v", name, result.Stdout, err)
		}
		c.apiPort = remotetest.RefusingPort(t)
		if err := c.Reaches(t.Context(), name); err != nil {
			t.Errorf("where nobody listens yet: %v", err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c.apiPort = listener.Addr().(*net.TCPAddr).Port
	conn, err := c.way(get(t, c, "cp1"))(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if dialled.Load() != 1 || jump.Served() != 1 || host.Served() != 2 {
		t.Errorf("%d connections from here, %d to the jump host, %d to hosts", dialled.Load(), jump.Served(), host.Served())
	}
}
