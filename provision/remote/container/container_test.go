package container

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// flags are how each engine is told where its containers are.
var flags = map[string]string{Docker: "--context", Podman: "--connection", Nerdctl: "--namespace"}

// ids are IDs of containers.
var ids = []string{strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)}

// engineWith is a stand-in for Docker with one container, cp1.
func engineWith(t *testing.T) *remotetest.Engine {
	t.Helper()
	e := remotetest.NewEngine(t, Docker, flags[Docker], "")
	e.Run("cp1", ids[0], nil)
	return e
}

// dialWith opens cp1.
func dialWith(t *testing.T, d *Dialer) *remote.Host {
	t.Helper()
	h, err := d.Dial(t.Context(), Target{Name: "cp1", Engine: Docker, Container: "cp1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// TestClients looks at what each client is asked: by the ID, as root, in the context.
func TestClients(t *testing.T) {
	for _, name := range Engines() {
		for _, context := range []string{"", "lab"} {
			e := remotetest.NewEngine(t, name, flags[name], "")
			e.Run("node-1", ids[0], nil)
			h, err := NewDialer(Options{Path: e.Path}).Dial(t.Context(), Target{Name: "cp1", Engine: name, Container: "node-1", Context: context})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if r, err := h.Run(t.Context(), remote.Command{Argv: []string{"echo", "it's"}, Root: true}); err != nil || string(r.Stdout) != "it's\n" {
				t.Errorf("%s: %q, %v", name, r.Stdout, err)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			before := ""
			if context != "" {
				before = flags[name] + " lab "
			}
			calls := e.Calls()
			if len(calls) < 3 || calls[0] != before+"container inspect node-1" {
				t.Errorf("%s: %q", name, calls)
			}
			for _, call := range calls[1:] {
				if !strings.HasPrefix(call, before+"exec -i --user 0 "+ids[0]+" /bin/sh -c") {
					t.Errorf("%s: %q", name, call)
				}
			}
		}
	}
}

// TestSurroundings looks at what a process is given: what a login of root's has, and nothing of ours or of the container's.
func TestSurroundings(t *testing.T) {
	t.Setenv("FL_MINE", "x")
	h := dialWith(t, NewDialer(Options{Path: engineWith(t).Path}))
	r, err := h.Run(t.Context(), remote.Command{Argv: []string{"/bin/sh", "-c", "env; pwd; umask"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for line := range strings.Lines(string(r.Stdout)) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[key] = true
	}
	for _, want := range []string{"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LC_ALL", "PWD", "/", "0022"} {
		if !got[want] {
			t.Errorf("%s is missing in %s", want, r.Stdout)
		}
		delete(got, want)
	}
	delete(got, "_")      // the shell's own
	delete(got, "OLDPWD") // likewise
	if len(got) > 0 {
		t.Errorf("and there is %v", got)
	}
}

// TestLoss has the container go away while a command runs in it, in all ways.
func TestLoss(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*remotetest.Engine)
		says  string
	}{
		"stopped":   {func(e *remotetest.Engine) { e.Stop("cp1") }, "connection lost: docker container cp1 has stopped (exited)"},
		"removed":   {func(e *remotetest.Engine) { e.Remove("cp1", "") }, "connection lost: docker container cp1 is gone"},
		"restarted": {func(e *remotetest.Engine) { e.Restart("cp1") }, "connection lost: docker container cp1 was started anew"},
		"replaced":  {func(e *remotetest.Engine) { e.Remove("cp1", ids[1]) }, "connection lost: docker container cp1 (0123456789ab) is gone, and another one (fedcba987654) has its name"},
		"engine": {func(e *remotetest.Engine) {
			e.Break("Cannot connect to the Docker daemon")
			e.Signal("cp1", syscall.SIGKILL)
		}, "connection lost: docker container cp1 cannot be reached: the engine does not answer (Cannot connect to the Docker daemon)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := engineWith(t)
			h := dialWith(t, NewDialer(Options{Path: e.Path}))
			started, over := make(chan bool, 1), make(chan error, 1)
			go func() {
				_, err := h.Run(t.Context(), remote.Command{Script: "echo here; sleep 1000", OnLine: func(string) { started <- true }})
				over <- err
			}()
			<-started
			tt.spoil(e)
			if err := <-over; !errors.Is(err, remote.ErrLost) || !strings.HasPrefix(err.Error(), tt.says) {
				t.Errorf("got %v, want %s", err, tt.says)
			}
			<-h.Done()
			if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}}); !errors.Is(err, remote.ErrLost) {
				t.Errorf("afterwards: %v", err)
			}
			if _, err := h.DialContext(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, remote.ErrLost) {
				t.Errorf("a connection afterwards: %v", err)
			}
		})
	}
}

