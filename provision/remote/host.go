package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// maxCommands is how many commands run at once on one connection; others wait. OpenSSH allows ten sessions (MaxSessions)
// and counts one a little longer than its command runs, so four commands may take eight. One more is for files and one
// for ending a cancelled command.
const maxCommands = 4

// errClosed is why operations fail after Close.
var errClosed = fmt.Errorf("connection closed: %w", net.ErrClosed)

// Host is a live connection to one machine. Its methods may be called from several goroutines.
type Host struct {
	target   Target
	opts     Options
	log      *slog.Logger
	client   *ssh.Client
	conn     *meter
	sudo     []string // words before a command that make it run as root; empty when the login user is root
	slots    chan struct{}
	sessions atomic.Int64

	tasksMu sync.Mutex // guards closing, so that no task begins once Close waits
	closing bool
	tasks   sync.WaitGroup

	filesLock chan struct{} // holds a token while somebody opens or takes files
	files     *fileSession

	done    chan struct{}
	endOnce sync.Once
	cause   error // why the connection ended; set before done is closed
}

func newHost(t Target, o Options, client *ssh.Client, conn *meter) *Host {
	h := &Host{
		target: t, opts: o, log: o.Log.With("host", t.Name), client: client, conn: conn,
		slots: make(chan struct{}, maxCommands), done: make(chan struct{}),
		filesLock: make(chan struct{}, 1),
	}
	if t.User != "root" {
		h.sudo = []string{"sudo", "-n", "--"}
	}
	h.task(func() { h.end(fmt.Errorf("%w: %w", ErrLost, client.Wait())) })
	h.task(h.keepAlive)
	return h
}

// task runs f in a goroutine that Close waits for; it reports false, and does nothing, once Close has begun.
func (h *Host) task(f func()) bool {
	h.tasksMu.Lock()
	defer h.tasksMu.Unlock()
	if !h.closing {
		h.tasks.Go(f)
	}
	return !h.closing
}

// Name is the Target's name.
func (h *Host) Name() string { return h.target.Name }

// User is the login user.
func (h *Host) User() string { return h.target.User }

// Sessions is how many session channels were opened so far; tunnels are none.
func (h *Host) Sessions() int { return int(h.sessions.Load()) }

// Done is closed when the connection has ended.
func (h *Host) Done() <-chan struct{} { return h.done }

// Alive is nil while the connection stands, and afterwards says why it ended.
func (h *Host) Alive() error {
	select {
	case <-h.done:
		return h.cause
	default:
		return nil
	}
}

// Close ends the connection and waits until everything it started is over. Pending operations fail.
func (h *Host) Close() error {
	h.end(errClosed)
	h.tasksMu.Lock()
	h.closing = true
	h.tasksMu.Unlock()
	h.tasks.Wait()
	if h.cause != errClosed { //nolint:errorlint // identity: was it this Close that ended the connection
		return nil
	}
	h.log.Debug("connection closed", "sessions", h.Sessions())
	return nil
}

// end records the first cause of the end of the connection and closes it.
func (h *Host) end(cause error) {
	h.endOnce.Do(func() {
		h.cause = cause
		close(h.done)
		h.conn.closeQuietly()
	})
}

// explain returns the reason behind err when that is the end of the connection, else err. Operations notice a broken
// connection in many ways and sometimes before the connection itself does, so an error that the host did not send
// is followed by one request that only a live connection answers.
func (h *Host) explain(err error) error {
	if err == nil || fromPeer(err) {
		return err
	}
	if h.Alive() == nil {
		if _, _, ping := h.client.SendRequest(keepAliveRequest, true, nil); ping == nil {
			return err
		}
		<-h.done
	}
	return h.cause
}

// fromPeer tells errors that the host answered with, or that never left this side.
func fromPeer(err error) bool {
	var exit *ssh.ExitError
	var open *ssh.OpenChannelError
	var status *sftp.StatusError
	return errors.As(err, &exit) || errors.As(err, &open) || errors.As(err, &status) ||
		errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// newSession opens a session channel. Opening cannot be interrupted, so when ctx ends first the channel is closed as
// soon as it is there.
func (h *Host) newSession(ctx context.Context) (*ssh.Session, error) {
	type opened struct {
		session *ssh.Session
		err     error
	}
	if err := h.Alive(); err != nil {
		return nil, err
	}
	result := make(chan opened)
	ok := h.task(func() {
		s, err := h.client.NewSession()
		if err == nil {
			h.sessions.Add(1)
		}
		select {
		case result <- opened{s, err}:
		case <-ctx.Done():
			if err == nil {
				closeSession(s, h.log)
			}
		}
	})
	if !ok {
		return nil, errClosed
	}
	select {
	case r := <-result:
		if r.err != nil {
			return nil, fmt.Errorf("open session: %w", h.explain(r.err))
		}
		return r.session, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("open session: %w", context.Cause(ctx))
	}
}
