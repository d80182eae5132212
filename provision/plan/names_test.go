package plan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/model"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// The user names sets of objects, and no name makes their steps one with another step.
func TestNamesOfManifests(t *testing.T) {
	manifests := func(c *inventory.Cluster) {
		for _, name := range []string{"token", "mint", "settings", "record", "announce", "kube-proxy", "init", "join", "network-rollout", "rollout"} {
			path := filepath.Join(t.TempDir(), name+".yaml")
			text := fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: app}\n", name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c.Addons.Manifests = append(c.Addons.Manifests, inventory.Manifest{Name: name, Path: path})
		}
	}
	fresh := model.Simulate(t, world.State(t, manifests))
	made := plan.Make(fresh.State, fresh.Observe())
	if err := made.Sound(); err != nil {
		t.Error(err)
	}
	if want := "cluster/token"; len(made.Steps) < 30 || !slices.ContainsFunc(made.Steps, func(s plan.Step) bool { return s.ID == want }) {
		t.Errorf("there is no %s:\n%s", want, plan.Show(made))
	}
	fresh.WantConverged()
	changed := fresh.Fork()
	changed.State = world.State(t, world.All(manifests, world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"})))
	if err := plan.Make(changed.State, changed.Observe()).Sound(); err != nil {
		t.Error(err)
	}
	changed.WantConverged()
}
