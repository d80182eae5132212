package connect

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/kube"
	"fairlead/provision/kube/kubetest"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// withAPI has the hosts of some lines reach an API server, with an admin.conf on those that are named.
func withAPI(t *testing.T, l *lines, c *Connections, holders ...string) *kubetest.API {
	t.Helper()
	api := kubetest.New(t)
	for _, name := range holders {
		get(t, c, name)
		l.dialled(name)[0].PutFile("/etc/kubernetes/admin.conf", api.Kubeconfig())
		l.dialled(name)[0].OnDial(api.Dial)
	}
	return api
}

// The client goes through the first control plane that has an admin.conf, and is the same as long as that host is connected.
func TestAPIThroughAControlPlane(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1", "cp2", "cp3"), l.dial)
	api := withAPI(t, l, c, "cp2", "cp3")
	client, via, err := c.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ready(t.Context()); err != nil || via.Name() != "cp2" || len(api.Requests()) != 1 {
		t.Errorf("via %s: %v", via.Name(), err)
	}
	if again, _, err := c.API(t.Context()); err != nil || again != client {
		t.Errorf("another client: %v", err)
	}
	if again, err := c.Through(t.Context(), via); err != nil || again != client {
		t.Errorf("another client through the same host: %v", err)
	}
	l.dialled("cp2")[0].Lose()
	<-via.Done()
	remotetest.Eventually(t, 10*time.Second, "the client finds its way closed", func() bool { // a request on the old connection may only be cut off
		err := client.Ready(t.Context())
		return errors.Is(err, kube.ErrTunnelClosed) && errors.Is(err, remote.ErrLost)
	})
	other, via, err := c.API(t.Context())
	if err != nil || other == client || via.Name() != "cp3" {
		t.Errorf("after the loss of cp2: via %s, %v", via.Name(), err)
	}
	if third, err := c.Through(t.Context(), get(t, c, "cp3")); err != nil || third != other {
		t.Errorf("the new client is not kept: %v", err)
	}
}

// The client goes to the API server beside the connection, whatever admin.conf names: what that names may be dead.
func TestAPIBesideTheConnection(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1"), l.dial)
	api := withAPI(t, l, c, "cp1")
	var asked string
	l.dialled("cp1")[0].PutFile("/etc/kubernetes/admin.conf", strings.ReplaceAll(api.Kubeconfig(), "example.com:6443", "dead.example:8443"))
	l.dialled("cp1")[0].OnDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		asked = address
		return api.Dial(ctx, network, address)
	})
	client, _, err := c.API(t.Context())
	if err == nil {
		err = client.Ready(t.Context())
	}
	if host, _ := c.cluster.Host("cp1"); err != nil || asked != c.apiAddress(host) {
		t.Errorf("asked %s: %v", asked, err)
	}
}

// The client of an API server that is gone is forgotten: the next one is made of the admin.conf that is there then.
func TestForgetAPI(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1"), l.dial)
	withAPI(t, l, c, "cp1")
	c.ForgetAPI() // of which there is none
	client, _, err := c.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.ForgetAPI()
	if other, _, err := c.API(t.Context()); err != nil || other == client {
		t.Errorf("a forgotten client is kept: %v", err)
	}
	l.dialled("cp1")[0].PutFile("/etc/kubernetes/admin.conf", "no kubeconfig")
	c.ForgetAPI()
	if _, _, err := c.API(t.Context()); err == nil || !strings.Contains(err.Error(), "use /etc/kubernetes/admin.conf of cp1: ") {
		t.Errorf("with a damaged admin.conf: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Connections of the client end with the client, and with the client that takes its place.
func TestClientsHangUp(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1", "cp2"), l.dial)
	api := withAPI(t, l, c, "cp1", "cp2")
	open := make(chan net.Conn, 3)
	l.dialled("cp1")[0].OnDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := api.Dial(ctx, network, address)
		open <- conn
		return conn, err
	})
	for what, end := range map[string]func() error{
		"another client": func() error { _, err := c.Through(t.Context(), get(t, c, "cp2")); return err },
		"ForgetAPI":      func() error { c.ForgetAPI(); return nil },
	} {
		client, err := c.Through(t.Context(), get(t, c, "cp1"))
		if err == nil {
			err = client.Ready(t.Context())
		}
		if err == nil {
			err = end()
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		conn := <-open
		remotetest.Eventually(t, 10*time.Second, what+" ends the connection", func() bool {
			_, err := conn.Write(nil)
			return errors.Is(err, net.ErrClosed)
		})
	}
}

// Without any admin.conf, each control plane is named with its reason.
func TestNoAPI(t *testing.T) {
	l := newLines(t)
	l.fails["cp2"] = remote.ErrUnreachable
	c := NewWith(lab("cp1", "cp2"), l.dial)
	_, via, err := c.API(t.Context())
	if via != nil || !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, remote.ErrUnreachable) {
		t.Fatalf("%v", err)
	}
	if !strings.HasPrefix(err.Error(), "reach the API server: read /etc/kubernetes/admin.conf on cp1: ") {
		t.Errorf("it says: %v", err)
	}
}

// A control plane is asked for its own API server; where that does not listen, for the endpoint.
func TestAPIOfTheControlPlaneItself(t *testing.T) {
	for name, c := range map[string]struct {
		down string // what refuses connections
		want string // what was dialled
	}{
		"its own":                     {want: "192.0.2.11:6443"},
		"the endpoint":                {down: "192.0.2.11:6443", want: "192.0.2.11:6443 example.com:6443"},
		"not yet behind the endpoint": {down: "example.com:6443", want: "192.0.2.11:6443"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLines(t)
			cluster := lab("cp1")
			cluster.ControlPlane.Hosts[0].Role, cluster.ControlPlane.Hosts[0].Address = inventory.RoleControlPlane, netip.MustParseAddr("192.0.2.11")
			connections := NewWith(cluster, l.dial)
			api := withAPI(t, l, connections, "cp1")
			var dialled []string
			l.dialled("cp1")[0].OnDial(func(ctx context.Context, network, address string) (net.Conn, error) {
				if dialled = append(dialled, address); address == c.down {
					return nil, errors.New("connection refused")
				}
				return api.Dial(ctx, network, address)
			})
			client, _, err := connections.API(t.Context())
			if err == nil {
				err = client.Ready(t.Context())
			}
			if is := strings.Join(dialled, " "); err != nil || is != c.want {
				t.Errorf("dialled %s, want %s: %v", is, c.want, err)
			}
		})
	}
}
