package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"fairlead/inventory"
	"fairlead/provision/kube"
	"fairlead/provision/remote"
)

// way dials through the connection to a host, or straight to the host's address where that host does not forward; the
// API server's certificate is verified either way. A control plane is asked for its own API server, as nobody may carry the
// endpoint yet, and only where that does not listen for the endpoint. When the connection is lost, dialling again is hopeless, and
// kube is told so.
func (c *Connections) way(host *remote.Host) kube.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		own := address
		if inventoried, known := c.cluster.Host(host.Name()); known && inventoried.Role == inventory.RoleControlPlane {
			own = c.apiAddress(inventoried)
		}
		conn, err := host.DialContext(ctx, network, own)
		if err != nil && own != address && !errors.Is(err, remote.ErrForwarding) && !errors.Is(err, remote.ErrLost) && ctx.Err() == nil {
			conn, err = host.DialContext(ctx, network, address)
		}
		if errors.Is(err, remote.ErrForwarding) {
			return c.straight(ctx, network, host.Name(), err)
		}
		if errors.Is(err, remote.ErrLost) {
			return nil, fmt.Errorf("%w: %w", kube.ErrTunnelClosed, err)
		}
		return conn, err
	}
}

// Lasting is a way to the API server through the connection to a host, which is made anew where it was lost in between.
func (c *Connections) Lasting(name string) kube.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, err := c.Host(ctx, name)
		if err != nil {
			return nil, err
		}
		return c.way(host)(ctx, network, address)
	}
}

// Reaches says whether the API server of a control-plane host can be reached where it is, or will be: nil when it answers, or
// refuses a connection as one that does not run yet. ErrForwarding says that sshd on the host lets no connection through, and
// that its address cannot be reached from here either.
func (c *Connections) Reaches(ctx context.Context, name string) error {
	host, err := c.Host(ctx, name)
	if err != nil {
		return err
	}
	inventoried, _ := c.cluster.Host(name)
	conn, err := c.way(host)(ctx, "tcp", c.apiAddress(inventoried))
	if err == nil {
		return conn.Close()
	}
	if errors.Is(err, remote.ErrForwarding) || errors.Is(err, remote.ErrLost) || ctx.Err() != nil {
		return err
	}
	return nil // whoever refuses or is not there yet was asked
}

// straight dials to the API server of a host without its SSH connection, from its jump host where it has one. One that refuses the
// connection can be reached.
func (c *Connections) straight(ctx context.Context, network, name string, because error) (net.Conn, error) {
	host, _ := c.cluster.Host(name)
	ctx, cancel := context.WithTimeout(ctx, straightPatience)
	defer cancel()
	conn, err := c.dialer(ctx, host, network, c.apiAddress(host))
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	return nil, fmt.Errorf("%w; and straight to its address: %w", because, err)
}

// straightPatience is how long an address may take to answer that may be behind a firewall.
const straightPatience = 3 * time.Second

// apiAddress is where the API server of a control-plane host listens.
func (c *Connections) apiAddress(host inventory.Host) string {
	return net.JoinHostPort(host.Address.String(), strconv.Itoa(c.apiPort))
}
