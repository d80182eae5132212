package provision

import (
	"errors"
	"testing"

	"fairlead/inventory"
)

// TestResetPlan resets hosts of a cluster that is as the inventory wants it. Every plan is
// a golden file, every refusal an error.
func TestResetPlan(t *testing.T) {
	for _, c := range []struct {
		name    string
		edit    func(*inventory.Cluster)
		hosts   []string
		change  func(*Facts)
		refused bool
	}{
		{name: "reset-all"},
		{name: "reset-worker", hosts: []string{"w2"}},
		{name: "reset-control-plane", edit: threeControlPlanes, hosts: []string{"cp3"}},
		{name: "reset-worker-not-joined", hosts: []string{"w2"}, change: func(f *Facts) { delete(f.API.Nodes, "w2") }},
		{name: "reset-unreachable", change: func(f *Facts) { f.Hosts["w2"] = HostFacts{Unreachable: errors.New("no route to host")} }},
		{name: "api-away", hosts: []string{"w2"}, change: func(f *Facts) { f.API = APIFacts{Err: errors.New("connection refused")} }, refused: true},
		{name: "last control plane", hosts: []string{"cp1"}, refused: true},
		{name: "unknown host", hosts: []string{"w7"}, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := testWish(t, c.edit)
			facts := converged(t, wish)
			for name := range facts.Hosts {
				changeHost(facts, name, func(h *HostFacts) { h.Ledger = []LedgerEntry{{Kind: touchTree, Key: "/opt/cni", Was: "absent"}} })
			}
			if c.change != nil {
				c.change(&facts)
			}
			plan, err := ResetPlan(wish, facts, c.hosts)
			if (err != nil) != c.refused {
				t.Fatalf("error is %v, want one: %v", err, c.refused)
			}
			if c.refused {
				return
			}
			golden(t, c.name, show(plan))
			sound(t, plan)
		})
	}
}
