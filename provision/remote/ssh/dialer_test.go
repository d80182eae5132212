package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// stub is a server that does what serve does with each connection, and its port.
func stub(t *testing.T, serve func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

// silent says nothing until the peer gives up.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// TestDeadHostsHoldUpNobody dials a hundred hosts that never answer, in two ways, and one that does. There is one turn
// for all of them, and no time limit: if the others held it, the good one would never be reached.
func TestDeadHostsHoldUpNobody(t *testing.T) {
	good := startSSHD(t)
	deaf := stub(t, silent)
	var waiting sync.WaitGroup
	waiting.Add(100)
	d := NewDialer(Options{Handshakes: 1, DialTimeout: time.Hour, LoginTimeout: time.Hour, DialNet: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "192.0.2.1:22" { // a black hole
			waiting.Done()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if strings.HasSuffix(addr, fmt.Sprintf(":%d", deaf)) {
			waiting.Done()
		}
		return c, err
	}})
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs := make(chan error)
	for i := range 100 {
		target := good.target(t)
		if target.Port = deaf; i%2 == 0 {
			target.Address, target.Port = "192.0.2.1", 22
		}
		go func() {
			_, err := d.Dial(ctx, target)
			errs <- err
		}()
	}
	waiting.Wait()
	within, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	h, err := d.Dial(within, good.target(t))
	if err != nil {
		t.Fatalf("the good host was held up: %v", err)
	}
	closeHost(t, h)
	select {
	case err := <-errs:
		t.Errorf("a dead host did not wait: %v", err)
	default:
	}
	cancel()
	for range 100 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

// TestSlowHostGivesItsTurnBack has a host that greets and then says nothing: others get its turn.
func TestSlowHostGivesItsTurnBack(t *testing.T) {
	good := startSSHD(t)
	target := good.target(t)
	greeted := make(chan struct{})
	target.Port = stub(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "SSH-2.0-stub\r\n")
		r := bufio.NewReader(c)
		_, _ = r.ReadString('\n')
		_, _ = r.ReadByte() // the handshake goes on, so it has its turn
		close(greeted)
		silent(c)
	})
	d := NewDialer(Options{Handshakes: 1, LoginTimeout: time.Hour})
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	slow := make(chan error)
	go func() {
		_, err := d.Dial(ctx, target)
		slow <- err
	}()
	<-greeted
	within, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	h, err := d.Dial(within, good.target(t))
	if err != nil {
		t.Fatalf("the good host was held up: %v", err)
	}
	closeHost(t, h)
	cancel()
	if err := <-slow; !errors.Is(err, context.Canceled) {
		t.Errorf("slow host: %v", err)
	}
}

// TestTurns counts handshakes that go on at once: never more than there are turns, and each gets one in the end.
func TestTurns(t *testing.T) {
	const hosts, turns = 6, 2
	var greetings sync.WaitGroup
	greetings.Add(hosts)
	computing, most := 0, 0
	var mu sync.Mutex
	begun, end := make(chan struct{}, hosts), make(chan struct{})
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		computing += n
		most = max(most, computing)
	}
	target := startSSHD(t).target(t)
	target.Port = stub(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "SSH-2.0-stub\r\n")
		r := bufio.NewReader(c)
		_, _ = r.ReadString('\n')
		greetings.Done()
		if _, err := r.ReadByte(); err != nil {
			return
		}
		count(1)
		begun <- struct{}{}
		<-end
		count(-1)
	})
	d := NewDialer(Options{Handshakes: turns})
	d.turnTime = time.Hour
	defer d.Close()
	errs := make(chan error)
	for range hosts {
		go func() {
			_, err := d.Dial(t.Context(), target)
			errs <- err
		}()
	}
	greetings.Wait()
	for i := range hosts {
		<-begun
		if i >= turns-1 { // so that there are always as many as there may be
			end <- struct{}{}
			<-errs
		}
	}
	close(end)
	for range turns - 1 {
		<-errs
	}
	mu.Lock()
	defer mu.Unlock()
	if most != turns {
		t.Errorf("%d handshakes at once, want %d", most, turns)
	}
}

