package remote_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// faulty is a connection that can be cut, or fall silent: then it takes what is written and delivers nothing.
type faulty struct {
	net.Conn
	silent chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (f *faulty) isSilent() bool {
	select {
	case <-f.silent:
		return true
	default:
		return false
	}
}

func (f *faulty) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if f.isSilent() {
		<-f.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (f *faulty) Write(p []byte) (int, error) {
	if f.isSilent() {
		return len(p), nil
	}
	return f.Conn.Write(p)
}

func (f *faulty) Close() error {
	f.once.Do(func() { close(f.closed) })
	return f.Conn.Close()
}

// pending starts one operation of each kind that would last for ever, and returns their errors to come.
func pending(t *testing.T, h *remote.Host) map[string]chan error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conn, err := h.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	errs := map[string]chan error{"run": make(chan error, 1), "upload": make(chan error, 1), "tunnel": make(chan error, 1)}
	running, uploading := make(chan struct{}), make(chan struct{})
	go func() {
		_, err := h.Run(t.Context(), remote.Command{Script: "echo up; exec sleep 1000", OnLine: func(string) { close(running) }})
		errs["run"] <- err
	}()
	var begun sync.Once
	path := filepath.Join(t.TempDir(), "f")
	go func() {
		errs["upload"] <- h.Upload(t.Context(), path, 0o600, zeros{}, 1<<50, func(int64) { begun.Do(func() { close(uploading) }) })
	}()
	go func() {
		_, err := conn.Read(make([]byte, 1))
		errs["tunnel"] <- err
	}()
	<-running
	<-uploading
	return errs
}

func TestLost(t *testing.T) {
	for name, fault := range map[string]func(*faulty){
		"connection cut": func(f *faulty) { _ = f.Conn.Close() },
		"peer silent":    func(f *faulty) { close(f.silent) },
	} {
		t.Run(name, func(t *testing.T) {
			var f *faulty
			h := dialSSH(t, remotetest.StartSSHD(t), ssh.Options{
				KeepAlive: 100 * time.Millisecond,
				DialNet: func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, network, addr)
					f = &faulty{Conn: c, silent: make(chan struct{}), closed: make(chan struct{})}
					return f, err
				},
			})
			defer closeHost(t, h)
			errs := pending(t, h)
			fault(f)
			limit := time.After(10 * time.Second)
			for what, err := range errs {
				select {
				case err := <-err:
					if !errors.Is(err, remote.ErrLost) {
						t.Errorf("%s: got %v, want ErrLost", what, err)
					}
				case <-limit:
					t.Fatalf("%s still waits", what)
				}
			}
			<-h.Done()
			if err := h.Alive(); !errors.Is(err, remote.ErrLost) {
				t.Errorf("Alive: %v", err)
			}
			if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}}); !errors.Is(err, remote.ErrLost) {
				t.Errorf("Run afterwards: %v", err)
			}
			if _, err := h.ReadFile(t.Context(), "/etc/passwd"); !errors.Is(err, remote.ErrLost) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("ReadFile afterwards: %v", err)
			}
		})
	}
}

// TestCloseEndsEverything counts goroutines, so nothing else may run beside it.
func TestCloseEndsEverything(t *testing.T) {
	for name, open := range ways() {
		t.Run(name, func(t *testing.T) { closeEndsEverything(t, open) })
	}
}

func closeEndsEverything(t *testing.T, open opener) {
	settle := open(t, setting{}) // what the first use of a way starts for good
	if _, err := settle.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	h := open(t, setting{})
	errs := pending(t, h)
	closeHost(t, h)
	for what, err := range errs {
		if err := <-err; err == nil || errors.Is(err, remote.ErrLost) {
			t.Errorf("%s: got %v, want an error that is not ErrLost", what, err)
		}
	}
	if err := h.Alive(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Alive: %v", err)
	}
	<-h.Done()
	// The test's own sshd has one goroutine that takes connections.
	remotetest.Eventually(t, 5*time.Second, "goroutines end", func() bool { return runtime.NumGoroutine() <= before+1 })
	closeHost(t, h)
}

// TestTunnel speaks HTTP, with deadlines, to a server on the host.
func TestTunnel(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		}))
		defer web.Close()
		transport := &http.Transport{DialContext: h.DialContext}
		defer transport.CloseIdleConnections()
		want := strings.Repeat("0123456789", 200_000)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, strings.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if got, err := io.ReadAll(response.Body); err != nil || string(got) != want {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if h.Sessions() != 0 {
			t.Errorf("a tunnel took %d sessions", h.Sessions())
		}
		_, err = h.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", "1"))
		if err == nil || errors.Is(err, remote.ErrLost) {
			t.Errorf("closed port: got %v", err)
		}
	})
}

func TestTunnelDeadline(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := h.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := c.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := far.Write([]byte("late")); err != nil {
			t.Fatal(err)
		}
		if err := far.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "late" {
			t.Errorf("after the deadline: %q, %v", got, err)
		}
	})
}
