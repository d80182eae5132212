package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
)

// changeText is what is changed about a node, and why.
func changeText(made Plan, id string) string {
	var b strings.Builder
	for _, step := range made.Steps {
		if step.ID != id {
			continue
		}
		for _, reason := range step.Reasons {
			fmt.Fprintf(&b, "because %s\n", reason)
		}
		for _, action := range step.Actions {
			change, _ := action.(ChangeNode)
			for _, list := range []struct {
				name   string
				values map[string]*string
			}{{"label", change.Change.Labels}, {"annotation", change.Change.Annotations}} {
				for _, key := range slices.Sorted(maps.Keys(list.values)) {
					value := "(removed)"
					if list.values[key] != nil {
						value = *list.values[key]
					}
					fmt.Fprintf(&b, "%s %s = %s\n", list.name, key, value)
				}
			}
			fmt.Fprintf(&b, "taints + %v - %v\n", change.Change.AddTaints, change.Change.RemoveTaints)
		}
	}
	return b.String()
}

// Labels and taints of the inventory are put on a node, and those that an earlier inventory had are
// taken away; the annotations say which ones they are, and what they do not name stays.
func TestNodePlan(t *testing.T) {
	wanted := func(c *inventory.Cluster) {
		c.Workers[0].Labels = map[string]string{"disk": "ssd"}
		c.Workers[0].Taints = []inventory.Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}}
	}
	gpu := object.Taint{Key: "gpu", Value: "true", Effect: "NoSchedule"}
	right := func(n *object.Node) {
		n.Labels["disk"], n.Taints = "ssd", []object.Taint{gpu}
		n.Annotations[annotationLabels], n.Annotations[annotationTaints] = "disk", "gpu:NoSchedule"
	}
	for _, c := range []struct {
		name string
		edit func(*inventory.Cluster)
		node func(*object.Node)
		want string
	}{
		{name: "nothing is wanted", node: func(*object.Node) {}},
		{name: "as it is wanted", edit: wanted, node: right},
		{name: "new", edit: wanted, node: func(*object.Node) {}, want: "because label disk is absent, want \"ssd\"\nbecause taint gpu=true:NoSchedule is missing\n" +
			"label disk = ssd\nannotation fairlead/labels = disk\nannotation fairlead/taints = gpu:NoSchedule\ntaints + [{gpu true NoSchedule}] - []\n"},
		{name: "of another value", edit: wanted, node: func(n *object.Node) {
			right(n)
			n.Labels["disk"], n.Taints = "hdd", []object.Taint{{Key: "gpu", Value: "false", Effect: "NoSchedule"}}
		}, want: "because label disk is \"hdd\", want \"ssd\"\nbecause taint gpu=true:NoSchedule is missing\nlabel disk = ssd\ntaints + [{gpu true NoSchedule}] - []\n"},
		{name: "nobody knows that they are ours", edit: wanted, node: func(n *object.Node) {
			right(n)
			n.Annotations = map[string]string{}
		}, want: "because annotation fairlead/labels is \"\", want \"disk\"\nannotation fairlead/labels = disk\nannotation fairlead/taints = gpu:NoSchedule\ntaints + [] - []\n"},
		{name: "nobody knows that the taint is ours", edit: wanted, node: func(n *object.Node) {
			right(n)
			delete(n.Annotations, annotationTaints)
		}, want: "because annotation fairlead/taints is \"\", want \"gpu:NoSchedule\"\nannotation fairlead/taints = gpu:NoSchedule\ntaints + [] - []\n"},
		{name: "no longer wanted", node: right, want: "because label disk is no longer in the inventory\nbecause taint gpu:NoSchedule is no longer in the inventory\n" +
			"label disk = (removed)\nannotation fairlead/labels = (removed)\nannotation fairlead/taints = (removed)\ntaints + [] - [{gpu true NoSchedule}]\n"},
		{name: "no longer wanted and gone", node: func(n *object.Node) { n.Annotations[annotationLabels] = "disk" },
			want: "because annotation fairlead/labels is \"disk\", want \"\"\nannotation fairlead/labels = (removed)\ntaints + [] - []\n"},
		{name: "of others", node: func(n *object.Node) { n.Labels["theirs"], n.Taints = "1", []object.Taint{gpu} }},
		{name: "another effect of others", edit: wanted, node: func(n *object.Node) {
			right(n)
			n.Taints = append(n.Taints, object.Taint{Key: "gpu", Value: "true", Effect: "NoExecute"})
		}},
	} {
		seen := world.Converged(t, world.State(t, nil))
		world.ChangeNode(seen, "w1", c.node)
		made := Make(world.State(t, c.edit), seen)
		if got := changeText(made, "w1/node"); got != c.want || (c.want == "") != made.Empty() {
			t.Errorf("%s: planned is\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// kubeadm's taint is only looked for on control planes, and only that of its effect counts.
func TestControlPlaneTaint(t *testing.T) {
	schedulable := func(c *inventory.Cluster) { c.ControlPlane.Schedulable = true }
	taint := func(effect string) []object.Taint {
		return []object.Taint{{Key: object.TaintControlPlane, Effect: effect}}
	}
	const there, missing = "because the control-plane taint is there, and the inventory says schedulable: true\ntaints + [] - [{node-role.kubernetes.io/control-plane  NoSchedule}]\n",
		"because the control-plane taint is missing, and the inventory says schedulable: false\ntaints + [{node-role.kubernetes.io/control-plane  NoSchedule}] - []\n"
	for _, c := range []struct {
		name, host string
		edit       func(*inventory.Cluster)
		taints     []object.Taint
		want       string
	}{
		{name: "there", host: "cp1", taints: taint("NoSchedule")},
		{name: "missing", host: "cp1", want: missing},
		{name: "another effect", host: "cp1", taints: taint("NoExecute"), want: missing},
		{name: "another taint", host: "cp1", taints: []object.Taint{{Key: "gpu", Effect: "NoSchedule"}}, want: missing},
		{name: "schedulable", host: "cp1", edit: schedulable},
		{name: "schedulable and there", host: "cp1", edit: schedulable, taints: taint("NoSchedule"), want: there},
		{name: "schedulable and another effect", host: "cp1", edit: schedulable, taints: taint("NoExecute")},
		{name: "on a worker", host: "w1", taints: taint("NoSchedule")},
		{name: "on a worker, schedulable", host: "w1", edit: schedulable, taints: taint("NoSchedule")},
	} {
		wish := world.State(t, c.edit)
		seen := world.Converged(t, wish)
		world.ChangeNode(seen, "cp1", func(n *object.Node) {
			if c.edit != nil {
				n.Taints = nil
			}
		})
		world.ChangeNode(seen, c.host, func(n *object.Node) { n.Taints = c.taints })
		if got := changeText(Make(wish, seen), c.host+"/node"); got != c.want {
			t.Errorf("%s: planned is\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// Where there is no node, and none that is about to be, nothing is put on it.
func TestNoNodeIsChanged(t *testing.T) {
	wish := world.State(t, func(c *inventory.Cluster) { c.Workers[0].Labels = map[string]string{"disk": "ssd"} })
	seen := world.Converged(t, wish)
	delete(seen.API.Nodes, "w1")
	world.ChangeHost(seen, "w1", func(h *facts.Host) { h.CA = []byte(world.ForeignCA) })
	if got := changeText(Make(wish, seen), "w1/node"); got != "" {
		t.Errorf("planned is\n%s", got)
	}
}

// A containerd that does not say its version gets the configuration that all of them read.
func TestStartsBelow(t *testing.T) {
	for version, want := range map[string]bool{"": true, "unknown": true, "1.7.28": true, "1": true, "2": false, "2.0.0": false, "2.x": false, "10.0": false} {
		if got := startsBelow(version, 2); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}
