package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// How hosts can stand to the inventory's cluster, each as a change of one that is in it.
func made(ca, record string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.CA = []byte(ca)
		h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/etc/kubernetes", Was: "absent"}}
		delete(h.Contents, templates.ClusterRecord)
		if record != "" {
			world.Claimed(h, record)
		}
	}
}

func vacant(h *facts.Host) { made("", "")(h); h.CA = nil }

func byOthers(ca string) func(*facts.Host) {
	return func(h *facts.Host) { made(ca, "")(h); h.Ledger = nil }
}

func unreached(h *facts.Host) { *h = facts.Host{Unreachable: world.NoRoute()} }

func recorded(h *facts.Host, w ledger.Whose) { h.Contents[templates.ClusterRecord] = w.Text() }

// beforeInit is a host whose kubeadm init was cut off: the record is of before it.
func beforeInit(h *facts.Host) { made(world.CA, "")(h); recorded(h, ledger.Whose{Cluster: "lab"}) }

// joinedSince is one that fairlead made a member of the cluster, and somebody else one of another cluster afterwards.
func joinedSince(h *facts.Host) {
	made(world.CA, "lab")(h)
	h.CA = []byte(world.ForeignCA)
}

const (
	labCA   = "sha256:fa5c66c150b7"
	otherCA = "sha256:@OTHER@"
)

