package provision

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"fairlead/inventory"
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
	fresh := simulate(t, testWish(t, manifests))
	plan := MakePlan(fresh.wish, fresh.observe())
	sound(t, plan)
	if want := "cluster/token"; len(plan.Steps) < 30 || !(&planner{plan: plan}).has(want) {
		t.Errorf("there is no %s:\n%s", want, show(plan))
	}
	fresh.wantConverged()
	changed := fresh.fork()
	changed.wish = testWish(t, all(manifests, config(templates.KindKubeProxy, map[string]any{"mode": "nftables"})))
	sound(t, MakePlan(changed.wish, changed.observe()))
	changed.wantConverged()
}
