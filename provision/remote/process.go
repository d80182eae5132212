package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// endSlack is the time until the host says that a process has ended that was told to, or whose process group was.
	endSlack = 5 * time.Second
	// defaultStart and defaultOutput are Command's StartWithin and MaxOutput.
	defaultStart  = 30 * time.Second
	defaultOutput = 8 << 20
)

// errLeft is a cancelled command whose process group could not be ended.
var errLeft = errors.New("stopped waiting, but the command may still run on the host")

// execution is a command that runs.
type execution struct {
	process        Process
	gate           *gate
	stdout, stderr *stream
	within         time.Duration // that the host has to begin it
	silence        *time.Timer   // nil when it may say nothing for ever
	quiet          time.Duration // of silence
	late           *time.Timer   // until it should have begun
	attempt        *attempt      // at the password, once that was sent
	refusal        error         // why sudo got none, or no other
	left           bool          // it was not ended: set before stop is over
	ended          chan struct{} // closed when the process has ended and waitErr is set
	waitErr        error
}

// newExecution is a command that may yet begin. What must not be ends it.
func newExecution(c Command, end context.CancelCauseFunc) *execution {
	x := &execution{gate: newGate(), ended: make(chan struct{}), within: cmp.Or(max(c.StartWithin, 0), defaultStart)}
	noise, text := flood(maxNoise, "before the command began", end), flood(cmp.Or(c.MaxOutput, defaultOutput), "of the command", end)
	x.stdout = &stream{gate: x.gate, noise: noise, text: text}
	x.stderr = &stream{gate: x.gate, noise: noise, text: text}
	if c.OnLine != nil {
		taker := &lineTaker{take: c.OnLine}
		x.stdout.lines, x.stderr.lines = taker, taker
	}
	if c.Silence > 0 {
		x.quiet = c.Silence
		x.silence = time.AfterFunc(c.Silence, func() { end(fmt.Errorf("%w for %s", ErrSilent, c.Silence)) })
		x.silence.Stop() // until it begins
		x.stdout.onWrite, x.stderr.onWrite = x.heard, x.heard
	}
	return x
}

// flood allows so many bytes, and ends the command that says more.
func flood(limit int64, of string, end context.CancelCauseFunc) *allowance {
	return &allowance{left: limit, exceeded: func() { end(fmt.Errorf("%w: more than %d bytes %s", ErrFlood, limit, of)) }}
}

// heard has the silence begin anew.
func (x *execution) heard() { x.silence.Reset(x.quiet) }

// over ends what x listens for.
func (x *execution) over() {
	x.late.Stop()
	if x.silence != nil {
		x.silence.Stop()
	}
}

// expect ends the command if it has not begun in time.
func (h *Host) expect(x *execution, c Command, end context.CancelCauseFunc) {
	x.late = time.AfterFunc(x.within, func() {
		if !x.gate.shut() {
			return
		}
		what := "the login shell of " + h.user + " with its start-up files and home folder"
		if c.Root && len(h.sudo) > 0 {
			what += ", then sudo"
		}
		text := fmt.Sprintf("%s has not begun the command within %s; it waits for %s, and one of these hangs or reads standard input",
			h.name, x.within, what)
		if said := x.said(); said != "" {
			text += ": " + said
		}
		end(fmt.Errorf("%w: %s", ErrHangs, text))
	})
}

// begin waits until the command may be told to begin, and reports false when it never may. Meanwhile it answers sudo.
func (h *Host) begin(ctx context.Context, x *execution) bool {
	for waits := true; waits; {
		waits = false
		select {
		case process := <-x.gate.asked:
			h.answer(ctx, x, process)
			waits = true
		case <-x.gate.open:
			h.settle(x, nil)
		case <-x.ended:
		case <-ctx.Done():
		}
	}
	if !x.gate.isOpen() || ctx.Err() != nil || !x.gate.pass() {
		return false
	}
	x.late.Stop()
	if x.silence != nil {
		x.heard()
	}
	return true
}

// begun says that the command may have begun. It never will once this was false.
func (x *execution) begun() bool { return !x.gate.shut() }

// output is what the command said.
func (x *execution) output() Result {
	r := Result{Stdout: x.stdout.finish(), Stderr: x.stderr.finish()}
	switch {
	case !x.gate.isOpen():
	case !x.gate.came(x.stderr):
		r.Stderr = r.Stdout
	case !x.gate.came(x.stdout):
		r.Stdout = r.Stderr
	}
	return r
}

// cutOff says that the command's first words complained of its input.
func (x *execution) cutOff() bool { return x.stdout.cutOff() || x.stderr.cutOff() }

// stopped is why the command was stopped, if it was. One that has come to a good end just before was not, unless it was heard
// only in part.
func (x *execution) stopped(cause, waitErr error) error {
	switch {
	case cause == nil:
		return nil
	case !x.begun():
		return cause
	case waitErr == nil && errors.Is(cause, ErrFlood):
		return cause
	case waitErr == nil:
		return nil
	case x.left:
		return fmt.Errorf("%w: %w", errLeft, cause)
	}
	return fmt.Errorf("stopped: %w", cause)
}

// said is the last that was said before the command.
func (x *execution) said() string {
	return lastLines(append(x.stdout.said(), x.stderr.said()...), stderrLines)
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
