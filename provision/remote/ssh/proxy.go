package ssh

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// proxyGrace is how long a ProxyCommand may take to end before it is killed.
	proxyGrace = 2 * time.Second
	// proxySays is how much of the end of its standard error is kept.
	proxySays = 1 << 10
)

// proxied is a connection through the standard input and output of a ProxyCommand.
type proxied struct {
	addr    net.Addr
	in, out *os.File // what is written to it, and read from it
	said    *lastBytes
	cmd     *exec.Cmd

	close  sync.Once
	closed error
	ended  chan struct{} // closed when exit is set
	exit   error
}

// startProxy runs the target's ProxyCommand as ssh_proxy_connect in OpenSSH's sshconnect.c does: by the user's shell, which
// becomes the command. Unlike there, it has a session of its own: Ctrl-C must not cut a run off before it has tidied up, and a
// question on the terminal fails rather than mixing with fairlead's own.
func startProxy(t Target) (*proxied, error) {
	shell := cmp.Or(os.Getenv("SHELL"), "/bin/sh")
	p := &proxied{addr: proxyAddr(t.addr()), said: &lastBytes{most: proxySays}, ended: make(chan struct{})}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start ProxyCommand: %w", err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start ProxyCommand: %w", err), theirIn.Close(), in.Close())
	}
	p.in, p.out = in, out
	p.cmd = exec.Command(shell, "-c", "exec "+t.ProxyCommand) //nolint:gosec,noctx // the user's own command; it lives as long as the connection
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirIn, theirOut, p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.cmd.WaitDelay = proxyGrace // for those who inherited its standard error
	err = p.cmd.Start()
	ours := errors.Join(theirIn.Close(), theirOut.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start ProxyCommand: %w", err), ours, in.Close(), out.Close())
	}
	go func() {
		defer close(p.ended)
		p.exit = p.cmd.Wait()
	}()
	return p, nil
}

// Close ends the command, as ssh does by SIGHUP, and waits for its end.
func (p *proxied) Close() error {
	p.close.Do(func() {
		p.closed = errors.Join(p.in.Close(), p.out.Close())
		p.signal(syscall.SIGHUP)
		kill := time.AfterFunc(proxyGrace, func() { p.signal(syscall.SIGKILL) })
		<-p.ended
		if !kill.Stop() {
			return
		}
		p.signal(syscall.SIGKILL) // what it has left running
	})
	return p.closed
}

// signal sends to the command and what it started; nothing is there to tell when it is gone.
func (p *proxied) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// explain adds to the error of a connection that was closed why the command ended, and what it said.
func (p *proxied) explain(err error) error {
	<-p.ended
	said := p.said.String()
	var exit *exec.ExitError
	switch {
	case errors.As(p.exit, &exit) && exit.Exited() && said != "":
		return fmt.Errorf("%w: ProxyCommand (%w) says: %s", err, p.exit, said)
	case errors.As(p.exit, &exit) && exit.Exited():
		return fmt.Errorf("%w: ProxyCommand ended (%w)", err, p.exit)
	case said != "":
		return fmt.Errorf("%w: ProxyCommand says: %s", err, said)
	}
	return fmt.Errorf("%w: through ProxyCommand", err)
}

// Read implements net.Conn.
func (p *proxied) Read(b []byte) (int, error) { return p.out.Read(b) }

// Write implements net.Conn.
func (p *proxied) Write(b []byte) (int, error) { return p.in.Write(b) }

// LocalAddr implements net.Conn.
func (p *proxied) LocalAddr() net.Addr { return p.addr }

// RemoteAddr implements net.Conn.
func (p *proxied) RemoteAddr() net.Addr { return p.addr }

// SetDeadline implements net.Conn.
func (p *proxied) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (p *proxied) SetReadDeadline(t time.Time) error { return p.out.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (p *proxied) SetWriteDeadline(t time.Time) error { return p.in.SetWriteDeadline(t) }

// proxyAddr is the address that a ProxyCommand leads to.
type proxyAddr string

// Network implements net.Addr.
func (proxyAddr) Network() string { return "proxy" }

func (a proxyAddr) String() string { return string(a) }

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	most int
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (l *lastBytes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if extra := len(l.text) - l.most; extra > 0 {
		l.text = append(l.text[:0], l.text[extra:]...)
	}
	return len(p), nil
}

// String is that end on one line.
func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(strings.Fields(string(l.text)), " ")
}
