package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
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
		"nodes of other names":      world.All(world.ThreeControlPlanes, world.AllAddons, world.OtherNodeNames),
		"all add-ons":               world.AllAddons,
		"a kind of one's own":       manifests(t, "own", widgetDefinition+widget),
		"a kind for others":         world.All(manifests(t, "definition", widgetDefinition), manifests(t, "object", widget)),
		"private registry":          world.All(world.PrivateRegistry(t), world.AllAddons),
		"own registry":              world.OwnRegistryOnWorker,
		"packages":                  world.FromRepositories,
		"packages without a bundle": world.All(world.FromRepositories, world.WithoutBundle),
		"packages behind a proxy":   world.All(world.FromRepositories, world.WithProxy),
		"docker":                    world.All(world.FromRepositories, world.WithDocker),
		"docker with registries":    world.All(world.FromRepositories, world.WithDocker, world.WithRegistries),
		"docker beside a bundle":    world.WithDocker,
		"proxy":                     world.WithProxy,
		"packages beside a bundle":  world.WithPackages,
		"other packages beside it":  world.WithFewerPackages,
		"packages beside packages":  world.All(world.FromRepositories, world.WithProxy, world.WithPackages),
		"control planes of both":    world.All(world.ThreeControlPlanes, world.DualStack),
		"a shared address":          world.All(world.ThreeControlPlanes, world.Shared),
		"a shared address alone":    world.All(world.Shared, world.WithPackages),
		"two IP families":           world.All(world.DualStack, world.Publicly("api.example.org:443")),
		"settings": world.All(
			world.Config(templates.KindKubelet, map[string]any{"maxPods": 200}),
			world.Config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{"extraArgs": world.Args("v", "4")}, "apiServer": map[string]any{"certSANs": []any{"api.lab.example"}}}),
			world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"}),
		),
	}
}

const (
	widgetDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.lab.example}
spec:
  group: lab.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
---
`
	widget = `apiVersion: lab.example/v1
kind: Widget
metadata: {name: one, namespace: default}
`
)

// manifests has objects come from a file of the user.
func manifests(t *testing.T, name, text string) func(*inventory.Cluster) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *inventory.Cluster) {
		c.Addons.Manifests = append(c.Addons.Manifests, inventory.Manifest{Name: name, Path: path})
	}
}

// Up makes new hosts a cluster, the plan is empty after it, and no token is left.
func TestUpConverges(t *testing.T) {
	for name, edit := range wishes(t) {
		t.Run(name, func(t *testing.T) {
			fresh := inUse(t, edit)
			for n := range seeds() {
				s := fresh.Fork()
				s.seedWith(fresh.seed + n)
				s.WantConverged()
			}
		})
	}
}

// seeds are how many orders of steps are tried.
func seeds() uint64 {
	if testing.Short() {
		return 3
	}
	return 30
}

// inUse are new hosts on which their users have things of their own.
func inUse(t *testing.T, edit func(*inventory.Cluster)) *Simulation {
	t.Helper()
	s := Simulate(t, world.State(t, edit))
	for name := range s.Facts.Hosts {
		_ = s.change(name, func(h *facts.Host) error { ofUser(h); return nil })
	}
	return s
}

// stride is from one place to be cut off at to the next: all of them, in a short run some.
func stride() int {
	if testing.Short() {
		return 12
	}
	return 1
}

// Wherever a run is cut off, the next one goes on to the same end. The token ends with the
// run, unless its own end was what failed; then it is the next run that ends it.
func TestUpGoesOnWhereItWasCutOff(t *testing.T) {
	for name, edit := range wishes(t) {
		t.Run(name, func(t *testing.T) {
			fresh := inUse(t, edit)
			whole := fresh.Fork()
			whole.WantConverged()
			cuts := everyCut(t, func(n int, kill, late bool) bool {
				s := fresh.Fork()
				s.cutOff(n, kill, late)
				err := s.up()
				reached, keepsToken := s.uncut()
				if !reached {
					return false
				}
				if !errors.Is(err, errCut) || len(s.cluster.tokens) > 0 && !keepsToken {
					t.Fatalf("cut off: %v, tokens %v", err, s.cluster.tokens)
				}
				s.WantConverged()
				s.wantState(whole.state())
				return true
			})
			if cuts*stride() < 20 {
				t.Errorf("%d places to be cut off at", cuts)
			}
		})
	}
}

// everyCut tries each place at which a run can be cut off, or some, until there is none. Runs are
// killed and lose an action by turns.
func everyCut(t *testing.T, try func(n int, kill, late bool) bool) (cuts int) {
	t.Helper()
	for n := 0; ; n += stride() {
		reached := try(n, cuts%2 == 1, cuts%4 > 1)
		if t.Failed() {
			t.Fatalf("after the cut at place %d", n)
		}
		if !reached {
			return cuts
		}
		cuts++
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
		{"one control plane", "three control planes"}, {"one control plane", "a shared address"}, {"three control planes", "a shared address"},
		{"one control plane", "packages", "and back"}, {"packages", "one control plane"},
		{"one control plane", "packages without a bundle", "and back"}, {"packages", "packages without a bundle", "and back"},
		{"one control plane", "proxy", "and back"}, {"proxy", "one control plane", "and back"},
		{"packages", "packages behind a proxy", "and back"}, {"packages behind a proxy", "one control plane"},
		{"packages", "docker"}, {"docker with registries", "docker", "and back"}, {"docker", "packages", "and back"},
		{"docker beside a bundle", "docker", "and back"},
		{"one control plane", "packages beside a bundle", "and back"}, {"packages beside a bundle", "one control plane"},
		{"packages beside a bundle", "other packages beside it"}, {"packages beside packages", "packages behind a proxy"},
		{"a kind of one's own", "one control plane", "and back"}, {"a kind for others", "one control plane", "and back"},
	} {
		t.Run(fmt.Sprint(change[0], " to ", change[1]), func(t *testing.T) {
			before := inUse(t, all[change[0]])
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
			everyCut(t, func(n int, kill, late bool) bool {
				s := before.Fork()
				s.State = wish
				s.cutOff(n, kill, late)
				_ = s.up()
				reached, _ := s.uncut()
				back := s.Fork()
				s.WantConverged()
				s.wantState(whole.state())
				if change[2] == "and back" {
					back.State = before.State
					back.WantConverged()
					back.wantState(before.state())
				}
				return reached
			})
		})
	}
}
