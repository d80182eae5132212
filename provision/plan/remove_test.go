package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// removalCase is a converged cluster of three control planes behind an address, a change, and what is planned or said.
type removalCase struct {
	name   string
	edit   func(*inventory.Cluster)
	change func(*facts.Facts)
	order  RemoveOrder
	want   string // the actions by steps
	err    string // a part of the refusal
}

func off(names ...string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		for _, name := range names {
			machineID := f.Hosts[name].MachineID
			f.Hosts[name] = facts.Host{Unreachable: world.NoRoute()}
			world.ChangeNode(*f, name, func(n *object.Node) {
				n.Ready, n.ReadyMessage, n.MachineID = false, "Kubelet stopped posting node status.", machineID
			})
		}
	}
}

func removalCases(t *testing.T) []removalCase {
	t.Helper()
	only := func(names ...string) RemoveOrder { return RemoveOrder{Names: names} }
	dead := func(names ...string) RemoveOrder { return RemoveOrder{Names: names, Unreachable: true} }
	both := func(changes ...func(*facts.Facts)) func(*facts.Facts) {
		return func(f *facts.Facts) { each(f, changes...) }
	}
	onHost := func(name string, change func(*facts.Host)) func(*facts.Facts) {
		return func(f *facts.Facts) { world.ChangeHost(*f, name, change) }
	}
	fresh := func(name, address string, role inventory.Role) func(*facts.Facts) {
		return onHost(name, func(h *facts.Host) { *h = world.FreshHost(world.Host(name, address, role)) })
	}
	gone := func(name string) func(*facts.Facts) { return func(f *facts.Facts) { delete(f.API.Nodes, name) } }
	notReady := func(name string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			world.ChangeNode(*f, name, func(n *object.Node) { n.Ready, n.ReadyMessage = false, "no word" })
		}
	}
	via := func(name string) func(*facts.Facts) { return func(f *facts.Facts) { f.API.Via = name } }
	return []removalCase{
		{name: "a worker", order: RemoveOrder{Names: []string{"w1"}, ForceDrain: time.Minute}, want: `
w1/cordon: patch node w1
w1/drain: drain node w1, past disruption budgets after 1m0s
w1/stop: systemctl stop kubelet.service
w1/leave: delete node w1, what is left of its pods, its Lease and its open requests for certificates
w1/reset: undo what the ledger says`},
		{name: "two workers, cordoned both before one is drained", order: only("w1", "w2"), want: `
w1/cordon: patch node w1
w1/drain: drain node w1
w1/stop: systemctl stop kubelet.service
w1/leave: delete node w1, what is left of its pods, its Lease and its open requests for certificates
w1/reset: undo what the ledger says
w2/cordon: patch node w2
w2/drain: drain node w2
w2/stop: systemctl stop kubelet.service
w2/leave: delete node w2, what is left of its pods, its Lease and its open requests for certificates
w2/reset: undo what the ledger says`},
		{name: "a control plane with the shared address", order: only("cp3"), change: onHost("cp3", func(h *facts.Host) {
			h.Units[templates.KeepalivedService] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled"}
			h.Ledger = append(h.Ledger, ledger.Entry{Kind: ledger.Unit, Key: templates.KeepalivedService, Was: "not-found inactive"})
		}), want: `
cp3/cordon: make sure that etcd goes on without the member of cp3; patch node cp3
cp3/give-up-address: systemctl stop keepalived.service
cp3/drain: drain node cp3
cp3/member: remove the etcd member of cp3, through another control plane
cp3/stop: systemctl stop kubelet.service
cp3/leave: delete node cp3, what is left of its pods, its Lease and its open requests for certificates
cp3/reset: undo what the ledger says`},
		{name: "the first control plane", order: only("cp1"), change: via("cp2"), want: `
cp1/cordon: make sure that etcd goes on without the member of cp1; patch node cp1
cp1/drain: drain node cp1
cp1/member: remove the etcd member of cp1, through another control plane
cp1/stop: systemctl stop kubelet.service
cp1/leave: delete node cp1, what is left of its pods, its Lease and its open requests for certificates
cp1/reset: undo what the ledger says`},
		{name: "a worker that was cordoned, and whose node is gone", order: only("w1"), change: gone("w1"), want: `
w1/stop: systemctl stop kubelet.service
w1/reset: undo what the ledger says`},
		{name: "a host that has left", order: only("w1"), change: both(gone("w1"), fresh("w1", "192.0.2.21", inventory.RoleWorker))},
		{name: "a host that was emptied", order: only("cp3"), change: both(notReady("cp3"), fresh("cp3", "192.0.2.13", inventory.RoleControlPlane)), want: `
cp3/cordon: make sure that etcd goes on without the member of cp3; patch node cp3
cp3/drain: wait until the pods of node cp3 are gone and its volumes are detached
cp3/member: remove the etcd member of cp3, through another control plane
cp3/leave: delete node cp3, what is left of its pods, its Lease and its open requests for certificates`},
		{name: "a host that was emptied a moment ago", order: only("cp3"), change: fresh("cp3", "192.0.2.13", inventory.RoleControlPlane), err: "try again then"},
		{name: "a worker that is off", order: dead("w1"), change: off("w1"), want: `
w1/cordon: patch node w1
w1/drain: wait until the pods of node w1 are gone and its volumes are detached
w1/mark: keep in the cluster that w1 is removed without its machine
w1/leave: delete node w1, what is left of its pods, its Lease and its open requests for certificates`},
		{name: "the first control plane that is off", order: dead("cp1"), change: both(off("cp1"), via("cp2")), want: `
cp1/cordon: make sure that etcd goes on without the member of cp1; patch node cp1
cp1/drain: wait until the pods of node cp1 are gone and its volumes are detached
cp1/mark: keep in the cluster that cp1 is removed without its machine
cp1/member: remove the etcd member of cp1, through another control plane
cp1/leave: delete node cp1, what is left of its pods, its Lease and its open requests for certificates`},
		{name: "one that is off and has left", order: dead("cp1"), change: both(off("cp1"), via("cp2"), gone("cp1"), removed("cp1"))},
		{name: "one that is off, and its node was deleted by hand", order: dead("cp1"), change: both(off("cp1"), via("cp2"), gone("cp1")), want: `
cp1/mark: keep in the cluster that cp1 is removed without its machine
cp1/member: remove the etcd member of cp1, through another control plane`},
		{name: "one that was removed and has woken", order: only("w1"), change: removed("w1"), want: `
w1/cordon: patch node w1
w1/drain: drain node w1
w1/stop: systemctl stop kubelet.service
w1/leave: delete node w1, what is left of its pods, its Lease and its open requests for certificates
w1/reset: undo what the ledger says
w1/forget-mark: forget that w1 was removed`},
		{name: "a node that nobody named", order: only("w7"), change: stranger, want: `
w7/cordon: patch node w7
w7/drain: drain node w7
w7/mark: keep in the cluster that w7 is removed without its machine
w7/leave: delete node w7, what is left of its pods, its Lease and its open requests for certificates`},
		{name: "a node that nobody named, and that is off", order: dead("w7"), change: both(stranger, notReady("w7")), want: `
w7/cordon: patch node w7
w7/drain: wait until the pods of node w7 are gone and its volumes are detached
w7/mark: keep in the cluster that w7 is removed without its machine
w7/leave: delete node w7, what is left of its pods, its Lease and its open requests for certificates`},
		{name: "such a node, called off", order: dead("w7"), change: stranger, err: "leave --unreachable away"},
		{name: "such a node that may be off", order: only("w7"), change: both(stranger, notReady("w7")), err: "--unreachable"},
		{name: "nobody", order: only("w8"), err: "w8 is neither a host of the inventory nor a node"},
		{name: "a host that answers, called off", order: dead("w1"), err: "w1 answers: leave --unreachable away"},
		{name: "a host that does not answer", order: only("w1"), change: off("w1"), err: "if it is off, and stays so until it is reset: --unreachable"},
		{name: "a host that does not answer, and whose kubelet does", order: dead("w1"), change: both(off("w1"), func(f *facts.Facts) {
			world.ChangeNode(*f, "w1", func(n *object.Node) { n.Ready = true })
		}), err: "its kubelet reports that node w1 is Ready"},
		{name: "a host that lets nobody in", order: dead("w1"), change: both(off("w1"), onHost("w1", func(h *facts.Host) {
			h.Unreachable = &facts.Problem{Kind: facts.HostLogin, Text: "permission denied"}
		})), err: "something answers at its address"},
		{name: "the only one whose API server answers", order: only("cp1"), err: "no API server answers but that of cp1"},
		{name: "no API server answers", order: only("w1"), change: func(f *facts.Facts) { f.API = facts.API{Err: world.Refused()} }, err: "while the API server does not answer"},
		{name: "the one at whose address the cluster is", order: only("cp1"), change: via("cp2"), edit: func(c *inventory.Cluster) { c.ControlPlane.Endpoint = "192.0.2.11:6443" },
			err: "the cluster is reached at 192.0.2.11:6443, which is the address of cp1"},
		{name: "the one at whose address the cluster still is", order: only("cp1"), change: both(via("cp2"), clusterHas(t, "192.0.2.11:6443", "controlPlaneEndpoint")),
			err: "the cluster still goes by 192.0.2.11:6443, which is the address of cp1: run fairlead up first, which moves it to 192.0.2.9:6443"},
		{name: "a host of another cluster", order: only("w1"), change: onHost("w1", func(h *facts.Host) { world.Claimed(h, "prod") }), err: "fairlead has made it one of cluster prod"},
	}
}

