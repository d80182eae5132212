package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
)

// The member that a control plane has left in etcd goes before the host joins again, wherever etcd may have one: kubeadm would
// take it for the host's own.
func TestFormerMember(t *testing.T) {
	const action = "remove the etcd member that a former cp3 has left at https://192.0.2.13:2380, if there is one"
	fresh := func(f *facts.Facts, change func(*facts.Host)) {
		f.Hosts["cp3"] = world.FreshHost(world.Host("cp3", "192.0.2.13", inventory.RoleControlPlane))
		world.ChangeHost(*f, "cp3", change)
		world.ChangeNode(*f, "cp3", func(n *object.Node) { n.Ready = false })
	}
	nothing := func(*facts.Host) {}
	for name, c := range map[string]struct {
		change func(*facts.Facts)
		want   string // the first action of the join; empty: it is another one
		reason string
	}{
		"a wiped host": {change: func(f *facts.Facts) { fresh(f, nothing) }, want: action, reason: "node cp3 is there, and the host has no data of etcd"},
		"a wiped host whose node is gone": {change: func(f *facts.Facts) {
			fresh(f, nothing)
			delete(f.API.Nodes, "cp3")
		}, want: action, reason: "the host is not in the cluster"},
		"a host with data of etcd": {change: func(f *facts.Facts) { fresh(f, func(h *facts.Host) { h.NotEmpty[etcdFolder] = true }) }, reason: "the host is not in the cluster"},
		"a join that was cut off": {change: func(f *facts.Facts) {
			fresh(f, func(h *facts.Host) { h.CA, h.Manifests = []byte(world.CA), []string{etcdManifest} })
		}, reason: "an earlier join has not finished"},
		"etcd is elsewhere": {change: func(f *facts.Facts) {
			fresh(f, nothing)
			world.ChangeHost(*f, "cp1", func(h *facts.Host) { h.Manifests = h.Manifests[1:] })
		}, reason: "the host is not in the cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			wish := world.State(t, world.ThreeControlPlanes)
			seen := world.Converged(t, wish)
			c.change(&seen)
			plan := Make(wish, seen)
			i := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == "cp3/join" })
			if i < 0 {
				t.Fatalf("it does not join:\n%s", Show(plan))
			}
			step := plan.Steps[i]
			first := step.Actions[1].Describe() // after the record of whose the host is
			if _, removes := step.Actions[1].(RemoveFormerMember); removes != (c.want != "") || removes && first != c.want {
				t.Errorf("it begins with %q", first)
			}
			if step.Lock != etcdMembership || !strings.Contains(strings.Join(step.Reasons, "\n"), c.reason) {
				t.Errorf("lock %q, reasons %q", step.Lock, step.Reasons)
			}
		})
	}
}

// Where kubeadm init has still to run there is no former member.
func TestNoFormerMemberOfANewCluster(t *testing.T) {
	wish := world.State(t, world.ThreeControlPlanes)
	if text := Show(Make(wish, world.Of(wish, func(_ desired.State, h inventory.Host) facts.Host { return world.FreshHost(h) }))); strings.Contains(text, "former") {
		t.Error(text)
	}
}
