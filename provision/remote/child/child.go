package child

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"syscall"

	"fairlead/provision/remote"
)

var (
	// ErrGivenUp is how a process ends that was closed while it ran.
	ErrGivenUp = errors.New("process given up")
	// ErrClosed is why nothing is started any more, and why a way ended that ends with its Close.
	ErrClosed = fmt.Errorf("connection closed: %w", net.ErrClosed)
)

// Processes are those that a way to a machine has started. The zero value has none. Its methods may be called from several
// goroutines.
type Processes struct {
	mu      sync.Mutex
	closed  bool
	running map[*process]bool
}

// Start starts a program, whose outputs go to those of e. It has a session of its own, as sshd would give it: signals of the
// terminal do not reach it, it cannot ask anything there, and its group can be ended without ending fairlead.
func (s *Processes) Start(cmd *exec.Cmd, e remote.Exec) (remote.Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p := &process{of: s, cmd: cmd, given: make(chan struct{}), ended: make(chan struct{})}
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	stderr, errErr := cmd.StderrPipe()
	p.stdin, p.outputs = stdin, []io.Closer{stdout, stderr}
	err := errors.Join(errIn, errOut, errErr)
	if err == nil {
		err = s.start(p)
	}
	if err != nil {
		return nil, errors.Join(err, p.closePipes())
	}
	p.copies.Go(func() { pump(e.Stdout, stdout) })
	p.copies.Go(func() { pump(e.Stderr, stderr) })
	go p.reap()
	return p, nil
}

// start starts the process, unless all were closed.
func (s *Processes) start(p *process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	if s.running == nil {
		s.running = map[*process]bool{}
	}
	s.running[p] = true
	return nil
}

// Running is how many processes have not been waited for to their end.
func (s *Processes) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running)
}

// Close gives up the processes that still run. There will be no others.
func (s *Processes) Close() error {
	s.mu.Lock()
	running := s.running
	s.closed, s.running = true, nil
	s.mu.Unlock()
	var errs []error
	for p := range running {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// forget drops a process that is over.
func (s *Processes) forget(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, p)
}

// pump copies output until its end. When nobody takes it any more, neither is it read.
func pump(to io.Writer, from io.ReadCloser) {
	_, _ = io.Copy(to, from) // the process learns of it by writing
	_ = from.Close()         // likewise
}