// TestWhose is the table of situations: what is on the hosts, whose each is, and which of them a reset of all refuses without a
// person to look at it (--yes), and which even then.
func TestWhose(t *testing.T) {
	type hosts = map[string]func(*facts.Host)
	lab, prod, bare := made(world.CA, "lab"), made(world.ForeignCA, "prod"), made(world.CA, "")
	foreignBare := made(world.ForeignCA, "")
	const byHand = "foreign (it is in a cluster, and fairlead has made nothing on it)"
	const ofProd = "foreign (fairlead has made it one of cluster prod)"
	alone := func(not string) string {
		return "unproven (no other host of the inventory has its CA " + labCA + ", and fairlead has not written down on it of which cluster it is" + not + ")"
	}
	other := func(has string) string {
		return "foreign (its CA is " + otherCA + ", and that of cluster lab is " + labCA + " (" + has + "))"
	}
	different := func(list string) string {
		return "foreign (hosts of the inventory have different CAs, and nobody can tell which one is its cluster's: " + list + ")"
	}
	ours := func(names string) string {
		var all []string
		for name := range strings.FieldsSeq(names) {
			all = append(all, name+" ours")
		}
		return strings.Join(all, "; ")
	}
	for _, c := range []struct {
		name     string
		edit     func(*inventory.Cluster)
		hosts    hosts
		of       []string
		want     string
		yes, ask string // which hosts are refused
	}{
		{name: "all as fairlead made them", hosts: hosts{"cp1": lab, "w1": lab, "w2": lab}, want: ours("cp1 w1 w2")},
		{name: "made before there were records", hosts: hosts{"cp1": bare, "w1": bare, "w2": bare}, want: ours("cp1 w1 w2")},
		{name: "no cluster at all", hosts: hosts{"cp1": vacant, "w1": vacant, "w2": vacant}, want: "cp1 vacant; w1 vacant; w2 vacant"},
		{name: "a reset was cut off", hosts: hosts{"cp1": vacant, "w1": lab, "w2": vacant}, want: "cp1 vacant; w1 ours; w2 vacant"},
		{name: "a reset was cut off, without records", hosts: hosts{"cp1": vacant, "w1": bare, "w2": bare}, want: "cp1 vacant; w1 ours; w2 ours"},
		{name: "the last one, without a record", hosts: hosts{"cp1": vacant, "w1": bare, "w2": vacant}, want: "cp1 vacant; w1 " + alone("") + "; w2 vacant", yes: "w1"},
		{name: "init was cut off", hosts: hosts{"cp1": beforeInit, "w1": vacant, "w2": vacant}, want: "cp1 ours; w1 vacant; w2 vacant"},
		{name: "one host", edit: world.OnlyControlPlane, hosts: hosts{"cp1": lab}, want: ours("cp1")},
		{name: "one host without a record", edit: world.OnlyControlPlane, hosts: hosts{"cp1": bare}, want: "cp1 " + alone(""), yes: "cp1"},
		{name: "one host of another cluster", edit: world.OnlyControlPlane, hosts: hosts{"cp1": prod}, want: "cp1 " + ofProd, yes: "cp1", ask: "cp1"},
		{name: "one host, by others", edit: world.OnlyControlPlane, hosts: hosts{"cp1": byOthers(world.CA)}, want: "cp1 " + byHand, yes: "cp1", ask: "cp1"},
		{name: "all addresses are wrong", hosts: hosts{"cp1": prod, "w1": prod, "w2": prod}, want: "cp1 " + ofProd + "; w1 " + ofProd + "; w2 " + ofProd, yes: "cp1 w1 w2", ask: "cp1 w1 w2"},
		{name: "a worker's address is wrong", hosts: hosts{"cp1": lab, "w1": lab, "w2": prod}, want: ours("cp1 w1") + "; w2 " + ofProd, yes: "w2", ask: "w2"},
		{name: "a worker's address is wrong, without records", hosts: hosts{"cp1": bare, "w1": bare, "w2": foreignBare}, want: ours("cp1 w1") + "; w2 " + other("cp1"), yes: "w2", ask: "w2"},
		{name: "another cluster of the same name", hosts: hosts{"cp1": lab, "w1": lab, "w2": made(world.ForeignCA, "lab")}, want: ours("cp1 w1") + "; w2 " + other("cp1"), yes: "w2", ask: "w2"},
		{name: "the control plane's address is wrong", hosts: hosts{"cp1": foreignBare, "w1": lab, "w2": bare}, want: "cp1 " + other("w1") + "; w1 ours; w2 ours", yes: "cp1", ask: "cp1"},
		{name: "two control planes of two clusters", edit: world.ThreeControlPlanes, hosts: hosts{"cp1": bare, "cp2": foreignBare, "cp3": vacant, "w1": vacant, "w2": vacant},
			want: "cp1 " + different(labCA+" (cp1), "+otherCA+" (cp2)") + "; cp2 " + different(labCA+" (cp1), "+otherCA+" (cp2)") + "; cp3 vacant; w1 vacant; w2 vacant", yes: "cp1 cp2", ask: "cp1 cp2"},
		{name: "it joined another cluster since", hosts: hosts{"cp1": lab, "w1": lab, "w2": joinedSince},
			want: ours("cp1 w1") + "; w2 foreign (its CA is " + otherCA + ", and it had " + labCA + " when fairlead made it one of cluster lab)", yes: "w2", ask: "w2"},
		{name: "a worker by others", hosts: hosts{"cp1": lab, "w1": lab, "w2": byOthers(world.CA)}, want: ours("cp1 w1") + "; w2 " + byHand, yes: "w2", ask: "w2"},
		{name: "a worker without a cluster that was another's", hosts: hosts{"cp1": lab, "w1": lab, "w2": func(h *facts.Host) { prod(h); h.CA = nil }}, want: ours("cp1 w1") + "; w2 " + ofProd, yes: "w2", ask: "w2"},
		{name: "a renewed CA", hosts: hosts{"cp1": lab, "w1": made(world.RenewedCA, "lab"), "w2": made(world.RenewedCA, "")}, want: ours("cp1 w1 w2")},
		{name: "a CA that cannot be read", hosts: hosts{"cp1": lab, "w1": lab, "w2": made("-----BEGIN CERTIFICATE-----\n", "")}, want: ours("cp1 w1") + "; w2 unproven (its CA cannot be read)", yes: "w2"},
		{name: "a damaged record", hosts: hosts{"cp1": lab, "w1": lab, "w2": func(h *facts.Host) { bare(h); h.Contents[templates.ClusterRecord] = []byte("fairlead-cl") }}, want: ours("cp1 w1 w2")},
		{name: "one of three that are there", hosts: hosts{"cp1": lab, "w1": lab, "w2": prod}, of: []string{"w1"}, want: ours("w1")},
		{name: "one, the others are away", hosts: hosts{"cp1": unreached, "w1": lab, "w2": unreached}, of: []string{"w1"}, want: ours("w1")},
		{name: "one without a record, the others are away", hosts: hosts{"cp1": unreached, "w1": bare, "w2": unreached}, of: []string{"w1"}, want: "w1 " + alone("; not reached: cp1, w2"), yes: "w1"},
		{name: "one of another cluster, the others are away", hosts: hosts{"cp1": unreached, "w1": prod, "w2": unreached}, of: []string{"w1"}, want: "w1 " + ofProd, yes: "w1", ask: "w1"},
		{name: "one that shares its CA with another cluster's", hosts: hosts{"cp1": unreached, "w1": foreignBare, "w2": prod}, of: []string{"w1"},
			want: "w1 unproven (no other host of the inventory has its CA " + otherCA + ", and fairlead has not written down on it of which cluster it is; not reached: cp1)", yes: "w1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			seen := world.Converged(t, wish)
			for name, change := range c.hosts {
				world.ChangeHost(seen, name, change)
			}
			var got []string
			for _, b := range Whose(wish, seen, c.of) {
				text := fmt.Sprint(b.Host, " ", b.Verdict)
				if b.Reason != "" {
					text += " (" + b.Reason + ")"
				}
				got = append(got, text)
				if (b.Fix == "") != (b.Reason == "") {
					t.Errorf("%s: the fix is %q", b.Host, b.Fix)
				}
			}
			foreign := shortHash((&planner{State: wish, facts: facts.Facts{Hosts: map[string]facts.Host{"cp1": {CA: []byte(world.ForeignCA)}}}}).owners().hashes["cp1"])
			if is := strings.Join(got, "; "); is != strings.ReplaceAll(c.want, otherCA, foreign) {
				t.Errorf("they are\n%s\nwant\n%s", is, strings.ReplaceAll(c.want, otherCA, foreign))
			}
			for _, order := range []struct {
				asked, foreign bool
				want           string
			}{{false, false, c.yes}, {true, false, c.ask}, {false, true, ""}, {true, true, ""}} {
				seen.API = facts.API{Err: facts.NoCluster()}
				_, err := MakeReset(wish, seen, ResetOrder{Names: c.of, Asked: order.asked, Foreign: order.foreign})
				if is := refusedHosts(t, err); is != order.want {
					t.Errorf("asked %v, foreign %v: refused are %q, want %q", order.asked, order.foreign, is, order.want)
				}
			}
		})
	}
}

