package observe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/connect"
	"fairlead/provision/desired"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/kube/kubetest"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/templates"
)

// scene is an observer of hosts that are not there. What they answer to the probe is a text.
type scene struct {
	*Observer
	t      *testing.T
	hosts  map[string]*remotetest.Pretend
	before func(ctx context.Context, name string) // called before a host answers

	mu      sync.Mutex
	answers map[string]string
	refused map[string]error // hosts that cannot be connected to
	floods  map[string]int64 // hosts that say that much instead
	events  []event.Event
}

// asked is what the hosts of a scene are asked.
func asked() facts.Query {
	return facts.Query{Paths: []string{"/etc/it's"}, Sysctls: []string{"vm.swappiness"}, Remains: true}
}

// newScene has every host of a wish answer that it is there, and nothing else.
func newScene(t *testing.T, wish desired.State, complete bool) *scene {
	t.Helper()
	s := &scene{
		t: t, hosts: map[string]*remotetest.Pretend{}, before: func(context.Context, string) {},
		answers: map[string]string{}, refused: map[string]error{}, floods: map[string]int64{},
	}
	for _, host := range wish.Cluster.Hosts() {
		s.hosts[host.Name] = remotetest.NewPretend(t, func(ctx context.Context, c remotetest.Call) remotetest.Reply {
			return s.probed(ctx, host.Name, c)
		})
		s.says(host.Name, "uid\t0", "clock\tNOW", "hostname\t"+host.Name)
	}
	connections := connect.NewWith(wish.Cluster, func(_ context.Context, host inventory.Host) (*remote.Host, error) {
		return s.hosts[host.Name].Host(host.Name), s.refused[host.Name]
	})
	t.Cleanup(func() {
		if err := connections.Close(); err != nil {
			t.Error(err)
		}
	})
	events := event.NewEmitter(time.Now, func(e event.Event) { s.events = append(s.events, e) })
	s.Observer = New(wish, complete, asked(), connections, events)
	return s
}

// says makes the lines all that a host answers to the probe, but for its end.
func (s *scene) says(name string, lines ...string) {
	s.answer(name, strings.Join(lines, "\n")+"\nend\n")
}

func (s *scene) answer(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name] = text
}

// probed is how a host answers the probe, the only command that an observation may run.
func (s *scene) probed(ctx context.Context, name string, c remotetest.Call) remotetest.Reply {
	if c.Script != templates.ScriptProbe.Text() || !c.Root {
		s.t.Errorf("%s was to run %q, a script of %d bytes, as root: %v", name, c.Argv, len(c.Script), c.Root)
	}
	s.before(ctx, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if said, fails := strings.CutPrefix(s.answers[name], "fail: "); fails {
		return remotetest.Reply{Stderr: said + "\n", Code: 2}
	}
	if flood := s.floods[name]; flood > 0 {
		return remotetest.Reply{Flood: flood}
	}
	return remotetest.Reply{Stdout: strings.ReplaceAll(s.answers[name], "NOW", fmt.Sprint(time.Now().UnixNano()))}
}

// observe looks at all, and fails the test when that is cut off.
func (s *scene) observe() facts.Facts {
	s.t.Helper()
	seen, err := s.Observe(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return seen
}

// controlPlane gives a host a control plane whose API server is api.
func (s *scene) controlPlane(name string, api *kubetest.API) {
	s.says(name, "uid\t0", "clock\tNOW", "manifest\tkube-apiserver.yaml", "kubeconfig\tadmin.conf")
	s.hosts[name].PutFile(templates.AdminConf, api.Kubeconfig())
	s.hosts[name].OnDial(api.Dial)
}
