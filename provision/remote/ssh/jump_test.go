package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
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

// Whatever is wrong with a jump host, or between it and the target, is said of the right one of both.
func TestJumpHostsThatDoNotHelp(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	unforwarding, strict := startSSHD(t, "AllowTcpForwarding no"), startSSHD(t, "PermitOpen 192.0.2.7:22")
	stranger := filepath.Join(t.TempDir(), "stranger")
	remotetest.WriteKey(t, stranger, remotetest.NewEd25519(t), "")
	closed := remotetest.RefusingPort(t)
	silentPort := stub(t, silent)
	nowhere := Target{Name: "w1", Address: "127.0.0.1", Port: closed, User: "ann", IdentityFiles: []string{stranger}, IdentitiesOnly: true, HostKey: "SHA256:x"}
	changed := func(s server, change func(*Target)) Target {
		target := s.bastion(t, "bastion")
		change(&target)
		return target
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	remotetest.WriteText(t, known, fmt.Sprintf("[127.0.0.1]:%d %s\n", bastion.Port, remotetest.KeyText(remotetest.NewPublic(t))))
	behindUnforwarding := unforwarding.bastion(t, "bastion")
	for name, tt := range map[string]struct {
		way  []Target
		to   Target
		is   error
		jump string // the jump host that is to blame; empty when it is the target
		says []string
		not  string
	}{
		"jump host refuses the login": {
			way: []Target{changed(bastion, func(t *Target) { t.IdentityFiles = []string{stranger} })}, to: last.target(t), is: remote.ErrAuth, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "login refused: tried ", "name another user in ssh.jump"}, not: "ssh.user",
		},
		"no key for the jump host": {
			way: []Target{changed(bastion, func(t *Target) { t.IdentityFiles = []string{"/none"} })}, to: last.target(t), is: remote.ErrAuth, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "/none does not exist"},
		},
		"jump host has another key": {
			way: []Target{changed(bastion, func(t *Target) { t.HostKey = "SHA256:x" })}, to: last.target(t), is: remote.ErrHostKey, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "host key of bastion ("},
		},
		"known_hosts has another key": {
			way: []Target{changed(bastion, func(t *Target) { t.HostKey, t.KnownHosts = "", []string{known} })}, to: last.target(t), is: remote.ErrHostKey, jump: "bastion",
			says: []string{known + ":1", "ssh-keygen -R"},
		},
		"jump host is unknown": {
			way: []Target{changed(bastion, func(t *Target) { t.HostKey, t.KnownHosts = "", []string{"/none"} })}, to: last.target(t), is: remote.ErrHostKey, jump: "bastion",
			says: []string{"no known key", fmt.Sprintf("add this line to /none:\n[127.0.0.1]:%d ssh-ed25519 ", bastion.Port)}, not: "ssh.hostKey",
		},
		"jump host is not there": {
			way: []Target{changed(bastion, func(t *Target) { t.Port = closed })}, to: last.target(t), is: remote.ErrUnreachable, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "connection refused"},
		},
		"second jump host is not there": {
			way: []Target{bastion.bastion(t, "bastion"), changed(bastion, func(t *Target) { t.Name, t.Port = "inner", closed })}, to: last.target(t), is: remote.ErrUnreachable, jump: "inner",
			says: []string{"connect to the jump host inner (", "the jump host bastion (", "cannot connect to 127.0.0.1:" + strconv.Itoa(closed)},
		},
		"jump host does not forward": {
			way: []Target{behindUnforwarding}, to: last.target(t), is: remote.ErrForwarding, jump: "bastion",
			says: []string{"the jump host bastion (" + behindUnforwarding.login() + ") lets no connections through to " + last.target(t).addr(), "AllowTcpForwarding"},
		},
		"jump host does not forward there": {
			way: []Target{strict.bastion(t, "bastion")}, to: last.target(t), is: remote.ErrForwarding, jump: "bastion", says: []string{"PermitOpen"},
		},
		"target refuses connections": {
			way: []Target{bastion.bastion(t, "bastion")}, to: nowhere, is: syscall.ECONNREFUSED,
			says: []string{"connect to " + nowhere.login() + ": host is unreachable: the jump host bastion (", ") cannot connect to " + nowhere.addr() + ": connection refused"},
		},
		"target does not greet": {
			way: []Target{bastion.bastion(t, "bastion")}, to: changed(last, func(t *Target) { t.Port = silentPort }), is: remote.ErrUnreachable,
			says: []string{"no SSH server answers there"},
		},
		"target has another key": {
			way: []Target{bastion.bastion(t, "bastion")}, to: changed(last, func(t *Target) { t.HostKey = "SHA256:x" }), is: remote.ErrHostKey,
			says: []string{"connect to " + last.target(t).login() + ": host key of"},
		},
		"target refuses the login": {
			way: []Target{bastion.bastion(t, "bastion")}, to: changed(last, func(t *Target) { t.IdentityFiles = []string{stranger} }), is: remote.ErrAuth,
			says: []string{"connect to " + last.target(t).login() + ": login refused", "set ssh.user"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, Options{DialTimeout: time.Second})
			tt.to.Jump = tt.way
			_, err := d.Dial(t.Context(), tt.to)
			var jump *JumpError
			blamed := ""
			if errors.As(err, &jump) {
				blamed = jump.Host.Name
			}
			if !errors.Is(err, tt.is) || blamed != tt.jump {
				t.Fatalf("blames %q: %v", blamed, err)
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) {
				t.Errorf("error says %q:\n%v", tt.not, err)
			}
		})
	}
}

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
