package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/kube"
	"fairlead/provision/remote"
	"fairlead/provision/remote/container"
	"fairlead/provision/remote/local"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
	"fairlead/templates"
)

// Dial makes the connection to one host of an inventory.
type Dial func(ctx context.Context, host inventory.Host) (*remote.Host, error)

// Connections are those of one run: one for each host, and the client for the API server, which
// goes through one of them. They are safe for concurrent use.
type Connections struct {
	// Passwords are what sudo is told on hosts, by their names. They are set before the first connection.
	Passwords map[string]*remote.Password

	cluster *inventory.Cluster
	dial    Dial
	keys    func(context.Context, inventory.Host) (ssh.ShownKey, error) // asks a host for its key
	waiting *patience                                                   // nil where no host is waited for
	closing func() error                                                // what is to be closed beside the connections
	apiPort int
	dialer  dialer // goes to an address without a host's own connection

	mu     sync.Mutex
	closed bool
	hosts  map[string]*remote.Host
	turns  map[string]chan struct{} // holds a token while somebody dials the host
	client *kube.Client
	via    *remote.Host // whose connection and admin.conf the client uses
}

// New connects to nothing yet. Hosts will be reached by the transport that the inventory says, and by SSH as ssh's configuration
// says where the inventory is silent.
func New(cluster *inventory.Cluster, o ssh.Options, config sshconfig.Options) *Connections {
	dialer, containers, where := ssh.NewDialer(o), container.NewDialer(container.Options{Log: o.Log}), targets{sshconfig.New(config)}
	c := NewWith(cluster, nil)
	c.dial = func(ctx context.Context, host inventory.Host) (*remote.Host, error) {
		switch {
		case host.SSH.Transport == inventory.TransportLocal:
			return local.Open(local.Options{Name: host.Name, Log: o.Log, SudoPassword: c.Passwords[host.Name]})
		case host.SSH.InContainer():
			return containers.Dial(ctx, containerOf(host))
		}
		to, notes, err := where.of(ctx, host)
		if err != nil {
			return nil, err
		}
		to.SudoPassword = c.Passwords[host.Name]
		connection, err := dialer.Dial(ctx, to)
		return connection, notes.note(err)
	}
	c.keys = func(ctx context.Context, host inventory.Host) (ssh.ShownKey, error) {
		to, notes, err := where.of(ctx, host)
		if err != nil {
			return ssh.ShownKey{}, err
		}
		key, err := dialer.HostKey(ctx, to)
		return key, notes.note(err)
	}
	c.closing = dialer.Close
	c.dialer = func(ctx context.Context, host inventory.Host, network, address string) (net.Conn, error) {
		if !bySSH(host) {
			return fromHere(ctx, host, network, address)
		}
		to, _, err := where.of(ctx, host)
		if err != nil {
			return nil, err
		}
		return dialer.DialThrough(ctx, to.Jump, network, address)
	}
	return c
}

// dialer connects to an address from where a host is dialled: from here, or from the last of the host's jump hosts.
type dialer func(ctx context.Context, host inventory.Host, network, address string) (net.Conn, error)

// NewWith connects to nothing yet. Hosts will be reached by dial.
func NewWith(cluster *inventory.Cluster, dial Dial) *Connections {
	return &Connections{
		cluster: cluster, dial: dial, closing: func() error { return nil }, apiPort: templates.APIServerPort, dialer: fromHere,
		hosts: map[string]*remote.Host{}, turns: map[string]chan struct{}{},
	}
}

func fromHere(ctx context.Context, _ inventory.Host, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// bySSH says that a host is logged in to.
func bySSH(host inventory.Host) bool {
	return host.SSH.Transport == "" || host.SSH.Transport == inventory.TransportSSH
}

// containerOf is the container that the inventory says a host is.
func containerOf(host inventory.Host) container.Target {
	return container.Target{Name: host.Name, Engine: host.SSH.Transport, Container: host.SSH.Container, Context: host.SSH.Context}
}

// Close ends all connections. There will be no others.
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
	c.closed, c.hosts, c.client, c.via = true, map[string]*remote.Host{}, nil, nil
	return errors.Join(append(errs, c.closing())...)
}

// Host returns the connection to the host of that name. There is one for the whole run; only a
// lost one is dialled again, once for all who ask for it.
func (c *Connections) Host(ctx context.Context, name string) (*remote.Host, error) {
	host, ok := c.cluster.Host(name)
	if !ok {
		return nil, fmt.Errorf("host %s is not in the inventory", name)
	}
	connection, turn := c.living(name)
	if connection != nil {
		return connection, nil
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if connection, _ = c.living(name); connection != nil {
		return connection, nil // somebody has dialled it in the meantime
	}
	if err := c.waiting.reach(ctx, name, func() (err error) { connection, err = c.dial(ctx, host); return err }); err != nil {
		return nil, err
	}
	if err := c.keep(name, connection); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return connection, nil
}

// living is the connection to a host, nil where none stands, and the turn of those who dial it.
func (c *Connections) living(name string) (*remote.Host, chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turns[name] == nil {
		c.turns[name] = make(chan struct{}, 1)
	}
	if connection := c.hosts[name]; connection != nil && connection.Alive() == nil {
		return connection, c.turns[name]
	}
	return nil, c.turns[name]
}

// Loss is a host whose connection has broken, and why.
type Loss struct {
	Host  string
	Cause error
}

// Lost are the hosts whose connection has broken and was not made again, in the order of their names.
func (c *Connections) Lost() []Loss {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Loss
	for name, connection := range c.hosts {
		if cause := connection.Alive(); cause != nil {
			all = append(all, Loss{name, cause})
		}
	}
	slices.SortFunc(all, func(a, b Loss) int { return strings.Compare(a.Host, b.Host) })
	return all
}

// keep makes a connection that of its host, unless all are closed already.
func (c *Connections) keep(name string, connection *remote.Host) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("connect to %s: the run is over: %w", name, net.ErrClosed)
	}
	c.hosts[name] = connection
	return nil
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

// nameOfAPI is what the certificate of every API server that kubeadm makes is for (cmd/kubeadm/app/util/pkiutil GetAPIServerAltNames).
const nameOfAPI = "kubernetes"

// Through makes the client that reaches a host's API server through its connection, with that
// host's admin.conf. Whatever admin.conf names, which may be what has to be mended, it is asked only where the host's own API server
// does not listen, and verified by the name that all of them have.
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
	if kubeconfig, err = pki.PointKubeconfig(kubeconfig, "", nameOfAPI); err == nil {
		client, err = kube.New(kubeconfig, c.way(host))
	}
	if err != nil {
		return nil, fmt.Errorf("use %s of %s: %w", templates.AdminConf, host.Name(), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		c.client.Close() // it goes through another host, or was made at the same time
	}
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
