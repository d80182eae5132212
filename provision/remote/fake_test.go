package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// fake is a way to a machine whose processes say that they start, and end when they are told to.
type fake struct {
	started chan *fakeProcess
	lost    chan error // what Wait says
	broken  error      // what Start says
	closing error      // what Close says
	mute    bool       // processes do not say that they start, until announce
	noise   string     // what is said on standard error before all else
	frozen  bool       // Start does not return before its context ends
	once    sync.Once

	mu        sync.Mutex
	processes []*fakeProcess
}

func newFake() *fake { return &fake{started: make(chan *fakeProcess, 16), lost: make(chan error, 1)} }

func (f *fake) Start(ctx context.Context, e remote.Exec) (remote.Process, error) {
	if f.broken != nil {
		return nil, f.broken
	}
	if f.frozen {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	p := &fakeProcess{line: e.Line, stdout: e.Stdout, stderr: e.Stderr, end: make(chan error, 1), input: &remotetest.Buffer{}, begun: make(chan struct{})}
	_, _ = io.WriteString(e.Stderr, f.noise)
	if !f.mute {
		p.announce(e.Stdout)
		p.announce(e.Stderr)
	}
	f.mu.Lock()
	f.processes = append(f.processes, p)
	f.mu.Unlock()
	f.started <- p
	return p, nil
}

func (*fake) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("no way")
}

func (f *fake) Wait() error { return <-f.lost }

func (f *fake) Close() error {
	f.once.Do(func() { close(f.lost) })
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.processes {
		_ = p.Close()
	}
	return f.closing
}

// count is how many processes were started.
func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.processes)
}

type fakeProcess struct {
	line           string
	stdout, stderr io.Writer
	end            chan error
	once           sync.Once
	input          *remotetest.Buffer
	told           sync.Once
	begun          chan struct{} // closed when it was told to begin
	inputEnded     atomic.Bool
}

// announce says on an output that the process is there, if it does that.
func (p *fakeProcess) announce(out io.Writer) {
	if i := strings.Index(p.line, "fairlead-start-"); i >= 0 {
		fmt.Fprintln(out, p.line[i:i+len("fairlead-start-")+26], 42)
	}
}

// fakeInput is an input whose end nobody notices.
type fakeInput struct{ *fakeProcess }

func (i fakeInput) Write(b []byte) (int, error) {
	i.told.Do(func() { close(i.begun) })
	return i.input.Write(b)
}

func (i fakeInput) Close() error {
	i.inputEnded.Store(true)
	return nil
}

func (p *fakeProcess) Stdin() io.WriteCloser { return fakeInput{p} }
func (p *fakeProcess) Wait() error           { return <-p.end }
func (p *fakeProcess) Close() error {
	p.once.Do(func() { close(p.end) })
	return nil
}

var truth = remote.Command{Argv: []string{"true"}}