// TestReadOnce removes what a first login has read: the next of the same run does not miss it.
func TestReadOnce(t *testing.T) {
	srv := startSSHD(t)
	target := srv.target(t)
	known := filepath.Join(t.TempDir(), "known_hosts")
	target.HostKey, target.KnownHosts = "", []string{known}
	remotetest.WriteText(t, known, fmt.Sprintf("cp1 ssh-ed25519 !!!\n[127.0.0.1]:%d %s\n", srv.Port, remotetest.KeyText(srv.HostKeys["ed25519"])))
	logger, logged := remotetest.DebugLog()
	d := NewDialer(Options{Log: logger})
	defer d.Close()
	for range 3 {
		h, err := d.Dial(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		closeHost(t, h)
		_ = errors.Join(os.Remove(known), os.Remove(srv.Identity)) // gone after the first
	}
	if n := strings.Count(logged.String(), "known_hosts line ignored"); n != 1 {
		t.Errorf("the malformed line was reported %d times", n)
	}
	if _, err := reach(t.Context(), target, Options{}); !errors.Is(err, remote.ErrAuth) {
		t.Errorf("another run: got %v, want that the identity file is missing", err)
	}
}

// countingAgent counts what it is asked.
type countingAgent struct {
	agent.Agent
	lists, signs atomic.Int32
}

func (a *countingAgent) List() ([]*agent.Key, error) {
	a.lists.Add(1)
	return a.Agent.List()
}

func (a *countingAgent) Sign(key xssh.PublicKey, data []byte) (*xssh.Signature, error) {
	a.signs.Add(1)
	return a.Agent.Sign(key, data)
}

// TestOneAgent logs in many times at once: the agent is connected to once and lists its keys once. When it has gone in
// between, it is connected to again.
func TestOneAgent(t *testing.T) {
	srv := startSSHD(t)
	ring := &countingAgent{Agent: agent.NewKeyring()}
	if err := ring.Add(agent.AddedKey{PrivateKey: userKey(t, srv)}); err != nil {
		t.Fatal(err)
	}
	conns := serveAgent(t, ring)
	t.Setenv("HOME", t.TempDir())
	target := srv.target(t)
	target.IdentityFiles, target.IdentitiesOnly = nil, false
	d := NewDialer(Options{})
	login := func() {
		h, err := d.Dial(t.Context(), target)
		if err != nil {
			t.Error(err)
			return
		}
		closeHost(t, h)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(login)
	}
	all.Wait()
	first := <-conns
	if len(conns) != 0 || ring.lists.Load() != 1 || ring.signs.Load() != 8 {
		t.Errorf("%d more connections, %d lists, %d signatures; want 0, 1, 8", len(conns), ring.lists.Load(), ring.signs.Load())
	}
	_ = first.Close()
	if _, err := d.Dial(t.Context(), target); !errors.Is(err, remote.ErrAuth) {
		t.Errorf("the login that finds the agent gone: %v", err)
	}
	login()
	second := <-conns
	if ring.lists.Load() != 2 {
		t.Errorf("%d lists", ring.lists.Load())
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("the talk with the agent goes on after Close")
	}
	if err := d.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// TestUnreadableKnownHosts has a file that is there and cannot be read: that is no empty file.
func TestUnreadableKnownHosts(t *testing.T) {
	target := startSSHD(t).target(t)
	target.HostKey, target.KnownHosts = "", []string{t.TempDir()} // a folder
	d := NewDialer(Options{})
	defer d.Close()
	for range 2 {
		if _, err := d.Dial(t.Context(), target); err == nil || !strings.Contains(err.Error(), "read known hosts") || errors.Is(err, remote.ErrHostKey) {
			t.Errorf("got %v", err)
		}
	}
}

// TestCutDuringLogin has a connection end at several places of the handshake: nothing that the network does is a refusal.
func TestCutDuringLogin(t *testing.T) {
	srv := startSSHD(t)
	for _, limit := range []int64{0, 10, 1000, 1500} {
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &limited{Conn: c, left: limit}, err
		}
		_, err := reach(t.Context(), srv.target(t), Options{DialNet: dial})
		if !errors.Is(err, remote.ErrUnreachable) || errors.Is(err, remote.ErrAuth) || errors.Is(err, remote.ErrHostKey) {
			t.Errorf("cut after %d bytes: %v", limit, err)
		}
	}
}

// limited is a connection that ends when it has delivered so many bytes.
type limited struct {
	net.Conn
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.EOF
	}
	n, err := l.Conn.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

func TestDefaults(t *testing.T) {
	target := Target{Address: "192.0.2.1"}.withDefaults()
	if target.Name != "192.0.2.1" || target.Port != 22 || target.User == "" {
		t.Errorf("%+v", target)
	}
	given := Target{Name: "cp1", Address: "192.0.2.1", Port: 2222, User: "ann"}
	if got := given.withDefaults(); got.Name != "cp1" || got.Port != 2222 || got.User != "ann" {
		t.Errorf("%+v", got)
	}
	if o := (Options{}).withDefaults(); o.DialTimeout != 4*time.Second || o.LoginTimeout != 15*time.Second || o.KeepAlive != 3*time.Second || o.Handshakes != 64 {
		t.Errorf("%+v", o)
	}
}