// TestCommandIsNotTheContainer has commands end as a client ends that cannot do its work: the container is there all the same.
func TestCommandIsNotTheContainer(t *testing.T) {
	h := dialWith(t, NewDialer(Options{Path: engineWith(t).Path}))
	for _, code := range clientCodes {
		var exit *remote.ExitError
		_, err := h.Run(t.Context(), remote.Command{Script: "exit $1", Argv: []string{strconv.Itoa(code)}})
		if !errors.As(err, &exit) || exit.Code != code {
			t.Errorf("code %d: %v", code, err)
		}
	}
	if err := h.Alive(); err != nil {
		t.Error(err)
	}
}

// TestAnotherUnderTheName dials a container again that is another one now: it is not the same host.
func TestAnotherUnderTheName(t *testing.T) {
	e := engineWith(t)
	d := NewDialer(Options{Path: e.Path})
	first := dialWith(t, d)
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := dialWith(t, d).Alive(); err != nil {
		t.Errorf("the same again: %v", err)
	}
	e.Remove("cp1", ids[1])
	_, err := d.Dial(t.Context(), Target{Name: "cp1", Engine: Docker, Container: "cp1"})
	if !errors.Is(err, remote.ErrHostKey) || !strings.Contains(err.Error(), "it is fedcba987654 now, and was 0123456789ab before") {
		t.Errorf("got %v", err)
	}
}

// TestFrozen has a container that does not answer, as a paused one: its processes are there, and say nothing.
func TestFrozen(t *testing.T) {
	e := engineWith(t)
	h := dialWith(t, NewDialer(Options{Path: e.Path, Beat: time.Second}))
	started, over := make(chan bool, 1), make(chan error, 1)
	go func() {
		_, err := h.Run(t.Context(), remote.Command{Script: "echo here; sleep 1000", OnLine: func(string) { started <- true }})
		over <- err
	}()
	<-started
	e.Signal("cp1", syscall.SIGSTOP)
	if err := <-over; !errors.Is(err, remote.ErrLost) || err.Error() != "connection lost: docker container cp1 does not answer for 3s" {
		t.Errorf("got %v", err)
	}
}

// TestCloseLeavesNothing closes the way while a connection goes through it: its program in the container ends, as does the watching one.
func TestCloseLeavesNothing(t *testing.T) {
	e := engineWith(t)
	d := NewDialer(Options{Path: e.Path})
	h, err := d.Dial(t.Context(), Target{Name: "cp1", Engine: Docker, Container: "cp1"})
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t)
	conn, err := h.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the other end: %v", err)
	}
	remotetest.Eventually(t, 10*time.Second, "processes end", func() bool { return e.Signal("cp1", 0) == 0 })
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestDialGivenUp has a container in which nothing comes of a start.
func TestDialGivenUp(t *testing.T) {
	e := engineWith(t)
	e.Hang()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(enough) })
	if _, err := NewDialer(Options{Path: e.Path}).Dial(ctx, Target{Engine: Docker, Container: "cp1"}); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}