// TestCommandsWait starts as many commands as may run, and more: they wait for the others' end, their context's, or the way's.
func TestCommandsWait(t *testing.T) {
	way := newFake()
	logger, logged := remotetest.DebugLog()
	h := remote.New(way, remote.Settings{Name: "cp1", User: "ann", Commands: 2, Log: logger})
	errs := make(chan error, 8)
	run := func(ctx context.Context) { _, err := h.Run(ctx, truth); errs <- err }
	go run(t.Context())
	go run(t.Context())
	first, second := <-way.started, <-way.started
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := h.Run(ctx, truth); !errors.Is(err, why) || way.count() != 2 {
		t.Errorf("%v after %d processes", err, way.count())
	}
	go run(t.Context())
	select {
	case <-way.started:
		t.Error("a third command runs beside two")
	case <-time.After(20 * time.Millisecond): // too short is no failure
	}
	first.end <- nil
	if err := <-errs; err != nil {
		t.Error(err)
	}
	third := <-way.started
	go run(t.Context())
	way.lost <- fmt.Errorf("%w: cut", remote.ErrLost)
	if err := <-errs; !errors.Is(err, remote.ErrLost) {
		t.Errorf("the one that waited: %v", err)
	}
	second.end <- &remote.Exit{Code: 3}
	third.end <- errors.New("no word of its end")
	for range 2 {
		if err := <-errs; err == nil {
			t.Error("no error")
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(logged.String(), " host=cp1 "); n != strings.Count(logged.String(), "\n") {
		t.Errorf("not each record names the host:\n%s", logged)
	}
}

// TestLimit lowers the bound while commands run: those come to their end, and then no more run at once than may.
func TestLimit(t *testing.T) {
	for limit, want := range map[int]int{2: 2, 1: 1, 0: 1, -1: 1, 4: 4, 9: 4} {
		synctest.Test(t, func(t *testing.T) {
			way := newFake()
			h := remote.New(way, remote.Settings{Name: "cp1", Commands: 4})
			errs := make(chan error, 16)
			run := func() { _, err := h.Run(t.Context(), truth); errs <- err }
			for range 4 {
				go run()
			}
			synctest.Wait()
			h.Limit(limit)
			h.Limit(9) // which raises nothing
			for range 4 {
				(<-way.started).end <- nil
			}
			synctest.Wait()
			for range 6 {
				go run()
			}
			synctest.Wait()
			if running := way.count() - 4; running != want {
				t.Errorf("limited to %d: %d run at once, want %d", limit, running, want)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			for range 10 {
				<-errs
			}
		})
	}
}

func TestNoBound(t *testing.T) {
	way := newFake()
	h := remote.New(way, remote.Settings{Name: "cp1"})
	errs := make(chan error, 16)
	for range 16 {
		go func() { _, err := h.Run(t.Context(), truth); errs <- err }()
	}
	for range 16 {
		<-way.started // all of them, as none has ended
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for range 16 {
		<-errs
	}
}

// TestLostWhileStarting has Start know of the loss before Wait does: then the host knows, too.
func TestLostWhileStarting(t *testing.T) {
	way := newFake()
	way.broken = fmt.Errorf("start: %w", remote.ErrLost)
	h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
	over := make(chan error)
	go func() { _, err := h.Run(t.Context(), truth); over <- err }()
	cause := fmt.Errorf("%w: no answer", remote.ErrLost)
	way.lost <- cause
	if err := <-over; !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
	if err := h.Alive(); !errors.Is(err, cause) {
		t.Errorf("Alive: %v", err)
	}
	way.closing = errors.New("what a broken way says")
	if err := h.Close(); err != nil {
		t.Errorf("Close of a way that was lost: %v", err)
	}
}

func TestStartRefused(t *testing.T) {
	way := newFake()
	way.broken = errors.New("no processes left")
	h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
	if _, err := h.Run(t.Context(), truth); !errors.Is(err, way.broken) || h.Sessions() != 0 {
		t.Errorf("%v, %d processes", err, h.Sessions())
	}
	if _, err := h.DialContext(t.Context(), "tcp", "10.0.0.1:1"); err == nil || err.Error() != "dial 10.0.0.1:1 from cp1: no way" {
		t.Errorf("dial: %v", err)
	}
	way.closing = errors.New("cannot close")
	if err := h.Close(); !errors.Is(err, way.closing) {
		t.Errorf("Close: %v", err)
	}
	if _, err := h.Run(t.Context(), truth); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := h.DialContext(t.Context(), "tcp", "10.0.0.1:1"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after Close: %v", err)
	}
}

// TestStopGrace looks at the process that ends a cancelled command.
func TestStopGrace(t *testing.T) {
	for grace, want := range map[time.Duration]string{0: " 42 50'", 300 * time.Millisecond: " 42 3'", -1: " 42 50'"} {
		way := newFake()
		h := remote.New(way, remote.Settings{Name: "cp1", User: "root", StopGrace: grace})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { _, err := h.Run(ctx, truth); over <- err }()
		command := <-way.started
		<-command.begun // or nothing would have to be ended
		cancel()
		killer := <-way.started
		if !strings.HasSuffix(killer.line, want) {
			t.Errorf("%s: %s does not end with %s", grace, killer.line, want)
		}
		command.end <- &remote.Exit{Code: 143, Signal: "TERM"}
		killer.end <- nil
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", grace, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestHowItEnded tells what became of a command from how its process ended.
func TestHowItEnded(t *testing.T) {
	for name, tt := range map[string]struct {
		end  error
		says string
	}{
		"well":    {nil, ""},
		"code":    {&remote.Exit{Code: 7}, "exit 7"},
		"signal":  {&remote.Exit{Code: 137, Signal: "KILL"}, "killed by SIGKILL"},
		"unknown": {errors.New("no exit code came"), "no exit code came"},
	} {
		way := newFake()
		h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
		over := make(chan error)
		go func() { _, err := h.Run(t.Context(), truth); over <- err }()
		(<-way.started).end <- tt.end
		err := <-over
		if (err == nil) != (tt.says == "") || err != nil && err.Error() != tt.says {
			t.Errorf("%s: got %v", name, err)
		}
		var exit *remote.ExitError
		if errors.As(err, &exit) && (exit.Host != "cp1" || exit.Withheld()) {
			t.Errorf("%s: %+v", name, exit)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