func refusedHosts(t *testing.T, err error) string {
	t.Helper()
	var refused *RefusedError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused == nil {
		return ""
	}
	var names []string
	for _, b := range refused.Hosts {
		names = append(names, b.Host)
		if !strings.Contains(err.Error(), "\n  "+b.Host+": "+b.Reason) || !strings.HasPrefix(err.Error(), "nothing was changed, ") {
			t.Errorf("it says %q", err)
		}
	}
	return strings.Join(names, " ")
}

// A host of another cluster leaves no Node of this one when it goes: the Node of its name is that of another machine. Nor does it
// matter to it whether this cluster answers.
func TestResetOfAForeignHost(t *testing.T) {
	wish := world.State(t, nil)
	for name, api := range map[string]func(*facts.Facts){
		"living": func(*facts.Facts) {},
		"silent": func(f *facts.Facts) { f.API = facts.API{Err: world.Refused()} },
	} {
		for _, host := range []string{"cp1", "w2"} {
			seen := world.Converged(t, wish)
			for each := range maps.Keys(seen.Hosts) {
				world.ChangeHost(seen, each, made(world.CA, "lab"))
			}
			world.ChangeHost(seen, host, made(world.ForeignCA, "prod"))
			api(&seen)
			plan, err := MakeReset(wish, seen, ResetOrder{Names: []string{host}, Foreign: true})
			if err != nil || len(plan.Steps) != 1 || plan.Steps[0].ID != host+"/reset" || len(plan.Steps[0].Needs) > 0 {
				t.Errorf("%s, %s: %+v, %v", name, host, plan.Steps, err)
				continue
			}
			if !slices.Contains(plan.Steps[0].Reasons, "it goes although fairlead has made it one of cluster prod") {
				t.Errorf("%s, %s: the reasons are %q", name, host, plan.Steps[0].Reasons)
			}
		}
	}
	seen := world.Converged(t, wish)
	world.ChangeHost(seen, "w2", byOthers(world.ForeignCA))
	plan, err := MakeReset(wish, seen, ResetOrder{Names: []string{"w2"}, Foreign: true})
	if err != nil || len(plan.Steps) != 0 || len(plan.Blocked) != 1 || !strings.Contains(plan.Blocked[0].Reason, "kubeadm reset --force as root on w2") {
		t.Errorf("%+v, %v", plan, err)
	}
}

