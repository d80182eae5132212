package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// bastion is a server as a jump host, which differs from other targets in nothing.
func (s server) bastion(t testing.TB, name string) Target {
	t.Helper()
	target := s.target(t)
	target.Name = name
	return target
}

// behind is the target of s behind jump hosts.
func (s server) behind(t testing.TB, way ...Target) Target {
	t.Helper()
	target := s.target(t)
	target.Jump = way
	return target
}

// open makes a Dialer that ends with the test.
func open(t testing.TB, o Options) *Dialer {
	t.Helper()
	d := NewDialer(o)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// reachBy dials a host that is closed when the test ends, before its Dialer.
func reachBy(t testing.TB, d *Dialer, target Target) *remote.Host {
	t.Helper()
	h, err := d.Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

// says runs a command that says something.
func says(h *remote.Host, word string) error {
	result, err := h.Run(context.Background(), remote.Command{Argv: []string{"echo", word}}) //nolint:usetesting // also where a test is over
	if err == nil && strings.TrimSpace(string(result.Stdout)) != word {
		err = fmt.Errorf("it says %q", result.Stdout)
	}
	return err
}

// The way goes through each jump host in turn, and only the first one is dialled from here.
func TestThroughJumpHosts(t *testing.T) {
	first, second, last := startSSHD(t), startSSHD(t), startSSHD(t)
	for name, way := range map[string][]Target{
		"none": nil,
		"one":  {first.bastion(t, "bastion")},
		"two":  {first.bastion(t, "bastion"), second.bastion(t, "inner")},
	} {
		t.Run(name, func(t *testing.T) {
			var dialled []string
			d := open(t, Options{DialNet: func(ctx context.Context, network, addr string) (net.Conn, error) {
				dialled = append(dialled, addr)
				return new(net.Dialer).DialContext(ctx, network, addr)
			}})
			target := last.behind(t, way...)
			h := reachBy(t, d, target)
			if err := says(h, "hello"); err != nil {
				t.Error(err)
			}
			text := strings.Repeat("0123456789abcdef", 1<<17) // more than a window of a channel
			if back, err := h.Run(t.Context(), remote.Command{Argv: []string{"cat"}, Stdin: strings.NewReader(text)}); err != nil || string(back.Stdout) != text {
				t.Errorf("%d bytes came back: %v", len(back.Stdout), err)
			}
			want := target.addr()
			if len(way) > 0 {
				want = way[0].addr()
			}
			if len(dialled) != 1 || dialled[0] != want {
				t.Errorf("dialled %v, want %s", dialled, want)
			}
		})
	}
}

// Twenty hosts at once share one connection to the jump host. When that is lost, all of them say so in the same words, and the
// next who dials connects anew, once.
func TestHostsShareAJumpHost(t *testing.T) {
	first, second, last := startSSHD(t), startSSHD(t), startSSHD(t)
	d := open(t, Options{})
	way := []Target{first.bastion(t, "bastion"), second.bastion(t, "inner")}
	for round := range 2 {
		var hosts [20]*remote.Host
		var dialling sync.WaitGroup
		for i := range hosts {
			dialling.Go(func() {
				target := last.behind(t, way...)
				target.Name = fmt.Sprintf("w%d", i)
				h, err := d.Dial(t.Context(), target)
				if err == nil {
					err = says(h, target.Name)
				}
				if err != nil {
					t.Error(err)
				}
				hosts[i] = h
			})
		}
		dialling.Wait()
		if t.Failed() {
			t.FailNow()
		}
		if a, b, c := first.Served(), second.Served(), last.Served(); a != round+1 || b != round+1 || c != 20*(round+1) {
			t.Errorf("round %d: %d connections to the first jump host, %d to the second, %d to hosts", round, a, b, c)
		}
		running := make(chan error, len(hosts))
		for _, h := range hosts {
			go func() {
				_, err := h.Run(t.Context(), remote.Command{Argv: []string{"sleep", "600"}})
				running <- err
			}()
		}
		first.Signal(syscall.SIGKILL)
		words := map[string]bool{}
		for range hosts {
			err := <-running
			var jump *JumpError
			if !errors.Is(err, remote.ErrLost) || !errors.As(err, &jump) || jump.Host.Name != "bastion" {
				t.Fatalf("round %d: a command ends with %v", round, err)
			}
			words[jump.Error()] = true
		}
		for _, h := range hosts {
			<-h.Done()
			words[h.Alive().Error()] = true
			closeHost(t, h)
		}
		want := "the connection to the jump host bastion (" + way[0].login() + ") was lost: "
		for word := range words {
			if len(words) != 1 || !strings.HasPrefix(word, want) {
				t.Errorf("round %d: one says %q, want %q", round, word, want)
			}
		}
	}
}

// A jump host that answers nothing any more is lost as any host is, and it is what was lost.
func TestSilentJumpHost(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	d := open(t, Options{KeepAlive: time.Second, DialTimeout: 2 * time.Second})
	target := last.behind(t, bastion.bastion(t, "bastion"))
	h := reachBy(t, d, target)
	bastion.Signal(syscall.SIGSTOP)
	defer bastion.Signal(syscall.SIGKILL)
	_, err := d.Dial(t.Context(), target) // which is over before the loss is noticed
	var jump *JumpError
	if !errors.As(err, &jump) {
		t.Errorf("dialling meanwhile: %v", err)
	}
	<-h.Done()
	if err := h.Alive(); !errors.As(err, &jump) || !errors.Is(err, remote.ErrLost) || !strings.Contains(err.Error(), "jump host bastion (") {
		t.Errorf("the host behind it: %v", err)
	}
}

// A jump host that is lost while a host behind it is logged in to is what was lost.
func TestJumpHostIsLostInALogin(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	d := open(t, Options{})
	target := last.behind(t, bastion.bastion(t, "bastion"))
	connected := make(chan struct{})
	target.Port = stub(t, func(c net.Conn) { close(connected); silent(c) })
	over := make(chan error)
	go func() { _, err := d.Dial(t.Context(), target); over <- err }()
	<-connected
	bastion.Signal(syscall.SIGKILL)
	if err := <-over; !errors.Is(err, remote.ErrLost) || !errors.As(err, new(*JumpError)) || strings.Contains(err.Error(), target.addr()) {
		t.Errorf("got %v", err)
	}
}

// What is lost behind a jump host that lives is not the jump host.
func TestLossBehindAJumpHost(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	d := open(t, Options{KeepAlive: 300 * time.Millisecond})
	for what, signal := range map[string]syscall.Signal{"cut off": syscall.SIGKILL, "silent": syscall.SIGSTOP} {
		h := reachBy(t, d, last.behind(t, bastion.bastion(t, "bastion")))
		last.Signal(signal)
		<-h.Done()
		if err := h.Alive(); !errors.Is(err, remote.ErrLost) || errors.As(err, new(*JumpError)) {
			t.Errorf("%s: %v", what, err)
		}
		last.Signal(syscall.SIGKILL)
	}
	if n := bastion.Served(); n != 1 {
		t.Errorf("%d connections to the jump host", n)
	}
}

// A host that takes nothing more, with much on its way to it, is closed at once all the same.
func TestCloseBehindAFullChannel(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	d := open(t, Options{})
	h, err := d.Dial(t.Context(), last.behind(t, bastion.bastion(t, "bastion")))
	if err != nil {
		t.Fatal(err)
	}
	defer last.Signal(syscall.SIGKILL)
	sent := &atomic.Int64{}
	over := make(chan error)
	go func() {
		_, err := h.Run(t.Context(), remote.Command{Argv: []string{"sleep", "600"}, Stdin: flood{sent}})
		over <- err
	}()
	remotetest.Eventually(t, 20*time.Second, "the command takes its input", func() bool { return sent.Load() > 0 })
	last.Signal(syscall.SIGSTOP)
	before, same := int64(0), 0
	remotetest.Eventually(t, 20*time.Second, "the channel is full", func() bool {
		now := sent.Load()
		if same++; now != before {
			before, same = now, 0
		}
		return before > 0 && same == 30
	})
	closeHost(t, h)
	if err := <-over; err == nil {
		t.Error("the command has ended well")
	}
}

// flood is read for ever, and counts.
type flood struct{ read *atomic.Int64 }

func (f flood) Read(p []byte) (int, error) { f.read.Add(int64(len(p))); return len(p), nil }

// Who waits for an attempt that fails has its error; the next one tries anew. Who gives up takes nobody else's attempt along.
func TestOneAttemptForAllWhoWait(t *testing.T) {
	last := startSSHD(t)
	bastion := last.bastion(t, "bastion")
	bastion.Port = stub(t, silent)
	var dialled atomic.Int32
	d := open(t, Options{DialTimeout: time.Second, DialNet: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	target := last.behind(t, bastion)
	first, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { _, err := d.Dial(first, target); gaveUp <- err }()
	remotetest.Eventually(t, 10*time.Second, "the first one dials", func() bool { return dialled.Load() == 1 })
	errs := make(chan error)
	for range 20 {
		go func() { _, err := d.Dial(t.Context(), target); errs <- err }()
	}
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: %v", err)
	}
	for range 20 {
		if err := <-errs; !errors.Is(err, remote.ErrUnreachable) || !errors.As(err, new(*JumpError)) {
			t.Errorf("who waited: %v", err)
		}
	}
	if n := dialled.Load(); n != 2 {
		t.Errorf("dialled %d times", n)
	}
	if _, err := d.Dial(t.Context(), target); !errors.Is(err, remote.ErrUnreachable) || dialled.Load() != 3 {
		t.Errorf("dialled %d times: %v", dialled.Load(), err)
	}
}

// After Close nobody gets through a jump host any more, and what went through one has ended.
func TestCloseEndsJumpHosts(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	d := NewDialer(Options{})
	target := last.behind(t, bastion.bastion(t, "bastion"))
	h, err := d.Dial(t.Context(), target)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	<-h.Done()
	if err := h.Alive(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the host behind it: %v", err)
	}
	if _, err := d.Dial(t.Context(), target); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dialled afterwards: %v", err)
	}
	closeHost(t, h)
}
