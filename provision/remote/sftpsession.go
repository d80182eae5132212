package remote

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
)

// sftpServers are the places of OpenSSH's sftp-server: Debian family, RHEL family, SUSE, others.
var sftpServers = []string{
	"/usr/lib/openssh/sftp-server",
	"/usr/libexec/openssh/sftp-server",
	"/usr/lib/ssh/sftp-server",
	"/usr/libexec/sftp-server",
}

// startSFTP runs the first of the servers named by its arguments. The umask makes every new file 0600 and every new
// directory 0700 until its mode is set: the protocol's open as the client speaks it carries no mode.
const startSFTP = `umask 077; for p; do [ -x "$p" ] && exec "$p"; done; exit 127`

// errNoServer is a host without an sftp-server.
var errNoServer = errors.New("no sftp-server on the host")

// noSFTP is the exit code of startSFTP when none of the servers is there.
const noSFTP = 127

// sftpRequests is how many requests may be under way for one file. With 32 KiB each they fill the 2 MiB window of
// OpenSSH's channels.
const sftpRequests = 64

const (
	// cancelSlack is how long a file operation may go on after its context has ended before the file session is dropped.
	cancelSlack = 5 * time.Second
	// readSilence is how long nothing may be heard while a file is read. Writing has no such limit: a disk that is busy is silent,
	// too, until all is on it.
	readSilence = 15 * time.Second
	// maxHeard is how much a host may say in one file operation, beside an answer to each byte that it is sent.
	maxHeard = 4 * maxFile
)

// fileSession is SFTP as root over one process.
type fileSession struct {
	process Process
	output  *io.PipeReader // what the process says
	client  *sftp.Client
	broken  atomic.Bool   // reading from the process or writing to it has failed
	heard   atomic.Int64  // bytes of the process
	heardAt atomic.Int64  // the time of the last of them
	allowed atomic.Int64  // how many there may be
	gone    chan struct{} // closed when the process has ended and cause is set
	cause   error         // how it ended
}

// withFiles calls use with a way to files: the host's file session, which is opened when needed, or scripts when the host
// has no server for it. An operation of the session cannot be interrupted, so when it goes on long after ctx has ended, or
// nothing is heard for the silence, the session is dropped, and the next operation opens another.
func (h *Host) withFiles(ctx context.Context, silence time.Duration, use func(fileAccess) error) error {
	files, err := h.openFiles(ctx)
	if errors.Is(err, errNoServer) {
		return use(scriptFiles{h, silence})
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), ErrSilent) {
			timer := time.NewTimer(cancelSlack)
			defer timer.Stop()
			select {
			case <-done:
				return
			case <-timer.C:
			}
		}
		h.drop(files)
	})
	if silence > 0 {
		h.task(func() { files.listen(ctx, silence, cancel) }) // none is needed once Close has begun
	}
	files.allowed.Store(files.heard.Load() + maxHeard)
	err = use(sftpFiles{files.client})
	close(done)
	stop()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return fmt.Errorf("stopped: %w", cause)
	}
	if err != nil && files.heard.Load() > files.allowed.Load() {
		return fmt.Errorf("%w: more than %d bytes of the file session", ErrFlood, int64(maxHeard))
	}
	return h.explainFiles(files, err)
}

// listen ends an operation during which nothing is heard for the silence, until ctx ends.
func (f *fileSession) listen(ctx context.Context, silence time.Duration, end context.CancelCauseFunc) {
	begin := time.Now()
	timer := time.NewTimer(silence)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		heard := time.Unix(0, f.heardAt.Load())
		if heard.Before(begin) {
			heard = begin
		}
		left := silence - time.Since(heard)
		if left <= 0 {
			end(fmt.Errorf("%w for %s", ErrSilent, silence))
			return
		}
		timer.Reset(left)
	}
}

// explainFiles returns the reason behind err when that is the end of the file session or of the way to the host.
func (h *Host) explainFiles(files *fileSession, err error) error {
	if err != nil && !fromPeer(err) && files.broken.Load() {
		h.drop(files)
		<-files.gone
		if errors.Is(files.cause, ErrLost) {
			err = files.cause
		}
	}
	return h.explain(err)
}

// drop gives a file session up. What the process still says must find an end, or its own would not be noticed.
func (h *Host) drop(files *fileSession) {
	_ = files.output.Close() // never fails
	h.release(files.process)
}

