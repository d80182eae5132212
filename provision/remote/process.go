package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// endGroup ends the process group $1: SIGTERM, again each second, and after $2 tenths of a second SIGKILL. Again, as a shell
// that has a trap and gets the signal just before it starts a program waits for that program's end, which got none.
const endGroup = `n=0
while kill -s 0 -- "-$1" 2>/dev/null; do
  if [ "$n" -gt "$2" ]; then kill -s KILL -- "-$1"; exit 0; fi
  if [ "$((n % 10))" = 0 ]; then kill -s TERM -- "-$1" 2>/dev/null; fi
  sleep 0.1
  n=$((n + 1))
done`

// endSlack is the time that a cancelled command has to start, so that its process group is known, and the time beyond
// StopGrace that ending the group has. It is long because a login shell on a busy host may take seconds to come up.
const endSlack = 20 * time.Second

// errLeft is a cancelled command whose process group could not be ended.
var errLeft = errors.New("stopped waiting, but the command may still run on the host")

// execution is a command that runs.
type execution struct {
	process        Process
	stdout, stderr *stream
	started        chan struct{} // closed when group is known
	group          string
	ended          chan struct{} // closed when the process has ended and waitErr is set
	waitErr        error
}

func newExecution(c Command) *execution {
	x := &execution{started: make(chan struct{}), ended: make(chan struct{})}
	mark := []byte(newMark())
	x.stdout, x.stderr = &stream{mark: mark}, &stream{mark: mark}
	x.stderr.onStart = func(group string) {
		x.group = group
		close(x.started)
	}
	if c.OnLine != nil {
		taker := &lineTaker{take: c.OnLine}
		x.stdout.lines, x.stderr.lines = taker, taker
	}
	return x
}

// listen ends the command when nothing is heard of it for a time, until what it returns is called. It comes before the start.
func (x *execution) listen(silence time.Duration, end context.CancelCauseFunc) (stop func()) {
	if silence <= 0 {
		return func() {}
	}
	timer := time.AfterFunc(silence, func() { end(fmt.Errorf("%w for %s", ErrSilent, silence)) })
	heard := func() { timer.Reset(silence) }
	x.stdout.onWrite, x.stderr.onWrite = heard, heard
	return func() { timer.Stop() }
}

// wait waits for the end of the process.
func (x *execution) wait() {
	x.waitErr = x.process.Wait()
	close(x.ended)
}

// result is what wait got, or errLeft while the process goes on.
func (x *execution) result() error {
	select {
	case <-x.ended:
		return x.waitErr
	default:
		return errLeft
	}
}

// stop ends the process group of x through a second process, since a signal of the transport would not reach what sudo
// runs as root, and waits for the end. Then it gives the process up, whatever became of it.
func (h *Host) stop(ctx context.Context, x *execution, root bool) {
	ctx = context.WithoutCancel(ctx)
	defer h.release(x.process)
	if !h.await(ctx, x, x.started, endSlack) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, h.grace+endSlack)
	defer cancel()
	err := h.endProcesses(ctx, x.group, root)
	h.log.Debug("end process group", "group", x.group, "error", err)
	if err == nil {
		h.await(ctx, x, nil, endSlack)
	}
}

// await waits for event, and reports false when the process or the way to it ends first or limit has passed.
func (h *Host) await(ctx context.Context, x *execution, event <-chan struct{}, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-event:
		return true
	case <-x.ended:
	case <-h.done:
	case <-ctx.Done():
	}
	return false
}

// endProcesses runs endGroup on the host.
func (h *Host) endProcesses(ctx context.Context, group string, root bool) error {
	tenths := strconv.Itoa(int(h.grace / (100 * time.Millisecond)))
	argv := []string{"/bin/sh", "-c", endGroup, "sh", group, tenths}
	process, err := h.start(ctx, Exec{Line: h.wireLine(argv, root, newMark()), Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return err
	}
	defer h.release(process)
	finished := make(chan error, 1)
	if !h.task(func() { finished <- process.Wait() }) {
		return errClosed
	}
	select {
	case err = <-finished:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// progressReader counts what is read, and keeps the error that ended it.
type progressReader struct {
	r        io.Reader
	progress func(int64)
	sent     int64
	err      error
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.sent += int64(n)
	if n > 0 && p.progress != nil {
		p.progress(p.sent)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader's contract is the bare value
		p.err = err
	}
	return n, err
}

// sizedReader fails when r does not end after size bytes.
type sizedReader struct {
	r         io.Reader
	size, got int64
}

func (s *sizedReader) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.got += int64(n)
	switch {
	case s.got > s.size:
		return max(0, n-int(s.got-s.size)), fmt.Errorf("source is longer than %d bytes", s.size)
	case err == io.EOF && s.got < s.size: //nolint:errorlint // io.Reader's contract is the bare value
		return n, fmt.Errorf("source ended after %d of %d bytes", s.got, s.size)
	}
	return n, err
}

// contextReader fails once its context has ended.
type contextReader struct {
	r     io.Reader
	alive func() error
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
