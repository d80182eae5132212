package plan_test

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// TestPackagesBesidePlan has a case for packages that are absent, correct, wrong, half done and not to be seen.
func TestPackagesBesidePlan(t *testing.T) {
	on := func(edits ...func(*inventory.Cluster)) func(*inventory.Cluster) {
		return world.All(append([]func(*inventory.Cluster){func(c *inventory.Cluster) {
			c.Packages, c.ControlPlane.Hosts[0].Packages = []string{"nfs-common"}, []string{"open-iscsi"}
		}, world.OnlyControlPlane}, edits...)...)
	}
	record := func(text string) func(*facts.Host) {
		return func(h *facts.Host) { world.Written(h, templates.PackagesRecord, 0o600, []byte(text)) }
	}
	for _, c := range []struct {
		name   string
		before func(*inventory.Cluster) // what up was run with before; nil: the host is new
		edit   func(*inventory.Cluster)
		host   func(*facts.Host) // changes cp1
	}{
		{name: "absent", edit: on()},
		{name: "absent-rocky", edit: on(), host: model.OnSystem("rocky", "rhel")},
		{name: "absent-proxy", edit: on(world.FromRepositories, world.WithProxy)},
		{name: "absent-but-one", edit: on(), host: model.OnSystem("debian", "", "open-iscsi")},
		{name: "there", edit: on(), host: model.OnSystem("debian", "", "nfs-common", "open-iscsi")},
		{name: "correct", before: on(), edit: on()},
		{name: "later", before: world.OnlyControlPlane, edit: on()},
		{name: "wrong", before: on(), edit: on(), host: func(h *facts.Host) { delete(h.Packages, "nfs-common") }},
		{name: "half", before: world.OnlyControlPlane, edit: on(), host: all2(record("brought open-iscsi\nwanted nfs-common\nwanted open-iscsi\n"), func(h *facts.Host) {
			h.InstallCut = true
			world.Packaged(h, "open-iscsi 2.1.8")
		})},
		{name: "withdrawn", before: on(), edit: world.OnlyControlPlane},
		{name: "exchanged", before: on(), edit: world.All(world.OnlyControlPlane, func(c *inventory.Cluster) { c.Packages = []string{"open-iscsi", "autofs"} })},
		{name: "withdrawn-that-was-there", before: world.OnlyControlPlane, edit: world.OnlyControlPlane, host: func(h *facts.Host) { world.Packaged(h, "nfs-common 2.6.2") }},
		{name: "record-odd", before: world.OnlyControlPlane, edit: world.OnlyControlPlane, host: record("brought kubelet\nwanted kubelet\nwanted gone\x1b[1m\nwanted\n\nno word\n")},
		{name: "unknown-names", edit: on(), host: func(h *facts.Host) { h.Candidates["nfs-common"], h.Candidates["open-iscsi"] = "", "" }},
		{name: "unknown-system", edit: on(), host: func(h *facts.Host) { h.OS = facts.OS{ID: "void", Name: "Void"} }},
		{name: "unreachable", edit: on(), host: func(h *facts.Host) { *h = facts.Host{Unreachable: world.NoRoute()} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			seen := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
			if c.before != nil {
				seen = settled(t, c.before, nil)
			}
			if c.host != nil {
				world.ChangeHost(seen, "cp1", c.host)
			}
			made := plan.Make(wish, seen)
			if err := made.Sound(); err != nil {
				t.Error(err)
			}
			plan.WantSameFromFile(t, wish, seen)
			for _, step := range made.Steps {
				if slices.ContainsFunc(step.Actions, model.OfPackages) && step.Lock != "packages of "+step.Host {
					t.Errorf("%s has the lock %q", step.ID, step.Lock)
				}
			}
			plan.Golden(t, "beside-"+c.name, onlyOfPackages(plan.Show(made)))
			if c.name == "correct" && !made.Empty() {
				t.Error("there is something to do")
			}
		})
	}
}

// onlyOfPackages leaves the other steps of a plan out.
func onlyOfPackages(shown string) string {
	var b strings.Builder
	of := true
	for line := range strings.Lines(shown) {
		if !strings.HasPrefix(line, " ") {
			of = !strings.HasPrefix(line, "document ") && !strings.Contains(line, "cp1/") && !strings.Contains(line, "cluster/") ||
				strings.Contains(line, "/packages") || strings.Contains(line, "/repositories")
		}
		if of {
			b.WriteString(line)
		}
	}
	return b.String()
}

// What kubeadm may run on waits for all of its packages, as pods may need them.
func TestJoinWaitsForPackages(t *testing.T) {
	wish := world.State(t, world.WithPackages)
	seen := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	needs := map[string][]string{}
	for _, step := range plan.Make(wish, seen).Steps {
		needs[step.ID] = step.Needs
	}
	for id, want := range map[string]string{"cp1/init": "cp1/packages", "w1/join": "w1/packages", "w2/join": "w2/packages"} {
		if !slices.Contains(needs[id], want) {
			t.Errorf("%s needs %v", id, needs[id])
		}
	}
}
