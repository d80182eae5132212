package plan

import (
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
)

// stranger is a node that no host of the inventory is.
func stranger(f *facts.Facts) {
	f.API.Nodes["w7"] = object.Node{Name: "w7", Ready: true, InternalIP: "192.0.2.27"}
}

// silent has a node whose kubelet is not heard.
func silent(name string) func(*facts.Facts) {
	return func(f *facts.Facts) { world.ChangeNode(*f, name, func(n *object.Node) { n.Ready = false }) }
}

// removed is the mark of a node that was removed without its machine.
func removed(name string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		f.API.Removed = map[string]object.Removed{name: {Node: name, Address: "192.0.2.27", MachineID: "id-of-" + name, Since: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}}
	}
}

// strangerCases are about nodes that nobody named.
func strangerCases() []preflightCase {
	return []preflightCase{
		{name: "a node that nobody named", living: true, change: stranger,
			want: "warning all UnknownNode: the cluster has a node w7, which no host of the inventory is (to have it looked after: fairlead join w7 --address 192.0.2.27; to have it leave: fairlead remove w7)"},
		{name: "a control plane that nobody named", living: true, change: func(f *facts.Facts) {
			f.API.Nodes["cp7"] = object.Node{Name: "cp7", Labels: map[string]string{object.LabelControlPlane: ""}}
		}, want: "warning all UnknownNode: the cluster has a node cp7, which no host of the inventory is (to have it looked after: fairlead join cp7 --control-plane; to have it leave: fairlead remove cp7 --unreachable, if its machine is off)"},
	}
}
