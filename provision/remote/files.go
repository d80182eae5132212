package remote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
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

// noSFTP is the exit code of startSFTP when none of the servers is there.
const noSFTP = 127

// sftpRequests is how many requests may be under way for one file. With 32 KiB each they fill the 2 MiB window of
// OpenSSH's channels.
const sftpRequests = 64

// cancelSlack is how long a file operation may go on after its context has ended before the file session is dropped.
const cancelSlack = 5 * time.Second

// fileSession is SFTP as root over one session.
type fileSession struct {
	session *ssh.Session
	client  *sftp.Client
	gone    chan struct{} // closed when the session has ended
}

// withFiles calls use with the host's file session, opening it when needed. A file operation cannot be interrupted, so
// when it goes on long after ctx has ended the session is dropped, and the next operation opens another.
func (h *Host) withFiles(ctx context.Context, use func(*sftp.Client) error) error {
	files, err := h.openFiles(ctx)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(cancelSlack)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			closeSession(files.session, h.log)
		}
	})
	err = use(files.client)
	close(done)
	stop()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("stopped: %w", cause)
	}
	return h.explain(err)
}

// openFiles returns the file session, which is opened once and kept.
func (h *Host) openFiles(ctx context.Context) (*fileSession, error) {
	select {
	case h.filesLock <- struct{}{}:
		defer func() { <-h.filesLock }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.files != nil && !h.files.over() {
		return h.files, nil
	}
	start := time.Now()
	files, err := h.startFiles(ctx)
	h.log.Debug("open file session", "duration", time.Since(start), "error", err)
	if err != nil {
		return nil, fmt.Errorf("open file session: %w", err)
	}
	h.files = files
	return files, nil
}

// watch waits for the end of the session.
func (f *fileSession) watch(log *slog.Logger) {
	err := f.client.Wait()
	log.Debug("file session ended", "error", err)
	closeSession(f.session, log)
	close(f.gone)
}

func (f *fileSession) over() bool {
	select {
	case <-f.gone:
		return true
	default:
		return false
	}
}

// startFiles starts sftp-server as root and greets it.
func (h *Host) startFiles(ctx context.Context) (*fileSession, error) {
	session, err := h.newSession(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { closeSession(session, h.log) })
	defer stop()
	files, err := h.greet(session)
	if err != nil {
		closeSession(session, h.log)
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	return files, nil
}

func (h *Host) greet(session *ssh.Session) (*fileSession, error) {
	mark := newMark()
	complaints := &stream{mark: []byte(mark)}
	session.Stderr = complaints
	input, errIn := session.StdinPipe()
	output, errOut := session.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, err
	}
	argv := append([]string{"/bin/sh", "-c", startSFTP, "sh"}, sftpServers...)
	if err := session.Start(h.wireLine(argv, true, mark)); err != nil {
		return nil, h.explain(err)
	}
	reader := bufio.NewReaderSize(output, 64<<10)
	said, err := skipTo(reader, mark)
	if err != nil {
		return nil, h.noFiles(session.Wait(), said, complaints)
	}
	client, err := sftp.NewClientPipe(reader, input,
		sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(sftpRequests))
	if err != nil {
		return nil, h.noFiles(session.Wait(), nil, complaints)
	}
	files := &fileSession{session: session, client: client, gone: make(chan struct{})}
	if !h.task(func() { files.watch(h.log) }) {
		return nil, errClosed
	}
	return files, nil
}

// skipTo reads up to and including the line that ends with mark and the process group, and returns what was before it.
func skipTo(r *bufio.Reader, mark string) ([]byte, error) {
	var before []byte
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return append(before, line...), err
		}
		if strings.Contains(line, mark) {
			return before, nil
		}
		before = append(before, line...)
	}
}

// noFiles explains why sftp-server did not start, from how its session ended.
func (h *Host) noFiles(waitErr error, said []byte, complaints *stream) error {
	text, started := complaints.finish()
	var exit *ssh.ExitError
	switch {
	case waitErr != nil && !errors.As(waitErr, &exit):
		return h.explain(waitErr)
	case !started:
		return h.notStarted(true, "sftp-server", Result{Stdout: said, Stderr: text})
	case exit != nil && exit.ExitStatus() == noSFTP:
		return fmt.Errorf("no sftp-server on the host (looked for %s): install the package openssh-sftp-server "+
			"(Debian family) or openssh-server (others)", strings.Join(sftpServers, ", "))
	}
	return fmt.Errorf("sftp-server ended at once: %s", lastLines(text, stderrLines))
}

// ReadFile returns the content of a file, read as root. The error is fs.ErrNotExist only when the host said that no
// file of that name is there: not when the path could not be looked at, and not for a symbolic link that leads nowhere.
func (h *Host) ReadFile(ctx context.Context, path string) ([]byte, error) {
	var content bytes.Buffer
	start := time.Now()
	err := h.withFiles(ctx, func(c *sftp.Client) error {
		content.Reset()
		f, err := c.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return provenAbsent(c, path, err)
		}
		if err != nil {
			return err
		}
		_, err = f.WriteTo(&content)
		return errors.Join(err, f.Close())
	})
	h.log.DebugContext(ctx, "read file", "path", path, "bytes", content.Len(), "duration", time.Since(start), "error", err)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content.Bytes(), nil
}

// provenAbsent checks that a path that cannot be opened for want of a file is absent itself: the server gives the same
// answer for a dangling link or a loop of links.
func provenAbsent(c *sftp.Client, path string, absent error) error {
	info, err := c.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: it is a %s whose target is not there", errNotRegular, kind(info.Mode()))
}

// errNotRegular is a path that is there but holds no plain file.
var errNotRegular = errors.New("not a regular file")

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode.IsDir():
		return "directory"
	}
	return "file of type " + mode.Type().String()
}
