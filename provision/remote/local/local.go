package local

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"sync"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/child"
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
	user      *user.User
	env       []string
	processes child.Processes

	done chan struct{} // closed by Close, as nothing else ends the way
	once sync.Once
}

// newMachine finds out who the user is, and gives processes the environment that a login would give them.
func newMachine(path string) (*machine, error) {
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	env := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username, "SHELL=/bin/sh", "PATH=" + path}
	return &machine{user: u, env: env, done: make(chan struct{})}, nil
}

// Wait implements remote.Transport.
func (m *machine) Wait() error {
	<-m.done
	return child.ErrClosed
}

// Close implements remote.Transport. Processes that still run are given up.
func (m *machine) Close() error {
	m.once.Do(func() { close(m.done) })
	return m.processes.Close()
}

// Dial implements remote.Transport.
func (*machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// Start implements remote.Transport.
func (m *machine) Start(ctx context.Context, e remote.Exec) (remote.Process, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	// The mask is that of a login, whatever the user's own is.
	cmd := exec.Command("/bin/sh", "-c", "umask 022; exec "+e.Line) //nolint:gosec,noctx // ctx bounds the start only
	cmd.Env, cmd.Dir = m.env, "/"
	return m.processes.Start(cmd, e)
}
