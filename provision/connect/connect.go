package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"fairlead/inventory"
	"fairlead/provision/kube"
	"fairlead/provision/remote"
	"fairlead/provision/remote/local"
	"fairlead/provision/remote/ssh"
	"fairlead/templates"
)

// Connections are those of one run: one for each host, and the client for the API server, which
// goes through one of them. They are safe for concurrent use.
type Connections struct {
	cluster *inventory.Cluster
	log     *slog.Logger

	dialer *ssh.Dialer

	mu     sync.Mutex
	hosts  map[string]*remote.Host
	client *kube.Client
	via    *remote.Host // whose connection and admin.conf the client uses
}

// New connects to nothing yet.
func New(cluster *inventory.Cluster, o ssh.Options) *Connections {
	return &Connections{cluster: cluster, log: o.Log, dialer: ssh.NewDialer(o), hosts: map[string]*remote.Host{}}
}

// Close ends all connections.
func (c *Connections) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		c.client.Close()
	}
	var errs []error
	for _, host := range c.hosts {
		errs = append(errs, host.Close())
	}
	c.hosts, c.client, c.via = map[string]*remote.Host{}, nil, nil
	return errors.Join(append(errs, c.dialer.Close())...)
}

// Host returns the connection to the host of that name. There is one for the whole run; only a
// lost one is dialled again.
func (c *Connections) Host(ctx context.Context, name string) (*remote.Host, error) {
	host, ok := c.cluster.Host(name)
	if !ok {
		return nil, fmt.Errorf("host %s is not in the inventory", name)
	}
	c.mu.Lock()
	connection := c.hosts[name]
	c.mu.Unlock()
	if connection != nil && connection.Alive() == nil {
		return connection, nil
	}
	connection, err := c.dial(ctx, host)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.hosts[name] = connection
	c.mu.Unlock()
	return connection, nil
}

// dial makes the connection to a host by the transport that the inventory says.
func (c *Connections) dial(ctx context.Context, host inventory.Host) (*remote.Host, error) {
	if host.SSH.Transport == inventory.TransportLocal {
		return local.Open(local.Options{Name: host.Name, Log: c.log})
	}
	target := ssh.Target{
		Name: host.Name, Address: host.Address.String(), Port: host.SSH.Port, User: host.SSH.User,
		IdentityFile: host.SSH.IdentityFile, HostKey: host.SSH.HostKey,
	}
	if host.SSH.KnownHosts != "" {
		target.KnownHosts = []string{host.SSH.KnownHosts}
	}
	return c.dialer.Dial(ctx, target)
}

// API returns the client for the API server, and the control-plane host behind it.
func (c *Connections) API(ctx context.Context) (*kube.Client, *remote.Host, error) {
	c.mu.Lock()
	client, via := c.client, c.via
	c.mu.Unlock()
	if client != nil && via.Alive() == nil {
		return client, via, nil
	}
	var errs []error
	for _, host := range c.cluster.ControlPlane.Hosts {
		connection, err := c.Host(ctx, host.Name)
		if err == nil {
			client, err = c.Through(ctx, connection)
		}
		if err == nil {
			return client, connection, nil
		}
		errs = append(errs, err)
	}
	return nil, nil, fmt.Errorf("reach the API server: %w", errors.Join(errs...))
}

// Through makes the client that reaches the API server through a host's connection, with that
// host's admin.conf.
func (c *Connections) Through(ctx context.Context, host *remote.Host) (*kube.Client, error) {
	c.mu.Lock()
	client, via := c.client, c.via
	c.mu.Unlock()
	if client != nil && via == host {
		return client, nil
	}
	kubeconfig, err := host.ReadFile(ctx, templates.AdminConf)
	if err != nil {
		return nil, fmt.Errorf("read %s on %s: %w", templates.AdminConf, host.Name(), err)
	}
	client, err = kube.New(kubeconfig, tunnel(host))
	if err != nil {
		return nil, fmt.Errorf("use %s of %s: %w", templates.AdminConf, host.Name(), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client, c.via = client, host
	return client, nil
}

// ForgetAPI drops the client of an API server that is gone.
func (c *Connections) ForgetAPI() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		c.client.Close()
	}
	c.client, c.via = nil, nil
}

// tunnel dials through the connection to a host. When that is lost, dialling again is
// hopeless, and kube is told so.
func tunnel(host *remote.Host) kube.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := host.DialContext(ctx, network, address)
		if errors.Is(err, remote.ErrLost) {
			return nil, fmt.Errorf("%w: %w", kube.ErrTunnelClosed, err)
		}
		return conn, err
	}
}
