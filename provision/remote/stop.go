package remote

import (
	"context"
	"errors"
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

// stop ends the process group of x through a second process, since a signal of the transport would not reach what sudo
// runs as root, and waits for the end, beside StopGrace for as long as the host may take to begin a command. Then it gives the
// process up, whatever became of it. A command that has not begun needs no ending: it waits for the word, and gets the end of its
// input.
func (h *Host) stop(ctx context.Context, x *execution, root bool) {
	defer h.release(x.process)
	if !x.begun() || !errors.Is(x.result(), errLeft) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.grace+x.within)
	defer cancel()
	group := x.gate.processGroup()
	err := h.endProcesses(ctx, group, root)
	h.log.Debug("end process group", "group", group, "error", err)
	if err == nil {
		h.await(ctx, x, endSlack)
	}
	x.left = errors.Is(x.result(), errLeft)
}

// await waits for the end of the process, or of the way to it, until limit has passed.
func (h *Host) await(ctx context.Context, x *execution, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-x.ended:
	case <-h.done:
	case <-ctx.Done():
	}
}

// endProcesses runs endGroup on the host.
func (h *Host) endProcesses(ctx context.Context, group string, root bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tenths := strconv.Itoa(int(h.grace / (100 * time.Millisecond)))
	c := Command{Argv: []string{"/bin/sh", "-c", endGroup, "sh", group, tenths}, Root: root}
	x := newExecution(c, cancel)
	h.expect(x, c, cancel)
	defer x.over()
	process, err := h.start(ctx, Exec{Line: h.wireLine(c.Argv, root, false, x.gate), Stdout: x.stdout, Stderr: x.stderr})
	if err != nil {
		return err
	}
	defer h.release(process)
	x.process = process
	if !h.task(x.wait) {
		return errClosed
	}
	if h.begin(ctx, x) {
		if err := send(process.Stdin(), c.head(x.gate), nil, nil); err != nil {
			return err
		}
	}
	select {
	case <-x.ended:
		err = x.waitErr
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && !x.gate.isOpen() && ctx.Err() == nil {
		err = h.notStarted(root, x)
	}
	h.settle(x, err)
	return err
}

// killSudo ends a process that waits for a password.
const killSudo = `kill -s KILL `

// endSudo ends a sudo that asks for a password. Where that cannot be done it gets the end of its input, and no more is tried
// either.
func (h *Host) endSudo(ctx context.Context, x *execution, number string) {
	defer func() { _ = x.process.Stdin().Close() }() // likewise
	ctx, cancel := context.WithTimeout(ctx, endSlack)
	defer cancel()
	process, err := h.start(ctx, Exec{Line: loginLine(killSudo + number), Stdout: io.Discard, Stderr: io.Discard})
	if err == nil {
		defer h.release(process)
		err = h.ending(ctx, process)
	}
	h.log.Debug("end sudo, which asks for a password", "process", number, "error", err)
	if err == nil {
		h.await(ctx, x, endSlack)
	}
}

// ending waits for the end of a process that does something on the side.
func (h *Host) ending(ctx context.Context, process Process) error {
	finished := make(chan error, 1)
	if !h.task(func() { finished <- process.Wait() }) {
		return errClosed
	}
	select {
	case err := <-finished:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
