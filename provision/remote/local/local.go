package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"sync"
	"syscall"
	"time"

	"fairlead/provision/remote"
)

// Options tune the Host. The zero value is ready for use.
type Options struct {
	// Name is how messages call the host.
	Name string
	// Log gets one debug record per command and file; nil discards them.
	Log *slog.Logger
	// StopGrace is remote.Settings' StopGrace.
	StopGrace time.Duration
	// Path is where processes look for programs; empty means as this process does.
	Path string
	// SudoPassword is remote.Settings' SudoPassword.
	SudoPassword *remote.Password
}

// Open returns this machine as a host. Commands run as the current user, and as root through sudo when that is another.
func Open(o Options) (*remote.Host, error) {
	m, err := newMachine(cmp.Or(o.Path, os.Getenv("PATH")))
	if err != nil {
		return nil, fmt.Errorf("use this machine: %w", err)
	}
	return remote.New(m, remote.Settings{
		Name: o.Name, User: m.user.Username, Log: o.Log, StopGrace: o.StopGrace, SudoPassword: o.SudoPassword,
	}), nil
}

// machine is this machine as a remote.Transport. There is no bound for commands: sshd is what sets one.
type machine struct {
	user *user.User
	env  []string

	mu      sync.Mutex
	running map[*process]bool // nil once it is closed

	done chan struct{}
}

// forget drops a process that is over.
func (m *machine) forget(p *process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.running, p)
}

// errClosed is why the way ended; nothing else ends it.
var errClosed = fmt.Errorf("connection closed: %w", net.ErrClosed)

// newMachine finds out who the user is, and gives processes the environment that a login would give them.
func newMachine(path string) (*machine, error) {
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	env := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username, "SHELL=/bin/sh", "PATH=" + path}
	return &machine{user: u, env: env, running: map[*process]bool{}, done: make(chan struct{})}, nil
}

// Wait implements remote.Transport.
func (m *machine) Wait() error {
	<-m.done
	return errClosed
}

// Close implements remote.Transport. Processes that still run are given up.
func (m *machine) Close() error {
	m.mu.Lock()
	running := m.running
	m.running = nil
	m.mu.Unlock()
	if running == nil {
		return nil
	}
	close(m.done)
	var errs []error
	for p := range running {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Dial implements remote.Transport.
func (*machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// Start implements remote.Transport. The process has a session of its own, as sshd would give it: signals of the
// terminal do not reach it, sudo cannot ask for a password there, and its group can be ended without ending fairlead.
func (m *machine) Start(ctx context.Context, e remote.Exec) (remote.Process, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	// The mask is that of a login, whatever the user's own is.
	cmd := exec.Command("/bin/sh", "-c", "umask 022; exec "+e.Line) //nolint:gosec,noctx // ctx bounds the start only
	cmd.Env, cmd.Dir = m.env, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p := &process{machine: m, cmd: cmd, given: make(chan struct{}), ended: make(chan struct{})}
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	stderr, errErr := cmd.StderrPipe()
	p.stdin, p.outputs = stdin, []io.Closer{stdout, stderr}
	err := errors.Join(errIn, errOut, errErr)
	if err == nil {
		err = p.start()
	}
	if err != nil {
		return nil, errors.Join(err, p.closePipes())
	}
	p.copies.Go(func() { pump(e.Stdout, stdout) })
	p.copies.Go(func() { pump(e.Stderr, stderr) })
	go p.reap()
	return p, nil
}

// pump copies output until its end. When nobody takes it any more, neither is it read.
func pump(to io.Writer, from io.ReadCloser) {
	_, _ = io.Copy(to, from) // the process learns of it by writing
	_ = from.Close()         // likewise
}
