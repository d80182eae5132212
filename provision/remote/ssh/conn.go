package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// errClosed is why the connection ended when Close ended it.
var errClosed = fmt.Errorf("connection closed: %w", net.ErrClosed)

// conn is a connection to sshd, as a remote.Transport.
type conn struct {
	client   *xssh.Client
	wire     *meter
	via      *hop          // the jump host that it goes through, or nil
	interval time.Duration // of keep-alives

	tasksMu sync.Mutex // guards closing, so that no task begins once Close waits
	closing bool
	tasks   sync.WaitGroup

	done    chan struct{}
	endOnce sync.Once
	cause   error // why the connection ended; set before done is closed
}

func newConn(client *xssh.Client, wire *meter, via *hop, interval time.Duration) *conn {
	c := &conn{client: client, wire: wire, via: via, interval: interval, done: make(chan struct{})}
	c.task(func() { c.lose(fmt.Errorf("%w: %w", remote.ErrLost, client.Wait())) })
	c.task(c.keepAlive)
	return c
}

// task runs f in a goroutine that Close waits for; it reports false, and does nothing, once Close has begun.
func (c *conn) task(f func()) bool {
	c.tasksMu.Lock()
	defer c.tasksMu.Unlock()
	if !c.closing {
		c.tasks.Go(f)
	}
	return !c.closing
}

// Wait implements remote.Transport.
func (c *conn) Wait() error {
	<-c.done
	return c.cause
}

// Close implements remote.Transport.
func (c *conn) Close() error {
	c.end(errClosed)
	c.tasksMu.Lock()
	c.closing = true
	c.tasksMu.Unlock()
	c.tasks.Wait()
	return nil
}

// end records the first cause of the end of the connection and closes it.
func (c *conn) end(cause error) {
	c.endOnce.Do(func() {
		c.cause = cause
		close(c.done)
		c.wire.closeQuietly()
	})
}

// lose ends a connection that has broken. Where a jump host was lost, that is the cause.
func (c *conn) lose(cause error) {
	select {
	case <-c.done: // the jump host need not be asked any more
	default:
		c.end(cmp.Or(c.via.lost(), cause))
	}
}

// explain returns the reason behind err when that is the end of the connection, else err. Operations notice a broken
// connection in many ways and sometimes before the connection itself does, so an error that the host did not send
// is followed by one request that only a live connection answers.
func (c *conn) explain(err error) error {
	if err == nil || fromPeer(err) {
		return err
	}
	return cmp.Or(c.ended(), err)
}

// ended is why the connection has ended, nil when it stands: the host has answered. One that hangs is asked until keep-alives
// have given up.
func (c *conn) ended() error {
	select {
	case <-c.done:
		return c.cause
	default:
	}
	if _, _, ping := c.client.SendRequest(keepAliveRequest, true, nil); ping == nil {
		return nil
	}
	return c.Wait()
}

// fromPeer tells errors that the host answered with, or that never left this side.
func fromPeer(err error) bool {
	var exit *xssh.ExitError
	var open *xssh.OpenChannelError
	return errors.As(err, &exit) || errors.As(err, &open) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Start implements remote.Transport: a process is a session.
func (c *conn) Start(ctx context.Context, e remote.Exec) (remote.Process, error) {
	session, err := c.newSession(ctx)
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	session.Stdout, session.Stderr = e.Stdout, e.Stderr
	p := &process{conn: c, session: session, given: make(chan struct{}), ended: make(chan struct{})}
	if p.stdin, err = session.StdinPipe(); err != nil {
		return nil, errors.Join(err, closeSession(session))
	}
	started := make(chan error, 1)
	ok := c.task(func() {
		defer close(p.ended)
		err := session.Start(e.Line) // which cannot be interrupted
		if started <- err; err == nil {
			p.err = session.Wait()
		}
	})
	if !ok {
		return nil, errors.Join(errClosed, closeSession(session))
	}
	select {
	case err = <-started:
		err = c.explain(err)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// newSession opens a session channel. Opening cannot be interrupted, so when ctx ends first the channel is closed as
// soon as it is there.
func (c *conn) newSession(ctx context.Context) (*xssh.Session, error) {
	type opened struct {
		session *xssh.Session
		err     error
	}
	result := make(chan opened)
	ok := c.task(func() {
		s, err := c.client.NewSession()
		select {
		case result <- opened{s, err}:
		case <-ctx.Done():
			if err == nil {
				_ = closeSession(s) // nobody waits for it
			}
		}
	})
	if !ok {
		return nil, errClosed
	}
	select {
	case r := <-result:
		return r.session, c.explain(r.err)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Dial implements remote.Transport, by a channel that sshd connects to the address.
func (c *conn) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	far, err := c.client.DialContext(ctx, network, address)
	var refused *xssh.OpenChannelError
	if errors.As(err, &refused) && refused.Reason != xssh.ConnectionFailed {
		// RFC 4254, 5.1: all but "connect failed" are about forwarding itself.
		return nil, fmt.Errorf("%w: %w", remote.ErrForwarding, err)
	}
	if err != nil {
		return nil, c.explain(err)
	}
	return forwarded{Conn: far, conn: c}, nil
}

// forwarded is a connection from the host. It ends with io.EOF when the peer closed it, and with ErrLost when the
// connection to the host ended; the channel itself does not tell one from the other.
type forwarded struct {
	net.Conn
	conn *conn
}

// Read implements io.Reader.
func (f forwarded) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	return n, f.conn.explain(err)
}

// closeSlack is how long a host may take to confirm that a session is closed. What is under way in the session comes first.
const closeSlack = 30 * time.Second

// errGivenUp is how a process ends that was closed while it ran.
var errGivenUp = errors.New("process given up")

// process is a command that runs in a session.
type process struct {
	conn    *conn
	session *xssh.Session
	stdin   io.WriteCloser
	once    sync.Once
	given   chan struct{} // closed when the process is given up
	ended   chan struct{} // closed when err is set
	err     error
}

// Stdin implements remote.Process.
func (p *process) Stdin() io.WriteCloser { return p.stdin }

// Wait implements remote.Process.
func (p *process) Wait() error {
	select {
	case <-p.ended:
	case <-p.given:
		select {
		case <-p.ended: // before that
		default:
			return errGivenUp
		}
	}
	var exit *xssh.ExitError
	if errors.As(p.err, &exit) {
		return &remote.Exit{Code: exit.ExitStatus(), Signal: exit.Signal()}
	}
	return p.conn.explain(p.err)
}

// Close implements remote.Process. A host that does not let the session end holds whoever writes to it, and loses the connection.
func (p *process) Close() error {
	err := error(nil)
	p.once.Do(func() {
		close(p.given)
		err = closeSession(p.session)
		p.conn.task(func() { // none is needed once the connection is closed
			timer := time.NewTimer(closeSlack)
			defer timer.Stop()
			select {
			case <-p.ended:
			case <-p.conn.done:
			case <-timer.C:
				p.conn.lose(fmt.Errorf("%w: the host does not let a session end", remote.ErrLost))
			}
		})
	})
	return err
}

// closeSession closes a session. EOF is how a session says that it was closed already.
func closeSession(s *xssh.Session) error {
	if err := s.Close(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
