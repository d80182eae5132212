package model

import (
	"errors"
	"fmt"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// wishes are those that the properties below are tried with.
func wishes(t *testing.T) map[string]func(*inventory.Cluster) {
	t.Helper()
	return map[string]func(*inventory.Cluster){
		"one control plane": nil,
		"alone":             func(c *inventory.Cluster) { c.Workers, c.ControlPlane.Schedulable = nil, true },
		"three control planes": world.All(world.ThreeControlPlanes, func(c *inventory.Cluster) {
			c.Workers[0].Labels = map[string]string{"disk": "ssd"}
			c.Workers[0].Taints = []inventory.Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}}
		}),
		"all add-ons":               world.AllAddons,
		"private registry":          world.All(world.PrivateRegistry(t), world.AllAddons),
		"own registry":              world.OwnRegistryOnWorker,
		"packages":                  world.FromRepositories,
		"packages without a bundle": world.All(world.FromRepositories, world.WithoutBundle),
		"packages behind a proxy":   world.All(world.FromRepositories, world.WithProxy),
		"docker":                    world.All(world.FromRepositories, world.WithDocker),
		"docker with registries":    world.All(world.FromRepositories, world.WithDocker, world.WithRegistries),
		"docker beside a bundle":    world.WithDocker,
		"proxy":                     world.WithProxy,
		"settings": world.All(
			world.Config(templates.KindKubelet, map[string]any{"maxPods": 200}),
			world.Config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{"extraArgs": world.Args("v", "4")}, "apiServer": map[string]any{"certSANs": []any{"api.lab.example"}}}),
			world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"}),
		),
	}
}

// Up makes new hosts a cluster, the plan is empty after it, and no token is left.
func TestUpConverges(t *testing.T) {
	for name, edit := range wishes(t) {
		t.Run(name, func(t *testing.T) {
			s := Simulate(t, world.State(t, edit))
			s.WantConverged()
		})
	}
}

// errCut is the failure that is put into the way of a run.
var errCut = errors.New("cut off")

// cutOff lets the nth action of all fail, from the next run on, and says whether it came to it.
func (s *Simulation) cutOff(n int) (came func() bool) {
	s.performed = 0
	reached := false
	s.failAt = func(step plan.Step, _ int) error {
		if s.performed != n+1 {
			return nil
		}
		reached, s.keepsToken = true, step.ID == plan.ClusterRevoke
		return errCut
	}
	return func() bool { return reached }
}

// stride is from one place to be cut off at to the next: all of them, in a short run some.
func stride() int {
	if testing.Short() {
		return 9
	}
	return 1
}

// Wherever a run is cut off, the next one goes on to the same end. The token ends with the
// run, unless its own end was what failed; then it is the next run that ends it.
func TestUpGoesOnWhereItWasCutOff(t *testing.T) {
	for name, edit := range wishes(t) {
		t.Run(name, func(t *testing.T) {
			cuts, fresh := 0, Simulate(t, world.State(t, edit))
			whole := fresh.Fork()
			whole.WantConverged()
			for n := 0; ; n += stride() {
				s := fresh.Fork()
				came := s.cutOff(n)
				err := s.up(t.Context())
				if !came() {
					break
				}
				cuts++
				if !errors.Is(err, errCut) || s.token && !s.keepsToken {
					t.Fatalf("cut off at action %d: %v, token %v", n, err, s.token)
				}
				s.failAt = func(plan.Step, int) error { return nil }
				s.WantConverged()
				s.wantState(whole.state())
				if t.Failed() {
					t.Fatalf("after the cut at action %d", n)
				}
			}
			if cuts*stride() < 20 {
				t.Errorf("%d places to be cut off at", cuts)
			}
		})
	}
}

// From one wish to another up converges, also when it is cut off: to the same state as
// without the cut, or back to what was there, for who changes his mind.
func TestUpFromOneWishToAnother(t *testing.T) {
	all := wishes(t)
	for _, change := range [][3]string{
		{"one control plane", "all add-ons", "and back"}, {"all add-ons", "one control plane", "and back"},
		{"one control plane", "own registry"}, {"one control plane", "private registry"}, {"private registry", "one control plane"},
		{"one control plane", "settings", "and back"}, {"settings", "one control plane", "and back"},
		{"one control plane", "three control planes"},
		{"one control plane", "packages", "and back"}, {"packages", "one control plane"},
		{"one control plane", "packages without a bundle", "and back"}, {"packages", "packages without a bundle", "and back"},
		{"one control plane", "proxy", "and back"}, {"proxy", "one control plane", "and back"},
		{"packages", "packages behind a proxy", "and back"}, {"packages behind a proxy", "one control plane"},
		{"packages", "docker"}, {"docker with registries", "docker", "and back"}, {"docker", "packages", "and back"},
		{"docker beside a bundle", "docker", "and back"},
	} {
		t.Run(fmt.Sprint(change[0], " to ", change[1]), func(t *testing.T) {
			before := Simulate(t, world.State(t, all[change[0]]))
			before.WantConverged()
			wish := world.State(t, all[change[1]])
			for _, host := range wish.Cluster.Hosts() {
				if _, exists := before.Facts.Hosts[host.Name]; !exists {
					before.Facts.Hosts[host.Name] = world.FreshHost(host)
				}
			}
			whole := before.Fork()
			whole.State = wish
			whole.WantConverged()
			for n := 0; ; n += stride() {
				s := before.Fork()
				s.State = wish
				came := s.cutOff(n)
				err := s.up(t.Context())
				s.failAt = func(plan.Step, int) error { return nil }
				back := s.Fork()
				s.WantConverged()
				s.wantState(whole.state())
				if change[2] == "and back" {
					back.State = before.State
					back.WantConverged()
					back.wantState(before.state())
				}
				if t.Failed() {
					t.Fatalf("after the cut at action %d: %v", n, err)
				}
				if !came() {
					return
				}
			}
		})
	}
}