// Members whose record is missing or out of date get one, where fairlead has changed something; nothing else is done for that.
func TestClaims(t *testing.T) {
	wish := world.State(t, nil)
	for name, c := range map[string]struct {
		change func(*facts.Host)
		reason string // empty: nothing is planned
	}{
		"it is there":                {made(world.CA, "lab"), ""},
		"none":                       {made(world.CA, ""), "its record is of no cluster"},
		"of before init":             {beforeInit, "its record is of cluster lab, without a CA"},
		"a CA that was issued again": {made(world.RenewedCA, "lab"), ""},
		"nothing was changed there":  {byOthers(world.CA), ""},
		"it has not joined":          {vacant, ""},
		"a damaged one":              {func(h *facts.Host) { made(world.CA, "")(h); h.Contents[templates.ClusterRecord] = []byte("x") }, "its record is of no cluster"},
		"a CA of before": {func(h *facts.Host) {
			made(world.CA, "")(h)
			recorded(h, ledger.Whose{Cluster: "lab", CA: "sha256:beef"})
		}, "its record is of cluster lab, with the CA sha256:beef"},
		"one of another cluster":    {made(world.CA, "prod"), ""},
		"one that was given a name": {func(h *facts.Host) { made(world.CA, "prod")(h); wish.Cluster.IgnorePreflight = []string{claimCheck} }, "its record is of cluster prod, with the CA " + labCA},
	} {
		t.Run(name, func(t *testing.T) {
			wish = world.State(t, nil)
			seen := world.Converged(t, wish)
			world.ChangeHost(seen, "w1", c.change)
			plan := Make(wish, seen)
			i := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == "w1/claim" })
			switch {
			case len(plan.Errors()) > 0 && c.reason == "": // it stops the run
			case c.reason == "" && i >= 0, c.reason != "" && (i < 0 || !slices.Equal(plan.Steps[i].Reasons, []string{c.reason})):
				t.Errorf("planned is\n%s", Show(plan))
			}
		})
	}
	// A worker that was cut off when its kubelet had been let in, and registers anew, gets its record by the same plan.
	cut := world.Converged(t, world.State(t, nil))
	world.ChangeHost(cut, "w1", beforeInit)
	delete(cut.API.Nodes, "w1")
	if made := Make(world.State(t, nil), cut); !slices.ContainsFunc(made.Steps, func(s Step) bool { return s.ID == "w1/claim" }) {
		t.Errorf("planned is\n%s", Show(made))
	}
	// An adopted host has no ledger before the steps of this very plan.
	seen := world.Converged(t, world.State(t, nil))
	world.ChangeHost(seen, "w1", byOthers(world.CA))
	world.ChangeHost(seen, "w1", func(h *facts.Host) { h.Sysctls["net.ipv4.ip_forward"] = "0" })
	plan := Make(world.State(t, nil), seen)
	i := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == "w1/claim" })
	if i < 0 || len(plan.Steps[i].Needs) == 0 {
		t.Errorf("planned is\n%s", Show(plan))
	}
}
