package ssh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// queued is a connection that takes what is written at once, as the kernel does: both ends of SSH greet first.
type queued struct {
	net.Conn
	queue chan []byte
	over  chan struct{}
	once  sync.Once
	mute  atomic.Bool // nothing that is written arrives any more
}

func newQueued(c net.Conn) *queued {
	q := &queued{Conn: c, queue: make(chan []byte, 1<<10), over: make(chan struct{})}
	go func() {
		for {
			select {
			case p := <-q.queue:
				if !q.mute.Load() {
					_, _ = c.Write(p) // fails when the connection is closed
				}
			case <-q.over:
				return
			}
		}
	}()
	return q
}

// Write implements io.Writer.
func (q *queued) Write(p []byte) (int, error) {
	select {
	case q.queue <- bytes.Clone(p):
		return len(p), nil
	case <-q.over:
		return 0, net.ErrClosed
	}
}

// Close implements io.Closer.
func (q *queued) Close() error {
	q.once.Do(func() { close(q.over) })
	return q.Conn.Close()
}

// hostile is a connection to a server that opens sessions and does with their requests whatever the function does.
func hostile(t *testing.T, serve func(*queued, xssh.Channel, <-chan *xssh.Request)) *conn {
	t.Helper()
	near, pipe := net.Pipe()
	far := newQueued(pipe)
	signer, err := xssh.NewSignerFromKey(remotetest.NewEd25519(t))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		config := &xssh.ServerConfig{NoClientAuth: true}
		config.AddHostKey(signer)
		_, channels, requests, err := xssh.NewServerConn(far, config)
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(true, nil) // keep-alives
			}
		}()
		for offered := range channels {
			if channel, requests, err := offered.Accept(); err == nil {
				go serve(far, channel, requests)
			}
		}
	}()
	c, channels, requests, err := xssh.NewClientConn(near, "cp1", &xssh.ClientConfig{HostKeyCallback: xssh.FixedHostKey(signer.PublicKey())})
	if err != nil {
		t.Fatal(err)
	}
	client := xssh.NewClient(c, channels, requests)
	return newConn(client, &meter{Conn: near}, nil, time.Hour)
}

func host(t *testing.T, c *conn) *remote.Host {
	t.Helper()
	h := remote.New(c, remote.Settings{Name: "cp1", User: "root"})
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

// TestNoAnswerToExec has a server that opens a session and never says whether it runs the command.
func TestNoAnswerToExec(t *testing.T) {
	asked := make(chan bool, 1)
	h := host(t, hostile(t, func(_ *queued, _ xssh.Channel, requests <-chan *xssh.Request) {
		for range requests {
			asked <- true
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { _, err := h.Run(ctx, remote.Command{Argv: []string{"true"}}); over <- err }()
	<-asked
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, StartWithin: time.Millisecond}); !errors.Is(err, remote.ErrHangs) {
		t.Errorf("got %v", err)
	}
	if err := h.Alive(); err != nil {
		t.Errorf("the connection ended with the command: %v", err)
	}
}

// mark is what a command says on both outputs when it is there.
var mark = regexp.MustCompile("fairlead-start-[A-Z2-7]+")

// TestSessionNeverEnds has a server that begins a command, takes none of its input and never lets the session end: who writes
// to it does not wait for ever, as the connection is given up.
func TestSessionNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := remote.New(hostile(t, func(server *queued, channel xssh.Channel, requests <-chan *xssh.Request) {
			for r := range requests {
				var exec struct{ Line string }
				if xssh.Unmarshal(r.Payload, &exec) != nil {
					continue
				}
				word := mark.FindString(exec.Line)
				if strings.Contains(exec.Line, "kill -s TERM") { // it is to end the other
					server.mute.Store(true)
				}
				_ = r.Reply(true, nil)
				for _, out := range []io.Writer{channel, channel.Stderr()} {
					_, _ = io.WriteString(out, word+" 42\n")
				}
			}
		}), remote.Settings{Name: "cp1", User: "root"})
		ctx, cancel := context.WithCancelCause(t.Context())
		enough, begin := errors.New("enough"), time.Now()
		_, err := h.Run(ctx, remote.Command{Argv: []string{"cat"}, Stdin: endless{}, StartWithin: time.Second, OnSend: func(sent int64) {
			if sent > 1<<20 { // it holds some more, and then no more
				cancel(enough)
			}
		}})
		if after := time.Since(begin); !errors.Is(err, enough) || !errors.Is(h.Alive(), remote.ErrLost) || after > time.Minute {
			t.Errorf("got %v after %s, and the connection %v", err, after, h.Alive())
		}
		closeHost(t, h)
	})
}

// endless is an input without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
