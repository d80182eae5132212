package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// carried are the wish and the facts of three control planes that carry an endpoint.
func carried(t *testing.T) (desired.State, facts.Facts) {
	t.Helper()
	wish := world.State(t, world.All(world.ThreeControlPlanes, world.Shared))
	seen := world.Converged(t, wish)
	allBalanced(wish.Cluster, "cp2")(&seen)
	for _, host := range wish.Cluster.ControlPlane.Hosts {
		world.ChangeHost(seen, host.Name, func(h *facts.Host) {
			h.Certificates = []facts.Certificate{{Path: templates.APIServerCertificate, Names: []string{"192.0.2.10", host.Address.String()}}}
		})
	}
	return wish, seen
}

func stepsOf(plan Plan, name string) []Step {
	return slices.DeleteFunc(slices.Clone(plan.Steps), func(s Step) bool { return !strings.HasSuffix(s.ID, "/"+name) })
}

func TestBalancerDrift(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*facts.Host)
		reasons string // of cp1's step; "" for none
		args    string // of the script
	}{
		{"correct", func(*facts.Host) {}, "", ""},
		{"changed", func(h *facts.Host) {
			world.Written(h, templates.HAProxyConfigFile, 0o644, []byte("# Written by fairlead.\nglobal\n\tdaemon\n"))
		},
			`/etc/haproxy/haproxy.cfg differs from line 3: is "daemon", want "log stdout format raw daemon notice"`, "192.0.2.10:8443 haproxy"},
		{"gone", func(h *facts.Host) { delete(h.Files, templates.KeepalivedConfigFile) }, "/etc/keepalived/keepalived.conf is missing", "192.0.2.10:8443 keepalived"},
		{"for others to write", func(h *facts.Host) {
			is := h.Files[templates.BalancerFolder+"/check"]
			is.Mode = 0o777
			h.Files[templates.BalancerFolder+"/check"] = is
		}, "/etc/fairlead/balancer/check has mode 777 and owner 0:0, want 755 and 0:0", "192.0.2.10:8443 keepalived"},
		{"stopped", func(h *facts.Host) {
			h.Units[templates.KeepalivedService] = facts.Unit{Load: "loaded", Active: "failed", Enabled: "enabled"}
		}, "keepalived.service is failed", "192.0.2.10:8443 keepalived"},
		{"disabled", func(h *facts.Host) {
			h.Units[templates.HAProxyService] = facts.Unit{Load: "loaded", Active: "active", Enabled: "disabled"}
		}, "haproxy.service is not enabled", "192.0.2.10:8443 haproxy"},
		{"cut off before it was read", func(h *facts.Host) { delete(h.Contents, templates.BalancerLoaded) },
			"haproxy.service has not read its configuration\nkeepalived.service has not read its configuration", "192.0.2.10:8443 haproxy keepalived"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish, seen := carried(t)
			world.ChangeHost(seen, "cp1", c.change)
			plan := Make(wish, seen)
			if c.reasons == "" {
				if !plan.Empty() || len(plan.Findings) > 0 {
					t.Errorf("planned %+v, found %+v", plan.Steps, plan.Findings)
				}
				return
			}
			steps := stepsOf(plan, stepBalancer)
			if len(steps) != 1 || steps[0].Host != "cp1" || strings.Join(steps[0].Reasons, "\n") != c.reasons {
				t.Fatalf("planned %+v", steps)
			}
			last := steps[0].Actions[len(steps[0].Actions)-2:]
			if script, ok := last[0].(Script); !ok || strings.Join(script.Args, " ") != c.args {
				t.Errorf("it does %+v", last[0])
			}
			if mark, ok := last[1].(PutFile); !ok || mark.Path != templates.BalancerLoaded {
				t.Errorf("it ends with %+v", last[1])
			}
			for _, action := range steps[0].Actions {
				if put, ok := action.(PutFile); ok && (put.Path == templates.HAProxyConfigFile || put.Path == templates.KeepalivedConfigFile) {
					t.Errorf("%s takes the place of the former one before it was tested", put.Path)
				}
			}
		})
	}
}

