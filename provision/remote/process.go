package remote

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

// endGroup ends the process group $1: SIGTERM, and after $2 tenths of a second SIGKILL.
const endGroup = `kill -s TERM -- "-$1" 2>/dev/null || exit 0
n=0
while kill -s 0 -- "-$1" 2>/dev/null; do
  n=$((n + 1))
  if [ "$n" -gt "$2" ]; then kill -s KILL -- "-$1"; exit 0; fi
  sleep 0.1
done`

// endSlack is the time that a cancelled command has to start, so that its process group is known, and the time beyond
// StopGrace that ending the group has. It is long because a login shell on a busy host may take seconds to come up.
const endSlack = 20 * time.Second

// errLeft is a cancelled command whose process group could not be ended.
var errLeft = errors.New("stopped waiting, but the command may still run on the host")

// process is a command that runs in a session.
type process struct {
	session        *ssh.Session
	stdout, stderr *stream
	started        chan struct{} // closed when group is known
	group          string
	ended          chan struct{} // closed when the session has ended and waitErr is set
	waitErr        error
}

func newProcess(session *ssh.Session, c Command) *process {
	p := &process{session: session, started: make(chan struct{}), ended: make(chan struct{})}
	mark := []byte(newMark())
	p.stdout, p.stderr = &stream{mark: mark}, &stream{mark: mark}
	p.stderr.onStart = func(group string) {
		p.group = group
		close(p.started)
	}
	if c.OnLine != nil {
		taker := &lineTaker{take: c.OnLine}
		p.stdout.lines, p.stderr.lines = taker, taker
	}
	session.Stdout, session.Stderr = p.stdout, p.stderr
	return p
}

// wait waits for the end of the session.
func (p *process) wait() {
	p.waitErr = p.session.Wait()
	close(p.ended)
}

// result is what wait got, or errLeft while the session goes on.
func (p *process) result() error {
	select {
	case <-p.ended:
		return p.waitErr
	default:
		return errLeft
	}
}

// stop ends the process group of p through a second session, since the signals of the SSH protocol do not reach what
// sudo runs as root, and waits for the end. Then it gives up the session, whatever became of the processes.
func (h *Host) stop(ctx context.Context, p *process, root bool) {
	ctx = context.WithoutCancel(ctx)
	defer closeSession(p.session, h.log)
	if !h.await(ctx, p, p.started, endSlack) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, h.opts.StopGrace+endSlack)
	defer cancel()
	err := h.endProcesses(ctx, p.group, root)
	h.log.Debug("end process group", "group", p.group, "error", err)
	if err == nil {
		h.await(ctx, p, nil, endSlack)
	}
}

// await waits for event, and reports false when the process or the connection ends first or limit has passed.
func (h *Host) await(ctx context.Context, p *process, event <-chan struct{}, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-event:
		return true
	case <-p.ended:
	case <-h.done:
	case <-ctx.Done():
	}
	return false
}

// endProcesses runs endGroup on the host.
func (h *Host) endProcesses(ctx context.Context, group string, root bool) error {
	session, err := h.newSession(ctx)
	if err != nil {
		return err
	}
	defer closeSession(session, h.log)
	tenths := strconv.Itoa(int(h.opts.StopGrace / (100 * time.Millisecond)))
	argv := []string{"/bin/sh", "-c", endGroup, "sh", group, tenths}
	finished := make(chan error, 1)
	if !h.task(func() { finished <- session.Run(h.wireLine(argv, root, newMark())) }) {
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
