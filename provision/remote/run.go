package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Command is a program or a script to run on the host.
type Command struct {
	// Argv is the program and its arguments; with Script set, the script's positional parameters.
	Argv []string
	// Script travels on standard input to the host's /bin/sh, which begins it when all of it has arrived, else the error is ErrCut
	// and nothing of it has run. Commands in it find that their input has ended. With Stdin set it is an argument of
	// /bin/sh -c instead, for which Linux has room up to 128 KiB (MAX_ARG_STRLEN in execve(2)).
	Script string
	// Stdin is streamed to the program or the script, once that has begun. Run returns only after its last Read has.
	// When it fails the command is ended, as it must not take half an input for the whole.
	Stdin io.Reader
	// Root runs the command through sudo, or doas where there is no sudo, when the login user is not root.
	Root bool
	// Secret keeps the output out of the log and out of errors' texts. Input never gets there.
	Secret bool
	// StartWithin is how long the host may take to begin the command: to start the login shell, with its start-up files and
	// the user's home folder, and sudo. A host that takes longer is ErrHangs, and the command never begins. Default 30 s.
	StartWithin time.Duration
	// Silence ends the command when nothing was heard of it for that long, with ErrSilent; zero waits for ever. It counts
	// from the begin of the command and from each byte of its output.
	Silence time.Duration
	// MaxOutput is how many bytes both outputs may have together; a command that says more is ended, with ErrFlood.
	// Default 8 MiB.
	MaxOutput int64
	// OnLine gets every line of standard output and error as it comes, one call at a time. Of a line of more than 16 KiB
	// it gets the beginning.
	OnLine func(line string)
	// OnSend gets the bytes of Stdin sent so far.
	OnSend func(sent int64)
}

// Result is what a command left.
type Result struct {
	// Stdout and Stderr are the whole output, up to MaxOutput. Where a start-up file of the login shell has made the two one
	// (exec 2>&1) or sent one of them elsewhere, each of these holds what came on both.
	Stdout, Stderr []byte
	// Duration is from sending the command to its end.
	Duration time.Duration
}

// Run runs a command with LC_ALL=C and waits for its end. A command that fails is an *ExitError; ErrSudo (a *SudoError) means it
// never started for want of rights, ErrHangs that it never started in time; ErrLost that the connection ended, and the command may
// go on.
//
// The command begins, and gets its input, only after it has said on both outputs that it is there: until then what is heard is
// the login shell's, and the shell can read nothing that is meant for the command.
//
// When ctx ends, or the command is silent or says too much, a command that has not begun never does. The process group of one
// that has is ended (SIGTERM, after StopGrace SIGKILL), and the error wraps the cause. A process that made a session or unit of
// its own is not reached by that.
func (h *Host) Run(ctx context.Context, c Command) (Result, error) {
	argv, err := c.argv()
	if err != nil {
		return Result{}, err
	}
	shown := h.shown(c, argv)
	free, err := h.slot(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("start the command: %w", err)
	}
	defer free()
	start := time.Now()
	result, err := h.execute(ctx, c, argv, shown)
	result.Duration = time.Since(start)
	h.logRun(ctx, shown, result, err)
	return result, err
}

// slot waits until one more command may run, and returns what ends its turn.
func (h *Host) slot(ctx context.Context) (free func(), err error) {
	if h.slots == nil {
		return func() {}, nil
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-h.done:
		return nil, h.cause
	}
}

// logRun is the one record of a command. Errors leave out what is secret themselves.
func (h *Host) logRun(ctx context.Context, shown string, r Result, err error) {
	code := 0
	var exit *ExitError
	if errors.As(err, &exit) {
		code = exit.Code
	}
	attrs := []slog.Attr{
		slog.String("command", shown), slog.Int("exit", code), slog.Duration("duration", r.Duration),
		slog.Int("stdout", len(r.Stdout)), slog.Int("stderr", len(r.Stderr)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	h.log.LogAttrs(ctx, slog.LevelDebug, "run", attrs...)
}

// execute runs the command in a process of its own.
func (h *Host) execute(ctx context.Context, c Command, argv []string, shown string) (Result, error) {
	if err := h.refused(c.Root); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x := newExecution(c, cancel)
	h.expect(x, c, cancel)
	defer x.over()
	line := h.wireLine(argv, c.Root, c.scriptOverStdin(), x.gate)
	process, err := h.start(ctx, Exec{Line: line, Stdout: x.stdout, Stderr: x.stderr})
	if err != nil {
		return Result{}, fmt.Errorf("start the command: %w", err)
	}
	defer h.release(process)
	x.process = process
	if !h.task(x.wait) {
		return Result{}, errClosed
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		h.stop(ctx, x, c.Root)
	})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if !h.begin(ctx, x) {
			return
		}
		if err := send(process.Stdin(), c.head(x.gate), c.Stdin, c.OnSend); err != nil {
			cancel(fmt.Errorf("read standard input: %w", err))
		}
	}()
	select {
	case <-x.ended:
	case <-stopped:
	}
	<-sent
	if !stop() {
		<-stopped
	}
	result, err := h.outcome(ctx, c, x, shown)
	h.settle(x, err)
	return result, err
}

// outcome turns the end of a process into a result.
func (h *Host) outcome(ctx context.Context, c Command, x *execution, shown string) (Result, error) {
	waitErr := x.result()
	r := x.output()
	if err := x.stopped(context.Cause(ctx), waitErr); err != nil {
		return r, err
	}
	if err := h.Alive(); err != nil && waitErr != nil {
		return r, err
	}
	var exit *Exit
	switch {
	case waitErr != nil && !errors.As(waitErr, &exit):
		return r, h.explain(waitErr)
	case !x.gate.isOpen():
		return r, h.notStarted(c.Root, x)
	case exit == nil:
		return r, nil
	case exit.Code == cutCode && x.cutOff():
		return r, ErrCut
	}
	return r, &ExitError{
		Host: h.name, Command: shown, Code: exit.Code, Signal: exit.Signal,
		Stdout: r.Stdout, Stderr: r.Stderr, secret: c.Secret,
	}
}

// send sends the head and then r to the command's standard input and closes that. A command that ends without reading all is no
// error.
func send(input io.WriteCloser, head string, r io.Reader, progress func(int64)) error {
	if _, err := io.WriteString(input, head); err != nil {
		return nil //nolint:nilerr // the command has ended, which Wait reports
	}
	if r != nil {
		in := &progressReader{r: r, progress: progress}
		_, err := io.Copy(input, in)
		if in.err != nil {
			return in.err // and leave the input open: closed, it would look whole
		}
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
	}
	_ = input.Close() // likewise
	return nil
}
