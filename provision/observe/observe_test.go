package observe

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/remote"
)

// A host is asked once, as root, and what it says are its facts; so are those of all others.
func TestObserveAsksEveryHostOnce(t *testing.T) {
	s := newScene(t, world.State(t, nil), true)
	begin := time.Now()
	seen := s.observe()
	if len(seen.Hosts) != 3 || seen.ObservedAt.Before(begin) || seen.ObservedAt.After(time.Now()) {
		t.Errorf("%d hosts at %s", len(seen.Hosts), seen.ObservedAt)
	}
	for name, host := range s.hosts {
		fact := seen.Hosts[name]
		if fact.Unreachable != nil || !fact.Root || fact.Hostname != name || !fact.Asked.Includes(asked()) || fact.ClockOffset != 0 {
			t.Errorf("%s is %+v", name, fact)
		}
		calls := host.Calls()
		if got := strings.Join(calls[0].Argv, " "); len(calls) != 1 || got != "path:/etc/it's sysctl:vm/swappiness remains:" {
			t.Errorf("%s was asked %d times, for %s", name, len(calls), got)
		}
	}
	if seen.API.Err == nil || seen.API.Err.Kind != facts.APINoCluster || len(seen.ImageProblems) != 0 {
		t.Errorf("the cluster is %+v, images %v", seen.API, seen.ImageProblems)
	}
	if len(s.events) != 4 || s.events[0].Kind != event.Observing || s.events[0].Message != "3 hosts" {
		t.Errorf("events are %+v", s.events)
	}
	for _, e := range s.events[1:] {
		if e.Kind != event.Observed || s.hosts[e.Host] == nil || e.Error != "" || e.Seconds < 0 || e.Seconds > time.Since(begin).Seconds() {
			t.Errorf("event %+v", e)
		}
	}
}

// What one host is asked beside the others comes to what all are asked.
func TestObserveHostAsksMore(t *testing.T) {
	s := newScene(t, world.State(t, nil), true)
	host, _ := s.wish.Cluster.Host("w1")
	seen := s.ObserveHost(t.Context(), host, facts.Query{Units: []string{"swap.target"}})
	if want := (facts.Query{Units: []string{"swap.target"}}); !seen.Asked.Includes(want) || !seen.Asked.Includes(asked()) {
		t.Errorf("asked %+v", seen.Asked)
	}
	if again := s.ObserveHost(t.Context(), host); len(again.Asked.Units) != 0 {
		t.Errorf("the next one was asked %+v", again.Asked)
	}
}

// No host waits for another's answer.
func TestHostsAreAskedAtOnce(t *testing.T) {
	s := newScene(t, world.State(t, nil), true)
	var all sync.WaitGroup
	all.Add(len(s.hosts))
	s.before = func(context.Context, string) { all.Done(); all.Wait() }
	for name, host := range s.observe().Hosts {
		if host.Unreachable != nil {
			t.Errorf("%s: %v", name, host.Unreachable)
		}
	}
}

// A control plane whose sshd lets no connection through, and whose address is nobody's, is known before anything is changed; of a
// worker nobody asks.
func TestHostsThatDoNotForward(t *testing.T) {
	s := newScene(t, world.State(t, nil), true)
	for _, name := range []string{"cp1", "w1"} {
		s.hosts[name].OnDial(func(context.Context, string, string) (net.Conn, error) { return nil, remote.ErrForwarding })
	}
	seen := s.observe()
	if problem := seen.Hosts["cp1"].Forwarding; !problem.Of(facts.HostForwards) || !strings.HasPrefix(problem.Text, "dial 192.0.2.11:6443 from cp1: the host refuses to forward connections; and straight to its address: ") {
		t.Errorf("cp1: %+v", problem)
	}
	if seen.Hosts["cp1"].Unreachable != nil || seen.Hosts["w1"].Forwarding != nil {
		t.Errorf("%+v", seen.Hosts)
	}
}

// Whatever keeps a host from answering is a problem with its kind and text: never a fact that
// something is absent, and never another host's.
func TestHostsWithoutAnAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene)
		kind   facts.Kind
		text   string
	}{
		{"unreachable", func(s *scene) { s.refused["w1"] = remote.ErrUnreachable }, facts.HostUnreachable, "host is unreachable"},
		{"another key", func(s *scene) { s.refused["w1"] = remote.ErrHostKey }, facts.HostKey, "host key verification failed"},
		{"fails", func(s *scene) { s.answer("w1", "fail: awk: not found") }, facts.HostNoAnswer, "run the probe: exit 2: awk: not found"},
		{"says nothing", func(s *scene) { s.answer("w1", "") }, facts.HostNoAnswer, "read the probe's answer: probe answer: it ends early, after 0 bytes"},
		{"cut off", func(s *scene) { s.answer("w1", "uid\t0\nen") }, facts.HostNoAnswer, "it ends early, after 8 bytes"},
		{"lost", func(s *scene) {
			s.before = func(ctx context.Context, name string) {
				if name == "w1" {
					s.hosts["w1"].Lose()
					<-ctx.Done()
				}
			}
		}, facts.HostLost, "connection lost: "},
	} {
		s := newScene(t, world.State(t, nil), true)
		c.change(s)
		seen := s.observe()
		problem := seen.Hosts["w1"].Unreachable
		if !problem.Of(c.kind) || !strings.Contains(problem.Text, c.text) || seen.Hosts["w1"].Root {
			t.Errorf("%s: %+v", c.name, seen.Hosts["w1"])
			continue
		}
		for _, e := range s.events {
			if (e.Host == "w1") != (e.Error != "") || e.Error != "" && e.Error != problem.Text {
				t.Errorf("%s: event %+v", c.name, e)
			}
		}
		if !seen.Hosts["cp1"].Root || !seen.Hosts["w2"].Root {
			t.Errorf("%s: the others are %+v", c.name, seen.Hosts)
		}
	}
}

// An observation that is cut off says so, and waits for no host.
func TestObserveEndsWithItsContext(t *testing.T) {
	s := newScene(t, world.State(t, nil), true)
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(ctx context.Context, _ string) {
		cancel()
		<-ctx.Done()
	}
	if seen, err := s.Observe(ctx); !errors.Is(err, context.Canceled) || len(seen.Hosts) != 3 || !seen.ObservedAt.IsZero() {
		t.Errorf("%+v, %v", seen, err)
	}
}

// A program that is the bundle's has the bundle's version; of others the host has said it.
func TestVersionsOfTheBundle(t *testing.T) {
	s := newScene(t, world.State(t, nil), true)
	digest := s.wish.Bundle.Components[0].Layers[1].Files[0].Digest.Encoded() // the kubelet's
	s.says("w1", "file\t/usr/local/bin/kubelet\t755\t0\t0\t1", "sha256\t/usr/local/bin/kubelet\t"+digest,
		"file\t/usr/local/bin/kubeadm\t755\t0\t0\t1", "sha256\t/usr/local/bin/kubeadm\t"+strings.Repeat("00", 32),
		"version\tkubelet\t/usr/local/bin/kubelet\t", "version\tkubeadm\t/usr/local/bin/kubeadm\t1.36.0")
	versions := s.observe().Hosts["w1"].Versions
	if want := (facts.Version{Path: "/usr/local/bin/kubelet", Version: "1.37.2"}); versions["kubelet"] != want {
		t.Errorf("the kubelet is %+v", versions["kubelet"])
	}
	if want := (facts.Version{Path: "/usr/local/bin/kubeadm", Version: "1.36.0"}); versions["kubeadm"] != want || len(versions) != 2 {
		t.Errorf("all are %+v", versions)
	}
}
