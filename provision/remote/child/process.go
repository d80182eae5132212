package child

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"fairlead/provision/remote"
)

// process is a process on this machine, the leader of a session.
type process struct {
	of      *Processes
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	outputs []io.Closer
	copies  sync.WaitGroup // of the outputs

	once  sync.Once
	given chan struct{} // closed when the process is given up
	ended chan struct{} // closed when err is set
	err   error         // how the process ended

	mu     sync.Mutex // guards reaped, so that no signal is sent to a number that is free again
	reaped bool
}

// reap waits for the end of the process. It is the one thing that may outlive Close: what runs as another user cannot
// be ended from here.
func (p *process) reap() {
	defer close(p.ended)
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	state, err := p.cmd.Process.Wait()
	if err != nil {
		p.err = fmt.Errorf("wait for process: %w", err)
		return
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case ok && status.Signaled():
		p.err = &remote.Exit{Code: 128 + int(status.Signal()), Signal: strings.TrimPrefix(unix.SignalName(status.Signal()), "SIG")}
	case state.ExitCode() != 0:
		p.err = &remote.Exit{Code: state.ExitCode()}
	}
}

// Stdin implements remote.Process.
func (p *process) Stdin() io.WriteCloser { return p.stdin }

// Wait implements remote.Process.
func (p *process) Wait() error {
	defer p.of.forget(p)
	select {
	case <-p.ended:
		p.copies.Wait()
		return errors.Join(p.err, p.closePipes())
	case <-p.given:
		p.copies.Wait()
		return ErrGivenUp
	}
}

// Close implements remote.Process: as at the end of an SSH connection the process loses its input and outputs. It is told
// to end as well, which one that runs as another user is not.
func (p *process) Close() error {
	err := error(nil)
	p.once.Do(func() {
		close(p.given)
		err = errors.Join(p.signal(syscall.SIGTERM), p.closePipes())
	})
	return err
}

// signal sends a signal to the process's group, unless the process has ended.
func (p *process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return nil
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("end process group %d: %w", p.cmd.Process.Pid, err)
	}
	return nil
}

// closePipes closes this side's ends of input and outputs; closing twice is harmless.
func (p *process) closePipes() error {
	var errs []error
	for _, pipe := range append([]io.Closer{p.stdin}, p.outputs...) {
		if err := pipe.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
