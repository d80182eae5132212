package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// TestStages says of every kind of step which stage it is of: those of a host by their name, those
// of the cluster by their ID.
func TestStages(t *testing.T) {
	const want = `
		apply: cluster/app cluster/ingress cluster/kubelet-approver cluster/metrics-server cluster/network node
		await: await-api await-kubeadm
		install: containerd images kubernetes
		join: cluster/token/mint cluster/token/revoke cluster/token/sweep init join
		leave: leave
		prepare: docker kernel proxy registries swap
		ready: cluster/ingress/rollout cluster/kubelet-approver/rollout cluster/metrics-server/rollout cluster/network/rollout ready serving
		record: cluster/settings/announce cluster/settings/record
		reset: reset
		settle: cluster/settings/kube-proxy keep-settings kubelet-settings settings
		source: repositories
		supply: registry registry-fill`
	refused := world.Refused()
	found := map[Stage]map[string]bool{}
	add := func(plan Plan) {
		for _, step := range plan.Steps {
			name := step.ID
			if first, rest, _ := strings.Cut(step.ID, "/"); first != "cluster" {
				name = rest
			}
			if found[step.Stage] == nil {
				found[step.Stage] = map[string]bool{}
			}
			found[step.Stage][name] = true
		}
	}
	for _, c := range []struct { // together they have every kind of step
		edit   func(*inventory.Cluster)
		fresh  bool
		change func(*facts.Facts)
	}{
		{edit: world.All(world.AllAddons, world.OwnRegistryOnWorker), fresh: true, change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) { h.Swaps = []facts.Swap{{Device: "/dev/vdb"}} })
		}},
		{edit: world.All(world.FromRepositories, world.WithDocker, world.WithProxy), fresh: true},
		{fresh: true, change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) { h.Units[templates.KubeadmService] = facts.Unit{Active: "active"} })
		}},
		{change: func(f *facts.Facts) { f.API = facts.API{Err: refused} }},
		{change: func(f *facts.Facts) {
			f.API.StaleTokens = []string{"abcdef"}
			world.ChangeNode(*f, "cp1", func(n *object.Node) { n.Taints = nil })
			f.API.Applied["app"] = []object.Applied{{}}
		}},
		{edit: world.All(world.Config(templates.KindKubelet, map[string]any{"maxPods": 200}), world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"}),
			world.Config(templates.KindCluster, map[string]any{"apiServer": map[string]any{"certSANs": []any{"api.lab.example"}}}))},
	} {
		wish := world.State(t, c.edit)
		seen := world.Converged(t, world.State(t, nil))
		if c.fresh {
			seen = fresh(t, wish)
		}
		if c.change != nil {
			c.change(&seen)
		}
		add(Make(wish, seen))
	}
	wish := world.State(t, nil)
	leaves := world.Converged(t, wish)
	world.ChangeHost(leaves, "w1", func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: ledger.File, Key: "/etc/x", Was: "absent"}} })
	leave, err := MakeReset(wish, leaves, ResetOrder{Names: []string{"w1"}})
	if err != nil {
		t.Fatal(err)
	}
	add(leave)
	var lines []string
	for _, stage := range slices.Sorted(maps.Keys(found)) {
		lines = append(lines, string(stage)+": "+strings.Join(slices.Sorted(maps.Keys(found[stage])), " "))
	}
	if got := strings.Join(lines, "\n"); got != strings.ReplaceAll(strings.TrimSpace(want), "\t", "") {
		t.Errorf("stages are\n%s\nwant%s", got, strings.ReplaceAll(want, "\t", ""))
	}
}