// What changes on all balancers changes on one after another, and a host that is away keeps nobody from it.
func TestBalancersRoll(t *testing.T) {
	wish, seen := carried(t)
	wish.Cluster.ControlPlane.LoadBalancer.Port = 9443
	world.ChangeHost(seen, "cp2", func(h *facts.Host) { h.Unreachable = &facts.Problem{Text: "it is away"} })
	steps := stepsOf(Make(wish, seen), stepBalancer)
	if len(steps) != 2 || len(steps[0].Needs) > 0 || !slices.Equal(steps[1].Needs, []string{"cp1/balancer"}) || steps[0].Lock != balancersLock || steps[1].Lock != balancersLock {
		t.Errorf("planned %+v", steps)
	}
}

// The first balancer comes between init and the joins, that of another control plane right after its join.
func TestBalancersComeWithTheirHosts(t *testing.T) {
	wish := world.State(t, world.All(world.ThreeControlPlanes, world.Shared))
	plan := Make(wish, world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) }))
	needs := map[string][]string{}
	for _, step := range plan.Steps {
		needs[step.ID] = step.Needs
	}
	for step, wanted := range map[string]string{
		"cp1/balancer": "cp1/init", "cp2/balancer": "cp2/join", "cp2/join": "cp1/balancer", "w1/join": "cp1/balancer",
	} {
		if !slices.Contains(needs[step], wanted) {
			t.Errorf("%s needs %v, want %s", step, needs[step], wanted)
		}
	}
	if slices.Contains(needs["cp3/join"], "cp2/balancer") {
		t.Errorf("cp3/join needs %v", needs["cp3/join"])
	}
	packages := stepsOf(plan, stepPackages)
	if len(packages) != 3 || !slices.Contains(packages[0].Touches(), ledger.Touch{Kind: ledger.Unit, Key: templates.HAProxyService}) {
		t.Errorf("packages: %+v", packages)
	}
}

// What is no longer wanted goes: first what holds the address, last the programs.
func TestBalancerWithdrawn(t *testing.T) {
	_, seen := carried(t)
	wish := world.State(t, world.All(world.ThreeControlPlanes, func(c *inventory.Cluster) { c.ControlPlane.Endpoint = "192.0.2.10:8443" }))
	world.ChangeHost(seen, "cp1", func(h *facts.Host) {
		h.Contents[templates.PackagesRecord] = []byte("wanted haproxy\nwanted keepalived\n")
	})
	plan := Make(wish, seen)
	steps := stepsOf(plan, stepBalancer)
	if len(steps) != 3 || steps[0].Actions[0].(Script).Args[0] != templates.KeepalivedService || steps[0].Actions[1].(Script).Args[0] != templates.HAProxyService {
		t.Fatalf("planned %+v", steps)
	}
	if packages := stepsOf(plan, stepPackages); len(packages) != 1 || !slices.Contains(packages[0].Needs, "cp1/balancer") {
		t.Errorf("planned %+v", packages)
	}
}

// A control plane that leaves gives the address away first.
func TestBalancerLeaves(t *testing.T) {
	wish, seen := carried(t)
	world.ChangeHost(seen, "cp2", func(h *facts.Host) {
		h.Ledger = append(h.Ledger, ledger.Entry{Kind: ledger.Tree, Key: "/etc/kubernetes", Was: "absent"})
	})
	plan, err := MakeReset(wish, seen, ResetOrder{Names: []string{"cp2"}})
	if err != nil {
		t.Fatal(err)
	}
	if script, ok := plan.Steps[0].Actions[0].(Script); !ok || script.Name != templates.ScriptStopUnit || script.Args[0] != templates.KeepalivedService {
		t.Errorf("it begins with %+v", plan.Steps[0].Actions[0])
	}
}