func TestMakeRemove(t *testing.T) {
	for _, c := range removalCases(t) {
		t.Run(c.name, func(t *testing.T) {
			edit := world.All(world.ThreeControlPlanes, func(cluster *inventory.Cluster) { cluster.ControlPlane.Endpoint = "192.0.2.9:6443" })
			if c.edit != nil {
				edit = world.All(edit, c.edit)
			}
			wish := world.State(t, edit)
			seen := world.Converged(t, wish)
			for _, host := range wish.Cluster.Hosts() {
				world.ChangeHost(seen, host.Name, func(h *facts.Host) {
					h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/etc/kubernetes", Was: "absent"}}
					h.Units[templates.KubeletService] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled"}
					world.Claimed(h, "lab")
				})
			}
			if c.change != nil {
				c.change(&seen)
			}
			made, err := MakeRemove(wish, seen, c.order)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !made.Empty() {
					t.Errorf("%v, with %+v", err, made)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := made.Sound(); err != nil {
				t.Error(err)
			}
			if got := actions(made); got != strings.TrimPrefix(c.want, "\n") {
				t.Errorf("planned\n%s\nwant%s", got, c.want)
			}
		})
	}
}

// actions are the actions of a plan, a step a line.
func actions(made Plan) string {
	var all []string
	for _, step := range made.Steps {
		var does []string
		for _, action := range step.Actions {
			does = append(does, action.Describe())
		}
		all = append(all, step.ID+": "+strings.Join(does, "; "))
	}
	return strings.Join(all, "\n")
}

// Nothing is drained before all that leave are cordoned, and nothing that ends a machine's part comes before what needs it.
func TestOrderOfARemoval(t *testing.T) {
	wish := world.State(t, world.All(world.ThreeControlPlanes, func(c *inventory.Cluster) { c.ControlPlane.Endpoint = "192.0.2.9:6443" }))
	seen := world.Converged(t, wish)
	for _, name := range []string{"cp3", "w1"} {
		world.ChangeHost(seen, name, func(h *facts.Host) {
			h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/etc/kubernetes", Was: "absent"}}
			h.Units[templates.KubeletService] = facts.Unit{Load: "loaded", Active: "active"}
			world.Claimed(h, "lab")
		})
	}
	made, err := MakeRemove(wish, seen, RemoveOrder{Names: []string{"cp3", "w1"}})
	if err != nil {
		t.Fatal(err)
	}
	needs := map[string][]string{}
	for _, step := range made.Steps {
		needs[step.ID] = step.Needs
	}
	for _, c := range [][2]string{
		{"cp3/drain", "w1/cordon"}, {"w1/drain", "cp3/cordon"}, {"cp3/member", "cp3/drain"}, {"cp3/stop", "cp3/member"}, {"cp3/leave", "cp3/stop"},
		{"cp3/reset", "cp3/leave"}, {"w1/leave", "w1/drain"}, {"w1/reset", "w1/leave"},
	} {
		if !slices.Contains(needs[c[0]], c[1]) {
			t.Errorf("%s needs %v, and not %s", c[0], needs[c[0]], c[1])
		}
	}
}
