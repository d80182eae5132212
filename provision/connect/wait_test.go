package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// steady is a clock that goes on when somebody waits, and says for how long.
type steady struct {
	mu     sync.Mutex
	now    time.Time
	waited []time.Duration
	before func(n int) // the nth wait
}

func newSteady() *steady { return &steady{now: time.Unix(1e9, 0), before: func(int) {}} }

func (s *steady) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *steady) After(d time.Duration) <-chan time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited, s.now = append(s.waited, d), s.now.Add(d)
	s.before(len(s.waited))
	rings := make(chan time.Time, 1)
	rings <- s.now
	return rings
}

// told are the reasons that were given.
type told struct {
	mu      sync.Mutex
	reasons []string
}

func (r *told) tell(host, reason string, since time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reasons = append(r.reasons, fmt.Sprintf("%s: %s (%s)", host, reason, Spelled(since)))
}

// waiting are connections that wait by a clock of the test.
func waiting(c *Connections, limit time.Duration) (*steady, *told) {
	clock, said := newSteady(), &told{}
	c.WaitForHosts(Wait{For: limit, Clock: clock, Tell: said.tell})
	return clock, said
}

// A host is waited for until it greets: first nobody listens, then somebody does who says nothing, then sshd is there.
func TestWaitForSSHD(t *testing.T) {
	sshd := remotetest.StartSSHD(t)
	cluster := lab("cp1")
	toSSHD(t, &cluster.ControlPlane.Hosts[0], sshd)
	real := cluster.ControlPlane.Hosts[0].SSH.Port
	refusing := remotetest.RefusingPort(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	stage := refusing
	connections := New(cluster, ssh.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), DialTimeout: 300 * time.Millisecond,
		DialNet: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != net.JoinHostPort(cluster.ControlPlane.Hosts[0].Address.String(), fmt.Sprint(real)) {
				t.Errorf("dialled is %s", address)
			}
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", stage))
		},
	}, nothing())
	defer connections.Close()
	clock, said := waiting(connections, 10*time.Minute)
	clock.before = func(n int) {
		switch n {
		case 2:
			stage = mute.Addr().(*net.TCPAddr).Port
		case 3:
			stage = real
		}
	}
	host := get(t, connections, "cp1")
	if _, err := host.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil {
		t.Error(err)
	}
	if len(said.reasons) != 3 || said.reasons[0] != "cp1: connection refused (0 s)" || !strings.HasPrefix(said.reasons[1], "cp1: connection refused (1 s)") ||
		!strings.HasPrefix(said.reasons[2], "cp1: no SSH server answers yet (") {
		t.Errorf("told was %q", said.reasons)
	}
	for i, longest := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if clock.waited[i] > longest || clock.waited[i] < longest*3/4 {
			t.Errorf("pause %d took %v", i, clock.waited[i])
		}
	}
}

// What does not become right by itself is an error at once, with a key as well as with a login.
func TestWaitForNothing(t *testing.T) {
	sshd := remotetest.StartSSHD(t)
	stranger := remotetest.KeyText(remotetest.NewPublic(t))
	for name, c := range map[string]struct {
		change func(*inventory.SSH)
		want   error
	}{
		"another key":      {func(s *inventory.SSH) { s.HostKey = stranger }, remote.ErrHostKey},
		"no known key":     {func(s *inventory.SSH) { s.HostKey, s.KnownHosts = "", "/nonexistent" }, remote.ErrHostKey},
		"another user":     {func(s *inventory.SSH) { s.User = "nobody-of-that-name" }, remote.ErrAuth},
		"no identity file": {func(s *inventory.SSH) { s.IdentityFile = "/nonexistent" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := lab("cp1")
			toSSHD(t, &cluster.ControlPlane.Hosts[0], sshd)
			c.change(&cluster.ControlPlane.Hosts[0].SSH)
			connections := New(cluster, ssh.Options{Log: slog.New(slog.DiscardHandler)}, nothing())
			defer connections.Close()
			clock, said := waiting(connections, time.Hour)
			_, err := connections.Host(t.Context(), "cp1")
			if err == nil || c.want != nil && !errors.Is(err, c.want) || strings.Contains(err.Error(), "waited") {
				t.Errorf("got %v", err)
			}
			if len(clock.waited) > 0 || len(said.reasons) > 0 {
				t.Errorf("waited %v: %q", clock.waited, said.reasons)
			}
			if key, err := connections.HostKey(t.Context(), "cp1"); errors.Is(c.want, remote.ErrHostKey) != (key.Refused != nil) || err != nil {
				t.Errorf("key %+v, %v", key, err)
			}
		})
	}
}

