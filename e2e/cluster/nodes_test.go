//go:build cluster

package cluster

import "testing"

// controlPlaneTaint keeps ordinary pods off control planes.
const controlPlaneTaint = "node-role.kubernetes.io/control-plane:NoSchedule"

func testSchedulable(t *testing.T) {
	s := clusterSite(t)
	before := s.list("cp1", "w1", "w2")
	for _, step := range []struct {
		from, to, reason string
		tainted          bool
	}{
		{"schedulable: false", "schedulable: true", "the control-plane taint is there", false},
		{"schedulable: true", "schedulable: false", "the control-plane taint is missing", true},
	} {
		s.edit(step.from, step.to)
		s.planned(3).says(step.reason)
		s.mustUp()
		if is := s.nodes()["cp1"].tainted(controlPlaneTaint); is != step.tainted {
			t.Errorf("%s: cp1 is tainted: %v, want %v", step.to, is, step.tainted)
		}
		s.planned(0)
	}
	s.untouched(before)
}

func testLabels(t *testing.T) {
	s := clusterSite(t)
	before := s.list("cp1", "w1", "w2")
	s.kubectl("label", "node", "w1", "team=a", "--overwrite")
	s.kubectl("taint", "node", "w1", "team=a:PreferNoSchedule", "--overwrite")
	t.Cleanup(func() {
		s.kubectl("label", "node", "w1", "team-")
		s.kubectl("taint", "node", "w1", "team-")
	})
	bare := "{name: w1, address: " + s.address("w1")
	last := "}"
	for _, step := range []struct {
		name, inventory string
		disk            string
		taint           string // the one that must be there
		gone            string // the one that must not
	}{
		{"added", `, labels: {disk: ssd, zone: ""}, taints: ["gpu=true:NoSchedule"]}`, "ssd", "gpu=true:NoSchedule", ""},
		{"changed", `, labels: {disk: hdd}, taints: ["gpu=false:PreferNoSchedule"]}`, "hdd", "gpu=false:PreferNoSchedule", "gpu=true:NoSchedule"},
		{"removed", `}`, "", "", "gpu=false:PreferNoSchedule"},
	} {
		s.edit(bare+last, bare+step.inventory)
		last = step.inventory
		s.planned(3)
		s.mustUp()
		w1 := s.nodes()["w1"]
		if is := w1.Metadata.Labels["disk"]; is != step.disk {
			t.Errorf("%s: label disk is %q, want %q", step.name, is, step.disk)
		}
		if _, exists := w1.Metadata.Labels["zone"]; exists != (step.name == "added") {
			t.Errorf("%s: label zone exists: %v", step.name, exists)
		}
		if step.taint != "" && !w1.tainted(step.taint) || step.gone != "" && w1.tainted(step.gone) {
			t.Errorf("%s: taints are %v, want %q and not %q", step.name, w1.Spec.Taints, step.taint, step.gone)
		}
		if w1.Metadata.Labels["team"] != "a" || !w1.tainted("team=a:PreferNoSchedule") {
			t.Errorf("%s: the label or taint that fairlead did not set is gone: %v %v", step.name, w1.Metadata.Labels, w1.Spec.Taints)
		}
		s.planned(0)
	}
	s.untouched(before)
}
