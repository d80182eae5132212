package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Command is a program or a script to run on the host.
type Command struct {
	// Argv is the program and its arguments; with Script set, the script's positional parameters.
	Argv []string
	// Script travels on standard input to /bin/sh -s. A command in it that reads standard input eats the script. With Stdin
	// set it is an argument of /bin/sh -c instead, for which Linux has room up to 128 KiB (MAX_ARG_STRLEN in execve(2)).
	Script string
	// Stdin is streamed to the program or the script. Run returns only after its last Read has.
	// When it fails the command is ended, as it must not take half an input for the whole.
	Stdin io.Reader
	// Root runs the command through sudo -n when the login user is not root.
	Root bool
	// Secret keeps the output out of the log and out of errors' texts. Input never gets there.
	Secret bool
	// Silence ends the command when nothing was heard of it for that long, with ErrSilent; zero waits for ever. It counts
	// from the start of the command and from each byte of its output.
	Silence time.Duration
	// OnLine gets every line of standard output and error as it comes, one call at a time.
	OnLine func(line string)
	// OnSend gets the bytes of Stdin sent so far.
	OnSend func(sent int64)
}

// Result is what a command left.
type Result struct {
	// Stdout and Stderr are the whole output.
	Stdout, Stderr []byte
	// Duration is from sending the command to its end.
	Duration time.Duration
}

// Run runs a command with LC_ALL=C and waits for its end. A command that fails is an *ExitError; ErrSudo means it never
// started for want of rights; ErrLost that the connection ended, and the command may go on. When ctx ends, the
// command's process group on the host is ended (SIGTERM, after StopGrace SIGKILL) and the error wraps ctx's cause.
// A process that made a session or unit of its own is not reached by that.
func (h *Host) Run(ctx context.Context, c Command) (Result, error) {
	argv, err := c.argv()
	if err != nil {
		return Result{}, err
	}
	shown := h.shown(c, argv)
	if c.Script != "" && c.Stdin == nil {
		c.Stdin = strings.NewReader(c.Script)
	}
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x := newExecution(c)
	defer x.listen(c.Silence, cancel)()
	line := h.wireLine(argv, c.Root, string(x.stdout.mark))
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
		if err := send(process.Stdin(), c.Stdin, c.OnSend); err != nil {
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
	return h.outcome(ctx, c, x, shown)
}

// outcome turns the end of a process into a result.
func (h *Host) outcome(ctx context.Context, c Command, x *execution, shown string) (Result, error) {
	waitErr := x.result()
	var r Result
	var startedOut, startedErr bool
	r.Stdout, startedOut = x.stdout.finish()
	r.Stderr, startedErr = x.stderr.finish()
	if errors.Is(waitErr, errLeft) {
		return r, fmt.Errorf("%w: %w", errLeft, context.Cause(ctx))
	}
	if waitErr != nil && ctx.Err() != nil {
		return r, fmt.Errorf("stopped: %w", context.Cause(ctx))
	}
	if err := h.Alive(); err != nil && waitErr != nil {
		return r, err
	}
	var exit *Exit
	if waitErr != nil && !errors.As(waitErr, &exit) {
		return r, h.explain(waitErr)
	}
	if !startedOut || !startedErr {
		return r, h.notStarted(c.Root, r)
	}
	if exit == nil {
		return r, nil
	}
	return r, &ExitError{
		Host: h.name, Command: shown, Code: exit.Code, Signal: exit.Signal,
		Stdout: r.Stdout, Stderr: r.Stderr, secret: c.Secret,
	}
}

// send copies r to the command's standard input and closes it. A command that ends without reading all is no error.
func send(input io.WriteCloser, r io.Reader, progress func(int64)) error {
	if r != nil {
		in := &progressReader{r: r, progress: progress}
		_, err := io.Copy(input, in)
		if in.err != nil {
			return in.err // and leave the input open: closed, it would look whole
		}
		if err != nil {
			return nil //nolint:nilerr // the command has ended, which Wait reports
		}
	}
	_ = input.Close() // likewise
	return nil
}