// The time is over for all hosts at once, counts from the first attempt, and is named at the end; afterwards each is tried once.
func TestWaitEnds(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1", "cp2"), l.dial)
	clock, said := waiting(c, 20*time.Second)
	refused := fmt.Errorf("connect to u@h: %w: %w", remote.ErrUnreachable, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	l.fails["cp1"], l.fails["cp2"] = refused, refused
	_, err := c.Host(t.Context(), "cp1")
	if !errors.Is(err, remote.ErrUnreachable) || !strings.HasSuffix(err.Error(), "connection refused (waited 20 s for it)") {
		t.Errorf("at the end: %v", err)
	}
	var all time.Duration
	for _, d := range clock.waited {
		all += d
	}
	if longest := slices.Max(clock.waited); all != 20*time.Second || longest > 5*time.Second || len(said.reasons) != len(clock.waited) {
		t.Errorf("waited %v, in all %v", clock.waited, all)
	}
	before := len(clock.waited)
	if _, err := c.Host(t.Context(), "cp2"); err == nil || len(clock.waited) != before {
		t.Errorf("another host got a time of its own: %v", err)
	}
	l.fails = map[string]error{}
	get(t, c, "cp1") // which has come later
}

// A host that was reached is not waited for when it goes away: that is for who has lost it.
func TestWaitForFirstContactOnly(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1"), l.dial)
	clock, _ := waiting(c, time.Hour)
	host := get(t, c, "cp1")
	l.dialled("cp1")[0].Lose()
	<-host.Done()
	l.fails["cp1"] = remote.ErrUnreachable
	if _, err := c.Host(t.Context(), "cp1"); !errors.Is(err, remote.ErrUnreachable) || len(clock.waited) > 0 {
		t.Errorf("waited %v: %v", clock.waited, err)
	}
}

// never is a clock whose time does not come.
type never struct{ begun chan bool }

func (never) Now() time.Time { return time.Unix(1e9, 0) }

func (n never) After(time.Duration) <-chan time.Time {
	n.begun <- true
	return nil
}

// Waiting ends with the run, and with its cause.
func TestWaitIsCancelled(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1"), l.dial)
	l.fails["cp1"] = remote.ErrUnreachable
	clock := never{make(chan bool, 1)}
	c.WaitForHosts(Wait{For: time.Hour, Clock: clock, Tell: func(string, string, time.Duration) {}})
	ctx, cancel := context.WithCancelCause(t.Context())
	over := make(chan error)
	go func() { _, err := c.Host(ctx, "cp1"); over <- err }()
	<-clock.begun
	enough := errors.New("enough")
	cancel(enough)
	if err := <-over; !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestWhy(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, c := range map[string]struct {
		err  error
		wait bool
	}{
		"connection refused":        {dial(syscall.ECONNREFUSED), true},
		"no route to host":          {dial(syscall.EHOSTUNREACH), true},
		"network is unreachable":    {dial(syscall.ENETUNREACH), true},
		"nothing answers":           {dial(context.DeadlineExceeded), true},
		"its name is not found":     {dial(&net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}), true},
		"no SSH server answers yet": {io.EOF, true},
		"invalid argument":          {dial(syscall.EINVAL), false},
		"permission denied":         {dial(syscall.EACCES), false},
	} {
		err := fmt.Errorf("connect to a host: %w: %w", remote.ErrUnreachable, c.err)
		if got := why(err); got != want || mayCome(err) != c.wait {
			t.Errorf("%v: %q, may come: %v", err, got, mayCome(err))
		}
	}
	if mayCome(remote.ErrAuth) || mayCome(remote.ErrHostKey) || mayCome(context.Canceled) {
		t.Error("what is not about reaching a host is tried again")
	}
}

func TestSpelled(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Millisecond: "0 s", 8 * time.Second: "8 s", 10 * time.Minute: "10 min", 90 * time.Second: "1 min 30 s",
		time.Hour: "1 h", 90 * time.Minute: "1 h 30 min", time.Hour + time.Second: "1 h 1 s",
	} {
		if got := Spelled(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// A host that is no host of SSH has no key, and a stranger neither.
func TestHostKeyOfNobody(t *testing.T) {
	cluster := lab("here")
	cluster.ControlPlane.Hosts[0].SSH.Transport = inventory.TransportLocal
	c := New(cluster, ssh.Options{}, nothing())
	if _, err := c.HostKey(t.Context(), "here"); !errors.Is(err, ErrNoHostKey) {
		t.Errorf("this machine: %v", err)
	}
	if _, err := c.HostKey(t.Context(), "w9"); err == nil || err.Error() != "host w9 is not in the inventory" {
		t.Errorf("a stranger: %v", err)
	}
}