// openFiles returns the file session, which is opened once and kept. A host without a server is asked once.
func (h *Host) openFiles(ctx context.Context) (*fileSession, error) {
	select {
	case h.filesLock <- struct{}{}:
		defer func() { <-h.filesLock }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.noServer {
		return nil, errNoServer
	}
	if h.files != nil && !h.files.over() {
		return h.files, nil
	}
	start := time.Now()
	files, err := h.startFiles(ctx)
	h.log.Debug("open file session", "duration", time.Since(start), "error", err)
	h.noServer = errors.Is(err, errNoServer)
	if err != nil {
		return nil, fmt.Errorf("open file session: %w", err)
	}
	h.files = files
	return files, nil
}

// over tells a session that no further operation can use.
func (f *fileSession) over() bool {
	select {
	case <-f.gone:
		return true
	default:
		return f.broken.Load()
	}
}

// watched is one side of the talk with the process; a failure of it is the end of the session.
type watched struct {
	io.Reader
	io.WriteCloser
	files *fileSession
}

// Read implements io.Reader.
func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.files.heardAt.Store(time.Now().UnixNano())
	if w.files.heard.Add(int64(n)) > w.files.allowed.Load() && err == nil {
		n, err = 0, ErrFlood
	}
	w.note(err)
	return n, err
}

// Write implements io.Writer.
func (w watched) Write(p []byte) (int, error) {
	n, err := w.WriteCloser.Write(p)
	w.files.allowed.Add(int64(n)) // what is sent is answered
	w.note(err)
	return n, err
}

func (w watched) note(err error) {
	if err != nil {
		w.files.broken.Store(true)
	}
}

// startFiles starts sftp-server as root and greets it.
func (h *Host) startFiles(ctx context.Context) (*fileSession, error) {
	if err := h.refused(true); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	command := Command{Argv: append([]string{"/bin/sh", "-c", startSFTP, "sh"}, h.servers...), Root: true, Silence: readSilence, MaxOutput: maxNoise}
	x := newExecution(command, cancel)
	output, toOutput := io.Pipe()
	x.stdout.sink = toOutput
	h.expect(x, command, cancel)
	defer x.over()
	process, err := h.start(ctx, Exec{Line: h.wireLine(command.Argv, true, false, x.gate), Stdout: x.stdout, Stderr: x.stderr})
	if err != nil {
		return nil, err
	}
	x.process = process
	files := &fileSession{process: process, output: output, gone: make(chan struct{})}
	files.allowed.Store(maxHeard)
	if !h.task(func() { h.watchFiles(files, x, toOutput) }) {
		h.drop(files)
		return nil, errClosed
	}
	stop := context.AfterFunc(ctx, func() { h.drop(files) })
	defer stop()
	if err := h.greet(ctx, files, x); err != nil {
		err = cmp.Or(context.Cause(ctx), err)
		h.settle(x, err)
		return nil, err
	}
	return files, nil
}

// watchFiles waits for the end of the process, which is the end of what it says.
func (h *Host) watchFiles(files *fileSession, x *execution, output *io.PipeWriter) {
	files.cause = files.process.Wait()
	h.log.Debug("file session ended", "error", files.cause)
	h.release(files.process)
	_ = output.Close() // never fails
	close(x.ended)
	close(files.gone)
}

// greet waits until the server may begin, and agrees with it on the protocol.
func (h *Host) greet(ctx context.Context, files *fileSession, x *execution) error {
	if !h.begin(ctx, x) {
		h.letEnd(files)
		return h.noFiles(files.cause, x)
	}
	if !x.gate.came(x.stdout) { // a start-up file has sent it elsewhere, and complaints and files cannot go the same way
		h.letEnd(files)
		return errNoServer
	}
	input := watched{WriteCloser: files.process.Stdin(), files: files}
	_, err := io.WriteString(input, beginWord+"\n")
	if err == nil {
		reader := bufio.NewReaderSize(watched{Reader: files.output, files: files}, 64<<10)
		files.client, err = sftp.NewClientPipe(reader, input,
			sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(sftpRequests))
	}
	if err != nil {
		h.letEnd(files)
		return h.noFiles(files.cause, x)
	}
	return nil
}

// letEnd waits for the end of a process that is not what it should be. How it ends by itself tells why, so it is given up
// only when it does not.
func (h *Host) letEnd(files *fileSession) {
	_ = files.output.Close() // never fails
	if err := files.process.Stdin().Close(); err != nil {
		h.log.Debug("close input of file session", "error", err) // it has ended already
	}
	timer := time.AfterFunc(endSlack, func() { h.drop(files) })
	defer timer.Stop()
	<-files.gone
}

// noFiles explains why sftp-server did not start, from how its process ended.
func (h *Host) noFiles(waitErr error, x *execution) error {
	text := x.output().Stderr
	var exit *Exit
	switch {
	case waitErr != nil && !errors.As(waitErr, &exit):
		return h.explain(waitErr)
	case !x.gate.isOpen():
		return h.notStarted(true, x)
	case exit != nil && exit.Code == noSFTP:
		return errNoServer
	}
	return fmt.Errorf("sftp-server ended at once: %s", lastLines(text, stderrLines))
}
