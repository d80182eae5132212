package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
)

// defaultStopGrace is how long a cancelled command may take to end after SIGTERM.
const defaultStopGrace = 5 * time.Second

// errClosed is why operations fail after Close.
var errClosed = fmt.Errorf("connection closed: %w", net.ErrClosed)

// Settings say what a Host needs to know beside the way to its machine.
type Settings struct {
	// Name is how messages call the host.
	Name string
	// User is whom processes run as. Unless that is root, sudo makes them root's where it is asked for, or doas on a host that has
	// no sudo.
	User string
	// SudoPassword is what sudo is told when it asks; nil: it must not ask.
	SudoPassword *Password
	// Log gets one debug record per command and file; nil discards them.
	Log *slog.Logger
	// Commands is how many commands may run at once, others wait; 0 sets no bound. Up to two more processes run
	// beside them: one for files, and one that ends a cancelled command.
	Commands int
	// StopGrace is how long a cancelled command may take to end after SIGTERM before it gets SIGKILL; default 5 s.
	StopGrace time.Duration
}

// Host is a machine that can be reached. Its methods may be called from several goroutines.
type Host struct {
	name, user string
	grace      time.Duration
	log        *slog.Logger
	way        Transport
	sudo       []string      // words before a command that make it run as root, for people; empty when the user is root
	password   *Password     // nil without one
	slots      chan struct{} // nil without a bound
	withheld   int           // slots that nobody gets any more; guarded by tasksMu
	sessions   atomic.Int64

	tasksMu sync.Mutex // guards closing, so that no task begins once Close waits
	closing bool
	tasks   sync.WaitGroup

	filesLock chan struct{} // holds a token while somebody opens or takes files
	files     *fileSession
	noServer  bool     // files are read and written by scripts
	servers   []string // where sftp-server may be

	done    chan struct{}
	endOnce sync.Once
	cause   error // why the way ended; set before done is closed
}

// New is the host at the end of a way. Closing the Host closes the way.
func New(way Transport, s Settings) *Host {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{
		name: s.Name, user: s.User, grace: cmp.Or(max(s.StopGrace, 0), defaultStopGrace), log: s.Log.With("host", s.Name), way: way,
		done: make(chan struct{}), filesLock: make(chan struct{}, 1), servers: sftpServers,
	}
	if s.Commands > 0 {
		h.slots = make(chan struct{}, s.Commands)
	}
	if s.User != "root" {
		h.useSudo(s.SudoPassword)
	}
	h.task(func() { h.end(way.Wait()) })
	return h
}

// Limit has at most n commands run at once from now on, and at least one; those that run or wait already have their turn. It only
// lowers the bound.
func (h *Host) Limit(n int) {
	h.tasksMu.Lock()
	withheld := cap(h.slots) - max(n, 1) - h.withheld
	h.withheld += max(withheld, 0)
	h.tasksMu.Unlock()
	for range withheld {
		h.task(func() {
			select {
			case h.slots <- struct{}{}:
			case <-h.done:
			}
		})
	}
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

// Name is how messages call the host.
func (h *Host) Name() string { return h.name }

// User is whom commands without Root run as.
func (h *Host) User() string { return h.user }

// Sessions is how many processes were started so far; tunnels are none.
func (h *Host) Sessions() int { return int(h.sessions.Load()) }

// Done is closed when the way to the host has ended.
func (h *Host) Done() <-chan struct{} { return h.done }

// Alive is nil while the way to the host stands, and afterwards says why it ended.
func (h *Host) Alive() error {
	select {
	case <-h.done:
		return h.cause
	default:
		return nil
	}
}

// Close ends the way to the host and waits until everything it started is over. Pending operations fail.
func (h *Host) Close() error {
	h.end(errClosed)
	h.tasksMu.Lock()
	h.closing = true
	h.tasksMu.Unlock()
	err := h.way.Close()
	h.tasks.Wait()
	if h.cause != errClosed { //nolint:errorlint // identity: was it this Close that ended the connection
		return nil // what a broken way says when it is closed tells nothing
	}
	h.log.Debug("connection closed", "sessions", h.Sessions(), "error", err)
	return err
}

// end records the first cause of the end of the way.
func (h *Host) end(cause error) {
	h.endOnce.Do(func() {
		h.cause = cause
		close(h.done)
	})
}

// explain returns the reason behind err when that is the end of the way, else err.
func (h *Host) explain(err error) error {
	if err == nil || fromPeer(err) {
		return err
	}
	if errors.Is(err, ErrLost) {
		<-h.done // the way said so, and ends
	}
	return cmp.Or(h.Alive(), err)
}

// fromPeer tells errors that the host answered with, or that never left this side.
func fromPeer(err error) bool {
	var exit *Exit
	var status *sftp.StatusError
	return errors.As(err, &exit) || errors.As(err, &status) ||
		errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// start starts a process on the host.
func (h *Host) start(ctx context.Context, e Exec) (Process, error) {
	if err := h.Alive(); err != nil {
		return nil, err
	}
	p, err := h.way.Start(ctx, e)
	if err != nil {
		return nil, h.explain(err)
	}
	h.sessions.Add(1)
	return p, nil
}

// release closes a process that is over or given up.
func (h *Host) release(p Process) {
	if err := p.Close(); err != nil {
		h.log.Debug("close process", "error", err)
	}
}
