package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const (
	// listTimeout bounds the list of the agent's keys, for which nobody is asked.
	listTimeout = 10 * time.Second
	// signTimeout bounds each signature; a key that must be touched or confirmed needs a person's time.
	signTimeout = time.Minute
)

// errNoAgent is why there are no keys of an agent.
var errNoAgent = errors.New("no agent")

// agentKeys are the keys of one agent, over one connection that all logins share: keys of an agent sign through its
// socket. They are listed once; an agent that failed to list them is not asked again.
type agentKeys struct {
	socket string // as Target.Agent has it

	lock chan struct{} // holds a token while somebody uses the fields below
	conn *agentConn    // nil before the first use and after close
	held []xssh.Signer
	err  error

	listTimeout time.Duration
}

func newAgentKeys(socket string, listTimeout time.Duration) *agentKeys {
	return &agentKeys{socket: socket, lock: make(chan struct{}, 1), listTimeout: listTimeout}
}

// signers lists the agent's keys. A connection that broke since is replaced.
func (a *agentKeys) signers(ctx context.Context) ([]xssh.Signer, error) {
	select {
	case a.lock <- struct{}{}:
		defer func() { <-a.lock }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if a.err != nil || a.conn != nil && !a.conn.broken.Load() {
		return a.held, a.err
	}
	conn, held, err := openAgent(ctx, a.socket, a.listTimeout)
	if ctx.Err() == nil {
		a.conn, a.held, a.err = conn, held, err
	}
	return held, err
}

// close ends the talk with the agent.
func (a *agentKeys) close() error {
	a.lock <- struct{}{}
	defer func() { <-a.lock }()
	if a.conn == nil || a.conn.broken.Swap(true) {
		return nil
	}
	return a.conn.Close()
}

// openAgent connects to an agent and lists its keys.
func openAgent(ctx context.Context, socket string, listTimeout time.Duration) (*agentConn, []xssh.Signer, error) {
	named := socket
	switch socket {
	case NoAgent:
		return nil, nil, fmt.Errorf("%w (IdentityAgent of ssh's configuration is none)", errNoAgent)
	case "":
		named = "$SSH_AUTH_SOCK"
		if socket = os.Getenv("SSH_AUTH_SOCK"); socket == "" {
			return nil, nil, fmt.Errorf("%w ($SSH_AUTH_SOCK is not set)", errNoAgent)
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, nil, fmt.Errorf("agent at %s: %w", named, err)
	}
	conn := &agentConn{Conn: raw, timeout: listTimeout}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	// One request at a time, without Close: a client that could close it would read all the while, and the time of the
	// last answer would end an idle connection.
	held, err := agent.NewClient(struct{ io.ReadWriter }{conn}).Signers()
	if !stop() && err == nil {
		err = context.Cause(ctx) // the connection is closed, or about to be
	}
	if err != nil {
		_ = raw.Close() // nothing was written that could be lost
		return nil, nil, fmt.Errorf("agent: %w", err)
	}
	conn.timeout = signTimeout
	return conn, held, nil
}

// agentConn is a connection to the agent in which each request has its time. After a failure requests and answers no
// longer fit together, so it is closed.
type agentConn struct {
	net.Conn
	timeout time.Duration // of each request; changed before anybody else has the connection
	broken  atomic.Bool
}

// Write begins a request.
func (c *agentConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, c.note(err)
	}
	n, err := c.Conn.Write(p)
	return n, c.note(err)
}

// Read implements io.Reader.
func (c *agentConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.note(err)
}

func (c *agentConn) note(err error) error {
	if err != nil && !c.broken.Swap(true) {
		_ = c.Close() // what it has to say of that is err
	}
	return err
}
