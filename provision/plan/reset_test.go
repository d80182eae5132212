package plan

import (
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// TestResetPlan resets hosts of a cluster that is as the inventory wants it. Every plan is
// a golden file, every refusal an error.
func TestResetPlan(t *testing.T) {
	for _, c := range []struct {
		name    string
		edit    func(*inventory.Cluster)
		hosts   []string
		change  func(*facts.Facts)
		refused bool
	}{
		{name: "reset-all"},
		{name: "reset-worker", hosts: []string{"w2"}},
		{name: "reset-control-plane", edit: world.ThreeControlPlanes, hosts: []string{"cp3"}},
		{name: "reset-worker-not-joined", hosts: []string{"w2"}, change: func(f *facts.Facts) { delete(f.API.Nodes, "w2") }},
		{name: "reset-unreachable", change: func(f *facts.Facts) { f.Hosts["w2"] = facts.Host{Unreachable: world.NoRoute()} }},
		{name: "api-away", hosts: []string{"w2"}, change: func(f *facts.Facts) { f.API = facts.API{Err: world.Refused()} }, refused: true},
		{name: "last control plane", hosts: []string{"cp1"}, refused: true},
		{name: "unknown host", hosts: []string{"w7"}, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			seen := world.Converged(t, wish)
			for name := range seen.Hosts {
				world.ChangeHost(seen, name, func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/opt/cni", Was: "absent"}} })
			}
			if c.change != nil {
				c.change(&seen)
			}
			plan, err := MakeReset(wish, seen, ResetOrder{Names: c.hosts})
			if (err != nil) != c.refused {
				t.Fatalf("error is %v, want one: %v", err, c.refused)
			}
			if c.refused {
				return
			}
			Golden(t, c.name, Show(plan))
			if err := plan.Sound(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A worker may leave while the API server answers, although kubeadm init has to go on; it may not
// while nobody can drain it, however far init has come.
func TestResetOfAHalfFinishedCluster(t *testing.T) {
	wish := world.State(t, nil)
	for name, c := range map[string]struct {
		api     facts.API
		refused bool
	}{
		"init has to go on":         {api: facts.API{Via: "cp1", Missing: []string{"DaemonSet b"}}},
		"init failed":               {api: facts.API{Err: world.Refused()}, refused: true},
		"there is no control plane": {api: facts.API{Err: facts.NoCluster()}},
	} {
		seen := world.Converged(t, wish)
		seen.API = c.api
		world.ChangeHost(seen, "cp1", func(h *facts.Host) { h.Kubeconfigs = map[string]bool{} })
		bare := desired.State{Cluster: wish.Cluster} // the bundle may be gone
		if _, err := MakeReset(bare, seen, ResetOrder{Names: []string{"w2"}}); (err != nil) != c.refused {
			t.Errorf("%s: error is %v, want one: %v", name, err, c.refused)
		}
	}
}

// A host that has joined by another name than the inventory has is taken out by that name, if it is this cluster's.
func TestResetByTheNodesName(t *testing.T) {
	wish := world.State(t, nil)
	for name, c := range map[string]struct {
		ca, want string
	}{
		"of this cluster": {ca: world.CA, want: "ip-192-0-2-21"},
		"of another one":  {ca: world.ForeignCA}, // whose node of that name is none of this cluster's, nor is there one of the host's
	} {
		seen := world.Converged(t, wish)
		seen.API.Nodes["ip-192-0-2-21"] = seen.API.Nodes["w1"]
		world.ChangeHost(seen, "w1", func(h *facts.Host) {
			h.CA = []byte(c.ca)
			h.Certificates = append(h.Certificates, facts.Certificate{Path: templates.KubeletClientCertificate, Subject: "CN=system:node:ip-192-0-2-21,O=system:nodes"})
		})
		plan, err := MakeReset(wish, seen, ResetOrder{Names: []string{"w1"}, Foreign: c.want == ""})
		if err != nil {
			t.Fatal(err)
		}
		drained := ""
		for _, step := range plan.Steps {
			if drain, ok := step.Actions[0].(DrainNode); ok {
				drained += drain.Name
			}
		}
		if drained != c.want {
			t.Errorf("%s: %s", name, Show(plan))
		}
	}
}
