package model

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

const (
	oldEndpoint = "192.0.2.11:6443"
	newEndpoint = "api.lab.example:8443"
)

func endpoint(is string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) { c.ControlPlane.Endpoint = is }
}

// goes has the simulation wish for something else, on hosts that it has or that are new.
func (s *Simulation) goes(wish desired.State) *Simulation {
	fork := s.Fork()
	for _, host := range wish.Cluster.Hosts() {
		if _, exists := fork.Facts.Hosts[host.Name]; !exists {
			fork.Facts.Hosts[host.Name] = world.FreshHost(host)
		}
	}
	fork.State = wish
	return fork
}

// remembered are what is left of an endpoint that the cluster had: API servers go on to have certificates for it.
var remembered = regexp.MustCompile(`formerEndpoints:[^\s\]]*|apiServer:\n +certSANs:\n( +- \S+\n)+|apiServer.certSANs is absent, want \[[^\]]*\]`)

func withoutFormer(state string) string {
	words := strings.Fields(remembered.ReplaceAllString(state, ""))
	return strings.ReplaceAll(strings.Join(words, "\n"), "\n]", "]")
}

// From one endpoint to another, with more control planes or without, wherever a run is cut off: all places come to name the new
// one, or again the old one for who changes his mind, and at no time is anybody cut off (see wantServed).
func TestEndpointMoves(t *testing.T) {
	for name, edits := range map[string][2]func(*inventory.Cluster){
		"a name":                    {nil, endpoint(newEndpoint)},
		"three control planes":      {nil, world.All(world.ThreeControlPlanes, endpoint(newEndpoint))},
		"from a name":               {world.All(world.ThreeControlPlanes, endpoint(newEndpoint)), world.All(world.ThreeControlPlanes, endpoint("vip.lab.example:6443"))},
		"behind a proxy":            {world.WithProxy, world.All(world.WithProxy, endpoint(newEndpoint))},
		"with settings and add-ons": {nil, world.All(world.AllAddons, endpoint(newEndpoint), world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"}))},
	} {
		t.Run(name, func(t *testing.T) {
			before := inUse(t, edits[0])
			before.WantConverged()
			wish := world.State(t, edits[1])
			whole := before.goes(wish)
			whole.WantConverged()
			home := whole.goes(before.State)
			if len(wish.Cluster.Hosts()) == len(before.State.Cluster.Hosts()) {
				home.WantConverged()
			}
			everyCut(t, func(n int, kill, late bool) bool {
				s := before.goes(wish)
				s.cutOff(n, kill, late)
				_ = s.up()
				reached, _ := s.uncut()
				back := s.Fork()
				s.WantConverged()
				s.wantState(whole.state())
				if len(wish.Cluster.Hosts()) == len(before.State.Cluster.Hosts()) {
					back.State = before.State
					back.WantConverged()
					if is, want := withoutFormer(back.state()), withoutFormer(home.state()); is != want && name != "behind a proxy" {
						t.Errorf("back it is another state: %s", difference(is, want))
					}
				}
				return reached
			})
		})
	}
}

// A cluster whose endpoint is dead gets another one: workers are cut off until they know of it.
func TestEndpointMovesWhenDead(t *testing.T) {
	before := inUse(t, endpoint("old.lab.example:6443"))
	before.WantConverged()
	before.dead = map[string]bool{"old.lab.example": true}
	wish := world.State(t, endpoint(newEndpoint))
	whole := before.goes(wish)
	whole.WantConverged()
	everyCut(t, func(n int, kill, late bool) bool {
		s := before.goes(wish)
		s.cutOff(n, kill, late)
		_ = s.up()
		reached, _ := s.uncut()
		s.WantConverged()
		s.wantState(whole.state())
		return reached
	})
}

// A new endpoint at which nobody answers is not gone over to: all places stay as they are.
func TestEndpointThatDoesNotAnswer(t *testing.T) {
	s := inUse(t, nil)
	s.WantConverged()
	moved := s.goes(world.State(t, endpoint(newEndpoint)))
	moved.dead = map[string]bool{"api.lab.example": true}
	if err := moved.up(); err == nil || !strings.Contains(err.Error(), "nobody answers at https://"+newEndpoint) {
		t.Errorf("up: %v", err)
	}
	moved.State = s.State
	moved.wantEverywhere()
	moved.WantConverged()
}

// Which host comes first in a file that names no endpoint changes none.
func TestEndpointOfAnotherOrder(t *testing.T) {
	derived := func(c *inventory.Cluster) { c.ControlPlane.EndpointDerived = true }
	s := inUse(t, world.All(world.ThreeControlPlanes, derived))
	s.WantConverged()
	other := s.goes(world.State(t, world.All(world.ThreeControlPlanes, derived, func(c *inventory.Cluster) {
		hosts := c.ControlPlane.Hosts
		hosts[0], hosts[2] = hosts[2], hosts[0]
		c.ControlPlane.Endpoint = "192.0.2.13:6443"
	})))
	if made := plan.Make(other.State, other.Observe()); !made.Empty() || len(made.Errors()) > 0 {
		t.Errorf("another order of hosts plans\n%v", made.Steps)
	}
	other.WantConverged()
}

// Whatever one place says, the others being right: it is mended, also when that is cut off.
func TestEndpointDrifts(t *testing.T) {
	const third = "https://192.0.2.77:6443"
	kubeconfig := func(host, path string) func(*Simulation) {
		return func(s *Simulation) {
			_ = s.change(host, func(h *facts.Host) error {
				world.Written(h, path, 0o600, []byte(world.Kubeconfig(third)))
				SetActive(h, templates.KubeletService, "active")
				return nil
			})
			delete(s.stale, host+"/"+templates.KubeletService)
		}
	}
	right := inUse(t, world.ThreeControlPlanes)
	right.WantConverged()
	for name, drift := range map[string]func(*Simulation){
		"admin.conf":         kubeconfig("cp2", templates.AdminConf),
		"kubelet.conf":       kubeconfig("w1", templates.KubeletConf),
		"of a control plane": kubeconfig("cp3", templates.KubeletConf),
		"kube-proxy": func(s *Simulation) {
			s.Facts.API.Kubeconfigs[desired.ProxyKubeconfig().String()] = world.Kubeconfig(third)
		},
		"cluster-info": func(s *Simulation) {
			s.Facts.API.Kubeconfigs[desired.InfoKubeconfig().String()] = world.Kubeconfig(third)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cuts := everyCut(t, func(n int, kill, late bool) bool {
				s := right.Fork()
				s.t = t
				s.dead = map[string]bool{"192.0.2.77": true}
				drift(s)
				if made := plan.Make(s.State, s.Observe()); made.Empty() {
					t.Error("nothing is planned")
				}
				s.cutOff(n, kill, late)
				_ = s.up()
				reached, _ := s.uncut()
				s.WantConverged()
				s.wantState(right.state())
				return reached
			})
			if cuts*stride() < 2 {
				t.Error(fmt.Sprint(cuts, " places to be cut off at"))
			}
		})
	}
}
