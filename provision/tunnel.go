package provision

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"

	"fairlead/pki"
	"fairlead/provision/event"
	"fairlead/provision/kube"
	"fairlead/provision/plan"
)

// Tunnel leads programs on this machine to the API server, through the connection to a control-plane host. What goes through is
// TLS from end to end: whoever else connects to it has no credentials.
type Tunnel struct {
	// Kubeconfig is the administrator's, for the tunnel: it holds a private key.
	Kubeconfig []byte

	listener net.Listener
	dial     kube.DialFunc
	host     string // through which it leads
	server   string // the API server's address, as that host knows it
	log      *slog.Logger
	stop     context.CancelFunc
	work     sync.WaitGroup

	mu  sync.Mutex
	err error // why the first connection that failed did
}

// Tunnel opens one on a free port of the loopback interface. It lasts until it is closed or ctx ends.
func (s *Session) Tunnel(ctx context.Context) (*Tunnel, error) {
	content, host, err := s.adminConf(ctx)
	if err != nil {
		return nil, err
	}
	server, err := pki.KubeconfigServer(content)
	if err != nil {
		return nil, err
	}
	name, _, err := net.SplitHostPort(server)
	if err != nil {
		return nil, fmt.Errorf("read the server of a kubeconfig: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a tunnel: %w", err)
	}
	t := &Tunnel{listener: listener, dial: s.connections.Lasting(host), host: host, server: server, log: s.log}
	if t.Kubeconfig, err = pki.PointKubeconfig(content, listener.Addr().String(), name); err != nil {
		_ = listener.Close() // nobody knows it yet
		return nil, err
	}
	ctx, t.stop = context.WithCancel(ctx)
	t.work.Go(func() { t.accept(ctx) })
	return t, nil
}

// Close ends the tunnel and all connections in it, and waits for their end.
func (t *Tunnel) Close() error {
	t.stop()
	t.work.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *Tunnel) accept(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = t.listener.Close() })
	defer stop()
	for {
		near, err := t.listener.Accept()
		if err != nil {
			return // it was closed; there is nothing else that ends a listener of the loopback interface
		}
		t.work.Go(func() { t.carry(ctx, near) })
	}
}

// carry copies between a program and the API server. Whichever side ends first ends the other.
func (t *Tunnel) carry(ctx context.Context, near net.Conn) {
	far, err := t.dial(ctx, "tcp", t.server)
	if err != nil {
		_ = near.Close()
		t.fail(ctx, err)
		return
	}
	shut := func() { _, _ = near.Close(), far.Close() }
	stop := context.AfterFunc(ctx, shut)
	defer stop()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far) // each end learns from its own connection why it ended
		shut()
	})
	_, _ = io.Copy(far, near)
	shut()
	back.Wait()
}

// fail keeps why a connection could not be made: the program only sees that it ended.
func (t *Tunnel) fail(ctx context.Context, err error) {
	t.log.Debug("tunnel", "error", err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil && ctx.Err() == nil {
		t.err = &event.StepError{Host: t.host, Step: plan.StepID(t.host, "tunnel"), Title: "reach the API server", Err: err}
	}
}
