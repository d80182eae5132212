package provision

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"fairlead/inventory"
	"fairlead/templates"
)

// wishes are those that the properties below are tried with.
func wishes(t *testing.T) map[string]func(*inventory.Cluster) {
	t.Helper()
	return map[string]func(*inventory.Cluster){
		"one control plane": nil,
		"alone":             func(c *inventory.Cluster) { c.Workers, c.ControlPlane.Schedulable = nil, true },
		"three control planes": all(threeControlPlanes, func(c *inventory.Cluster) {
			c.Workers[0].Labels = map[string]string{"disk": "ssd"}
			c.Workers[0].Taints = []inventory.Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}}
		}),
		"all add-ons":               allAddons,
		"private registry":          all(privateRegistry(t), allAddons),
		"own registry":              ownRegistryOnWorker,
		"packages":                  fromRepositories,
		"packages without a bundle": all(fromRepositories, withoutBundle),
		"packages behind a proxy":   all(fromRepositories, withProxy),
		"docker":                    all(fromRepositories, withDocker),
		"docker with registries":    all(fromRepositories, withDocker, withRegistries),
		"docker beside a bundle":    withDocker,
		"proxy":                     withProxy,
		"settings": all(
			config(templates.KindKubelet, map[string]any{"maxPods": 200}),
			config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{"extraArgs": args("v", "4")}, "apiServer": map[string]any{"certSANs": []any{"api.lab.example"}}}),
			config(templates.KindKubeProxy, map[string]any{"mode": "nftables"}),
		),
	}
}

// Up makes new hosts a cluster, the plan is empty after it, and no token is left.
func TestUpConverges(t *testing.T) {
	for name, edit := range wishes(t) {
		t.Run(name, func(t *testing.T) {
			s := simulate(t, testWish(t, edit))
			s.wantConverged()
		})
	}
}

// wantConverged fails the test unless up does its work, and leaves nothing to do.
func (s *simulation) wantConverged() {
	s.t.Helper()
	if err := s.up(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if plan := MakePlan(s.wish, s.observe()); !plan.Empty() || plan.More != "" {
		s.t.Errorf("the plan is not empty:\n%s", show(plan))
	}
	if s.token || len(s.stale) > 0 {
		s.t.Errorf("left: a bootstrap token %v, services with old files %v", s.token, slices.Sorted(maps.Keys(s.stale)))
	}
	if runs, is := s.normal(templates.KindKubeProxy, s.proxy), s.normal(templates.KindKubeProxy, s.is.API.Settings[templates.KindKubeProxy]); runs != is {
		s.t.Errorf("kube-proxy runs with %s instead of %s", runs, is)
	}
}

// wantState fails the test unless the world has come to be that one.
func (s *simulation) wantState(want string) {
	s.t.Helper()
	if is := s.state(); is != want {
		s.t.Errorf("another state: %s", difference(is, want))
	}
}

// errCut is the failure that is put into the way of a run.
var errCut = errors.New("cut off")

// cutOff lets the nth action of all fail, from the next run on, and says whether it came to it.
func (s *simulation) cutOff(n int) (came func() bool) {
	s.performed = 0
	reached := false
	s.failAt = func(step Step, _ int) error {
		if s.performed != n+1 {
			return nil
		}
		reached, s.keepsToken = true, step.ID == clusterRevoke
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
			cuts, fresh := 0, simulate(t, testWish(t, edit))
			whole := fresh.fork()
			whole.wantConverged()
			for n := 0; ; n += stride() {
				s := fresh.fork()
				came := s.cutOff(n)
				err := s.up(t.Context())
				if !came() {
					break
				}
				cuts++
				if !errors.Is(err, errCut) || s.token && !s.keepsToken {
					t.Fatalf("cut off at action %d: %v, token %v", n, err, s.token)
				}
				s.failAt = func(Step, int) error { return nil }
				s.wantConverged()
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
			before := simulate(t, testWish(t, all[change[0]]))
			before.wantConverged()
			wish := testWish(t, all[change[1]])
			for _, host := range wish.Cluster.Hosts() {
				if _, exists := before.is.Hosts[host.Name]; !exists {
					before.is.Hosts[host.Name] = freshHost(host)
				}
			}
			whole := before.fork()
			whole.wish = wish
			whole.wantConverged()
			for n := 0; ; n += stride() {
				s := before.fork()
				s.wish = wish
				came := s.cutOff(n)
				err := s.up(t.Context())
				s.failAt = func(Step, int) error { return nil }
				back := s.fork()
				s.wantConverged()
				s.wantState(whole.state())
				if change[2] == "and back" {
					back.wish = before.wish
					back.wantConverged()
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
