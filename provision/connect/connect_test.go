package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// lab are hosts of an inventory that are all at the address of this machine.
func lab(names ...string) *inventory.Cluster {
	cluster := &inventory.Cluster{Name: "lab"}
	for _, name := range names {
		host := inventory.Host{Name: name, Address: netip.MustParseAddr("127.0.0.1"), Role: inventory.RoleControlPlane}
		cluster.ControlPlane.Hosts = append(cluster.ControlPlane.Hosts, host)
	}
	return cluster
}

// lines are hosts that are not there, and how often each was dialled.
type lines struct {
	t     *testing.T
	mu    sync.Mutex
	ends  map[string][]*remotetest.Pretend
	fails map[string]error
	ring  func(name string) // called in each dial
}

func newLines(t *testing.T) *lines {
	return &lines{t: t, ends: map[string][]*remotetest.Pretend{}, fails: map[string]error{}, ring: func(string) {}}
}

func (l *lines) dial(_ context.Context, host inventory.Host) (*remote.Host, error) {
	l.ring(host.Name)
	end := remotetest.NewPretend(l.t, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fails[host.Name]; err != nil {
		return nil, err
	}
	l.ends[host.Name] = append(l.ends[host.Name], end)
	return end.Host(host.Name), nil
}

func (l *lines) dialled(name string) []*remotetest.Pretend {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[name]
}

func get(t *testing.T, c *Connections, name string) *remote.Host {
	t.Helper()
	host, err := c.Host(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// A host is dialled once, however often it is asked for; a connection that was lost is replaced.
func TestOneConnectionForEachHost(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1", "cp2"), l.dial)
	first, other := get(t, c, "cp1"), get(t, c, "cp2")
	if first.Name() != "cp1" || other.Name() != "cp2" || get(t, c, "cp1") != first || len(l.dialled("cp1")) != 1 {
		t.Errorf("%s and %s after %d connections", first.Name(), other.Name(), len(l.dialled("cp1")))
	}
	l.dialled("cp1")[0].Lose()
	<-first.Done()
	if second := get(t, c, "cp1"); second == first || second.Alive() != nil || get(t, c, "cp1") != second {
		t.Error("a lost connection is not replaced once")
	}
	if get(t, c, "cp2") != other || len(l.dialled("cp2")) != 1 {
		t.Error("the loss of one host concerns another")
	}
	if _, err := c.Host(t.Context(), "w9"); err == nil || err.Error() != "host w9 is not in the inventory" {
		t.Errorf("a stranger: %v", err)
	}
}

// Those who ask for a host at the same time get the same connection; other hosts are dialled meanwhile.
func TestHostsAreDialledAtOnce(t *testing.T) {
	l := newLines(t)
	ringing, answered := make(chan string, 8), make(chan bool)
	l.ring = func(name string) { ringing <- name; <-answered }
	c := NewWith(lab("cp1", "cp2"), l.dial)
	var asking sync.WaitGroup
	var hosts [8]*remote.Host
	for i, name := range []string{"cp1", "cp1", "cp1", "cp1", "cp2", "cp2", "cp2", "cp2"} {
		asking.Go(func() {
			host, err := c.Host(t.Context(), name)
			if err != nil {
				t.Error(err)
			}
			hosts[i] = host
		})
	}
	if one, other := <-ringing, <-ringing; one == other { // both ring before either has answered
		t.Errorf("%s is dialled twice at once", one)
	}
	close(answered)
	asking.Wait()
	if hosts[0] != hosts[1] || hosts[0] != hosts[3] || hosts[4] != hosts[7] || hosts[0] == hosts[4] {
		t.Error("hosts have several connections")
	}
}

// Who waits for another's dialling may give up, and has the cause of that. A dial that failed is tried again by the next.
func TestWaitingForADial(t *testing.T) {
	l := newLines(t)
	ringing, answered := make(chan bool, 2), make(chan bool)
	l.ring = func(string) { ringing <- true; <-answered }
	l.fails["cp1"] = remote.ErrUnreachable
	c := NewWith(lab("cp1"), l.dial)
	over := make(chan error)
	go func() { _, err := c.Host(t.Context(), "cp1"); over <- err }()
	<-ringing
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := c.Host(ctx, "cp1"); !errors.Is(err, enough) {
		t.Errorf("who gave up: %v", err)
	}
	close(answered)
	if err := <-over; !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("an unreachable host: %v", err)
	}
	l.fails = nil
	get(t, c, "cp1")
}

// Close ends every connection, also one that comes to stand only afterwards, and says what went wrong.
func TestCloseEndsAll(t *testing.T) {
	l := newLines(t)
	c := NewWith(lab("cp1", "cp2", "cp3"), l.dial)
	broken := errors.New("the agent does not hang up")
	c.closing = func() error { return broken }
	one, two := get(t, c, "cp1"), get(t, c, "cp2")
	ringing, answered := make(chan bool), make(chan bool)
	l.ring = func(string) { close(ringing); <-answered }
	late := make(chan error)
	go func() { _, err := c.Host(t.Context(), "cp3"); late <- err }()
	<-ringing
	if err := c.Close(); !errors.Is(err, broken) {
		t.Errorf("Close: %v", err)
	}
	if one.Alive() == nil || two.Alive() == nil {
		t.Error("a connection stands")
	}
	close(answered)
	if err := <-late; !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "connect to cp3: ") {
		t.Errorf("a connection after the end: %v", err)
	}
	if ends := l.dialled("cp3"); len(ends) != 1 || !ends[0].Closed() {
		t.Error("the late connection stands")
	}
}
