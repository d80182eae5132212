package remotetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	"fairlead/provision/remote"
)

// Call is a command that a machine was asked to run.
type Call struct {
	// Argv is the program and its arguments; of a script, its positional parameters.
	Argv []string
	// Script is what /bin/sh was to run; empty for other programs.
	Script string
	// Input is what came on the standard input of another program.
	Input string
	// Root says that it was to run as root.
	Root bool
}

// Reply is what a command does.
type Reply struct {
	Stdout, Stderr string
	Code           int
	// Flood is how many bytes it goes on to say on standard output, unless nobody takes them.
	Flood int64
}

// Pretend is a way to a machine that is not there: what its commands do is a function, and its files are a map. Root's rights
// are asked for by sudo, the end of a cancelled command by a signal to its group, and files are read and written by the
// scripts for hosts without an sftp-server, all as with a real machine.
type Pretend struct {
	answer func(context.Context, Call) Reply
	over   chan struct{} // closed when the way is gone and cause is set

	mu      sync.Mutex
	cause   error
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	login   func(ctx context.Context, stdout, stderr io.Writer)
	files   map[string]string
	calls   []Call
	running map[string]*pretendProcess // by process group
	groups  int
	working sync.WaitGroup
}

// NewPretend is a machine whose commands are answered by a function, which may be called from several goroutines. When ctx
// ends, somebody has ended the command, and the function has to return. A nil function fails the test for any command.
func NewPretend(t testing.TB, answer func(context.Context, Call) Reply) *Pretend {
	t.Helper()
	if answer == nil {
		answer = func(_ context.Context, c Call) Reply {
			t.Errorf("unexpected command: %q, script of %d bytes", c.Argv, len(c.Script))
			return Reply{Code: 127}
		}
	}
	p := &Pretend{answer: answer, over: make(chan struct{}), files: map[string]string{}, running: map[string]*pretendProcess{}}
	t.Cleanup(func() { _ = p.Close() }) // never fails
	return p
}

// Host is the machine as a host, where "ann" logs in.
func (p *Pretend) Host(name string) *remote.Host {
	return remote.New(p, remote.Settings{Name: name, User: "ann"})
}

// PutFile makes a file on the machine.
func (p *Pretend) PutFile(path, content string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[path] = content
}

// Files are the files on the machine, by path.
func (p *Pretend) Files() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.files)
}

// Calls are the commands so far, but for those that read and write files or end another command.
func (p *Pretend) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// OnDial has a function open the connections that begin on the machine. Without one they are refused.
func (p *Pretend) OnDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dial = dial
}

// OnLogin has a function be what the login shell does before each command. When ctx ends, somebody has given the command up, and
// the function has to return.
func (p *Pretend) OnLogin(login func(ctx context.Context, stdout, stderr io.Writer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.login = login
}

// Dial implements remote.Transport.
func (p *Pretend) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	dial := p.dial
	p.mu.Unlock()
	if dial == nil {
		return nil, errors.New("connection refused")
	}
	return dial(ctx, network, address)
}

// Lose breaks the way to the machine: what runs there is not heard of again.
func (p *Pretend) Lose() { p.end(fmt.Errorf("%w: the line was cut", remote.ErrLost)) }

// Wait implements remote.Transport.
func (p *Pretend) Wait() error {
	<-p.over
	return p.cause
}

// Close implements remote.Transport.
func (p *Pretend) Close() error {
	p.end(net.ErrClosed)
	p.working.Wait()
	return nil
}

// Closed says that the way is gone.
func (p *Pretend) Closed() bool {
	select {
	case <-p.over:
		return true
	default:
		return false
	}
}

func (p *Pretend) end(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil {
		return
	}
	p.cause = cause
	close(p.over)
	for _, process := range p.running {
		process.stop(cause)
	}
}

// Start implements remote.Transport.
func (p *Pretend) Start(ctx context.Context, e remote.Exec) (remote.Process, error) {
	call, mark, err := decodeLine(e.Line)
	if err != nil {
		return nil, err
	}
	process := newPretendProcess(context.WithoutCancel(ctx))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil {
		return nil, p.cause
	}
	p.groups++
	group := fmt.Sprint(p.groups)
	p.running[group] = process
	login := p.login
	p.working.Go(func() {
		if login != nil {
			login(process.ctx, e.Stdout, e.Stderr)
		}
		if mark != "" {
			_, _ = fmt.Fprintln(e.Stdout, mark, group)
			_, _ = fmt.Fprintln(e.Stderr, mark, group)
		}
		process.run(call, mark, e, p.do)
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.running, group)
	})
	return process, nil
}

// do is a command: one of remote's own, or one of whoever uses the host.
func (p *Pretend) do(ctx context.Context, c Call) Reply {
	if len(c.Argv) < 5 || c.Argv[0] != "/bin/sh" || c.Argv[1] != "-c" {
		p.mu.Lock()
		p.calls = append(p.calls, c)
		p.mu.Unlock()
		return p.answer(ctx, c)
	}
	name, arg := c.Argv[3], c.Argv[4]
	switch {
	case c.endsGroup():
		p.endGroup(arg)
		return Reply{}
	case c.startsSFTP():
		return Reply{Code: 127} // there is none
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	content, exists := p.files[arg]
	switch {
	case name == "write-file":
		p.files[arg] = c.Input
		return Reply{}
	case !exists:
		return Reply{Code: 1, Stderr: name + ": " + arg + ": No such file or directory\n"}
	case name == "read-file":
		return Reply{Stdout: content}
	default: // stat-file, whose answer no file fits: what is written is written
		return Reply{Stdout: "0 0 0 0 regular file\n"}
	}
}

// endGroup ends a process and waits for its end.
func (p *Pretend) endGroup(group string) {
	p.mu.Lock()
	process := p.running[group]
	p.mu.Unlock()
	if process != nil {
		process.stop(&remote.Exit{Code: 143, Signal: "TERM"})
		<-process.ended
	}
}
