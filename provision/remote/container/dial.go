package container

import (
	"bufio"
	"context"
	_ "embed" // the script is part of the program
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/child"
)

//go:embed scripts/connect.sh
var connectScript string

// pipers are the programs that connectScript knows, in the order in which they are tried. The first ones tell by themselves that nobody
// listens; the others connect once more for it.
func pipers() []string { return []string{"bash", "perl", "python3", "socat", "nc"} }

const (
	// connected is the first line of connectScript that has a connection.
	connected = "connected"
	// noPiper is its exit code when none of the programs can do it.
	noPiper = 90
	// endPatience is how long it may take to end by itself once its input has ended.
	endPatience = 2 * time.Second
)

// Dial implements remote.Transport, by a program in the container that copies bytes.
func (w *way) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") {
		return nil, errors.Join(fmt.Errorf("dial %s %s: only TCP is possible", network, address), err)
	}
	out, in := io.Pipe()
	p := &pipe{way: w, out: bufio.NewReader(out), close: out.Close, said: &tail{}, ended: make(chan struct{}), address: address}
	p.process, err = w.start(append([]string{"/bin/sh", "-c", connectScript, "sh", host, port}, w.pipers...), remote.Exec{Stdout: in, Stderr: p.said})
	if err != nil {
		return nil, w.client.notStarted(w.name, err)
	}
	first := make(chan error, 1)
	waits := w.task(func() {
		p.err = p.process.Wait()
		close(p.ended)
		_ = in.Close()
	})
	if !waits || !w.task(func() { first <- p.begin() }) {
		return nil, errors.Join(child.ErrClosed, p.process.Close())
	}
	select {
	case err = <-first:
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), p.Close())
	}
	if err != nil {
		return nil, errors.Join(p.refused(err), p.Close())
	}
	return p, nil
}

// pipe is a connection from the container: the input and the output of a program.
type pipe struct {
	way     *way
	process remote.Process
	out     *bufio.Reader
	close   func() error // of what out reads
	said    *tail
	address string
	once    sync.Once
	ended   chan struct{} // closed when err is set
	err     error         // how the program ended
}

// begin waits for the line that says that there is a connection.
func (p *pipe) begin() error {
	line, err := p.out.ReadString('\n')
	if err == nil && line != connected+"\n" {
		return fmt.Errorf("%q came instead of a connection", line)
	}
	return err
}

// refused is why there is no connection.
func (p *pipe) refused(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	<-p.ended
	var exit *remote.Exit
	if !errors.As(p.err, &exit) {
		return p.way.explain(p.err)
	}
	if exit.Code == noPiper {
		return fmt.Errorf("%w: %s container %s has none of %s to do it with", remote.ErrForwarding, p.way.client.engine, p.way.name, strings.Join(p.way.pipers, ", "))
	}
	if lost := p.way.explain(p.err); errors.Is(lost, remote.ErrLost) {
		return lost
	}
	said := p.said.String()
	for _, errno := range []syscall.Errno{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT} {
		if strings.Contains(strings.ToLower(said), errno.Error()) {
			return &net.OpError{Op: "connect", Net: "tcp", Err: errno}
		}
	}
	return fmt.Errorf("no connection: %s", strings.Join(append(lastLines(said), exit.Error()), "; "))
}

// Read implements io.Reader. The end of the program is the end of the connection, unless the container is gone.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	<-p.ended
	if lost := p.way.explain(p.err); errors.Is(lost, remote.ErrLost) {
		return 0, lost
	}
	return 0, io.EOF
}

// Write implements io.Writer.
func (p *pipe) Write(b []byte) (int, error) { return p.process.Stdin().Write(b) }

// Close ends the connection. The program learns of it by the end of its input.
func (p *pipe) Close() error {
	err := error(nil)
	p.once.Do(func() {
		err = p.process.Stdin().Close()
		_ = p.close() // it is a pipe in memory
		p.way.task(func() {
			timer := time.NewTimer(endPatience)
			defer timer.Stop()
			select {
			case <-p.ended:
			case <-p.way.done:
			case <-timer.C:
			}
			_ = p.process.Close() // after its end nothing
		})
	})
	if errors.Is(err, fs.ErrClosed) {
		return nil // the program has ended
	}
	return err
}

// LocalAddr implements net.Conn. The address is not known.
func (p *pipe) LocalAddr() net.Addr { return place("container " + p.way.name) }

// RemoteAddr implements net.Conn.
func (p *pipe) RemoteAddr() net.Addr { return place(p.address) }

// place is an address that is only shown.
type place string

// Network implements net.Addr.
func (place) Network() string { return "tcp" }

// String implements net.Addr.
func (p place) String() string { return string(p) }

// SetDeadline implements net.Conn: there is none, as remote.Transport allows.
func (*pipe) SetDeadline(time.Time) error { return errNoDeadline }

// SetReadDeadline implements net.Conn.
func (*pipe) SetReadDeadline(time.Time) error { return errNoDeadline }

// SetWriteDeadline implements net.Conn.
func (*pipe) SetWriteDeadline(time.Time) error { return errNoDeadline }

// errNoDeadline is that a connection has no deadlines.
var errNoDeadline = errors.New("there are no deadlines")
