package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// touched is a converged fleet whose hosts' ledgers hold a file; a reset makes hosts as if they were new.
func touched(t *testing.T) *fleet {
	t.Helper()
	f := converged(t, nil)
	for _, host := range f.wish.Cluster.Hosts() {
		f.change(host.Name, func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: ledger.File, Key: "/etc/mine", Was: "absent"}} })
	}
	f.perform = func(_ context.Context, name string, script templates.Script) string {
		if host, ok := f.wish.Cluster.Host(name); ok && script == templates.ScriptReset {
			f.change(name, func(h *facts.Host) { *h = world.FreshHost(host) })
		}
		return ""
	}
	return f
}

// ran are the scripts of a run by host, as those of different hosts run at once.
func ran(f *fleet) []string { return slices.Sorted(slices.Values(f.scripts)) }

// A reset of all goes by each host's ledger, and then looks for what the ledger held.
func TestResetOfAll(t *testing.T) {
	f := touched(t)
	steps, err := f.Reset(t.Context(), ResetOrder{})
	if steps != 3 || err != nil || !slices.Equal(ran(f), []string{"cp1/reset", "w1/reset", "w2/reset"}) {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	for name, probes := range f.probes {
		if len(probes) != 3 || strings.Contains(probes[1], "/etc/mine") || !strings.Contains(probes[2], "path:/etc/mine") || !strings.HasSuffix(probes[2], "remains:") {
			t.Errorf("%s was asked %q", name, probes)
		}
	}
	if got := f.told(event.Finished); !slices.Equal(got, []string{"3 steps"}) {
		t.Errorf("finished %q", got)
	}
	if steps, err := f.Reset(t.Context(), ResetOrder{}); steps != 0 || err != nil || len(f.scripts) != 3 {
		t.Errorf("once more: %d steps, %v", steps, err)
	}
}

// What a reset must refuse it refuses before it changes anything.
func TestResetRefuses(t *testing.T) {
	for _, c := range []struct {
		names  []string
		change func(*fleet)
		want   string
	}{
		{[]string{"w9"}, func(*fleet) {}, "host w9 is not in the inventory"},
		{[]string{"cp1"}, func(*fleet) {}, "no control plane would be left for the other hosts"},
		{[]string{"w1"}, func(f *fleet) { f.api.Refuse("/readyz", 500) }, "the node cannot be drained and deleted, the API server does not answer: "},
	} {
		f := touched(t)
		c.change(f)
		steps, err := f.Reset(t.Context(), ResetOrder{Names: c.names})
		if steps != 0 || err == nil || !strings.HasPrefix(err.Error(), c.want) || len(f.scripts) != 0 {
			t.Errorf("%v: %d steps, %v, %v", c.names, steps, err, f.scripts)
		}
		if got := f.told(event.Finished); len(got) != 1 || !strings.Contains(got[0], c.want) || len(f.told(event.Planned)) != 0 {
			t.Errorf("%v: finished %q", c.names, got)
		}
	}
}

// A reset of named hosts leaves the others alone. Whoever is no node has nothing to leave.
func TestResetOfSome(t *testing.T) {
	wish := world.State(t, nil)
	seen := world.Converged(t, wish)
	delete(seen.API.Nodes, "w1")
	f := newFleet(t, wish, seen)
	for _, name := range []string{"w1", "w2"} {
		f.change(name, func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: ledger.Net, Key: "all", Was: "saved"}} })
	}
	f.perform = func(context.Context, string, templates.Script) string {
		f.change("w1", func(h *facts.Host) { h.Ledger = nil })
		return ""
	}
	if steps, err := f.Reset(t.Context(), ResetOrder{Names: []string{"w1"}}); steps != 1 || err != nil || !slices.Equal(f.scripts, []string{"w1/reset"}) || len(f.probes["w2"]) != 2 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
}

// Whatever is left, of whichever host, is the reset's error, and so is what nobody has said.
func TestResetFindsLeftovers(t *testing.T) {
	f := touched(t)
	f.perform = func(_ context.Context, name string, _ templates.Script) string {
		f.change(name, func(h *facts.Host) {
			switch h.Ledger = nil; name {
			case "w1":
				world.Written(h, "/etc/mine", 0o644, []byte("x"))
				h.Processes = []facts.Process{{Program: "kubelet", PID: "42"}}
			case "w2":
				h.Ledger = []ledger.Entry{{Kind: ledger.File, Key: "/etc/mine", Was: "absent"}}
			}
		})
		return ""
	}
	steps, err := f.Reset(t.Context(), ResetOrder{})
	var left *LeftoverError
	want := []string{"w1: process kubelet (pid 42)", "w1: file /etc/mine", "w2: /var/lib/fairlead/ledger"}
	if steps != 3 || !errors.As(err, &left) || !slices.Equal(left.Left, want) {
		t.Fatalf("%d steps, %v", steps, err)
	}
	if !strings.HasPrefix(left.Error(), "reset left behind:\n  w1: process kubelet (pid 42)\n  w1: file") {
		t.Errorf("it says %q", left)
	}
}

// An entry of which the host says nothing is not taken for undone.
func TestResetWantsAnAnswerForEachEntry(t *testing.T) {
	f := touched(t)
	f.change("w1", func(h *facts.Host) {
		h.Ledger = []ledger.Entry{{Kind: ledger.Unit, Key: "mine.service", Was: "not-found"}}
	})
	if steps, err := f.Reset(t.Context(), ResetOrder{}); steps != 3 || err == nil || err.Error() != "w1: ledger entry unit mine.service: nobody has said whether it is undone" {
		t.Errorf("%d steps, %v", steps, err)
	}
}

// A host that cannot be reset, or not be looked at afterwards, is said once, and the others are reset.
func TestResetWithoutSomeHosts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fleet)
		want   string
	}{
		{"unreachable", func(f *fleet) { f.lose("w2") }, "w2: host is unreachable"},
		{"of a later version", func(f *fleet) {
			f.change("w2", func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: "orbit", Key: "moon"}} })
		}, "w2: reset the host: its ledger holds what this fairlead does not know: orbit moon; take the one that wrote it"},
	} {
		f := touched(t)
		c.change(f)
		steps, err := f.Reset(t.Context(), ResetOrder{})
		if steps != 2 || err == nil || err.Error() != c.want || !slices.Equal(ran(f), []string{"cp1/reset", "w1/reset"}) {
			t.Errorf("%s: %d steps, %v, %v", c.name, steps, err, f.scripts)
		}
	}
	f := touched(t)
	f.garble = func(host, answer string) string {
		if host == "w1" && len(f.probes[host]) > 2 {
			return strings.TrimSuffix(answer, "end\n")
		}
		return answer
	}
	if steps, err := f.Reset(t.Context(), ResetOrder{}); steps != 3 || err == nil || !strings.HasPrefix(err.Error(), "w1: look for leftovers: read the probe's answer: ") {
		t.Errorf("not looked at afterwards: %d steps, %v", steps, err)
	}
}

// The ledger is enough for a reset. Facts that cannot be read are said, and what they leave unknown afterwards is not taken for undone.
func TestResetWithUnreadFacts(t *testing.T) {
	for line, c := range map[string]struct{ found, unknown string }{
		"certificate\t/etc/kubernetes/pki/ca.crt\t": {found: "w1 the certificate /etc/kubernetes/pki/ca.crt, which says to which cluster the host belongs, cannot be read: no PEM certificate in it"},
		"cpus\tmany":           {found: `w1 the number of processors cannot be read, it is "many": it is no number`},
		"nameserver\tresolver": {found: `w1 a name server in /etc/resolv.conf cannot be read, it is "resolver": it is no address`},
		"file\t/etc/mine\t\t0\t0\t1": {
			found:   `w1 the file /etc/mine cannot be read, it is "0 0 1": mode: it is no number`,
			unknown: `w1: "file /etc/mine 0 0 1" cannot be read: mode: it is no number: nobody has said whether all is undone`,
		},
		"fil": {
			found:   `w1 a line of the host's answer cannot be read, it is "fil": this fairlead knows no such fact`,
			unknown: `w1: "fil" cannot be read: this fairlead knows no such fact: nobody has said whether all is undone`,
		},
	} {
		f := touched(t)
		f.garble = saying("w1", line)
		steps, err := f.Reset(t.Context(), ResetOrder{})
		if steps != 3 || !slices.Equal(ran(f), []string{"cp1/reset", "w1/reset", "w2/reset"}) || (err == nil) != (c.unknown == "") || err != nil && err.Error() != c.unknown {
			t.Errorf("%q: %d steps, %v, %v", line, steps, err, f.scripts)
		}
		if found := f.told(event.Found); !slices.Equal(found, []string{c.found}) {
			t.Errorf("%q: found %q", line, found)
		}
	}
}

// A step that fails is told beside what is left, as the host was not undone.
func TestResetThatFails(t *testing.T) {
	f := touched(t)
	done := f.perform
	f.perform = func(ctx context.Context, name string, script templates.Script) string {
		if name == "w1" {
			return "umount: target is busy"
		}
		return done(ctx, name, script)
	}
	steps, err := f.Reset(t.Context(), ResetOrder{})
	var step *event.StepError
	var left *LeftoverError
	if steps != 2 || !errors.As(err, &step) || step.Host != "w1" || !errors.As(err, &left) || !slices.Equal(left.Left, []string{"w1: /var/lib/fairlead/ledger"}) {
		t.Errorf("%d steps, %v", steps, err)
	}
}

// A reset that is stopped looks for nothing any more, and says that it was stopped.
func TestResetThatIsStopped(t *testing.T) {
	f := touched(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.perform = func(running context.Context, _ string, _ templates.Script) string {
		cancel()
		<-running.Done()
		return ""
	}
	if steps, err := f.Reset(ctx, ResetOrder{}); steps != 0 || !errors.Is(err, context.Canceled) || len(f.probes["w1"]) != 2 {
		t.Errorf("%d steps, %v", steps, err)
	}
	f = touched(t)
	if steps, err := f.Reset(ctx, ResetOrder{}); steps != 0 || !errors.Is(err, context.Canceled) || len(f.scripts) != 0 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
}

// The client of the API server is given up with the cluster.
func TestResetForgetsTheAPI(t *testing.T) {
	f := touched(t)
	client, _, err := f.connections.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reset(t.Context(), ResetOrder{}); err != nil {
		t.Fatal(err)
	}
	if again, _, err := f.connections.API(t.Context()); err != nil || again == client {
		t.Errorf("the client is kept: %v", err)
	}
}

// Only hosts that were reset are looked at afterwards, not those that only leave.
func TestOnlyResetHostsAreLookedAt(t *testing.T) {
	f := touched(t)
	made := plan.Plan{Steps: []plan.Step{{Host: "w1", Stage: plan.StageLeave}, {Host: "w2", Stage: plan.StageReset}}}
	f.lose("w2")
	left, err := f.leftovers(t.Context(), made, f.seen)
	if len(left) != 0 || !errors.Is(err, remote.ErrUnreachable) || len(f.probes["w1"]) != 0 || !strings.HasPrefix(err.Error(), "w2: look for leftovers: ") {
		t.Errorf("%v, %v; looked at %v", left, err, f.probes)
	}
}

// A host of another cluster is refused before anything is changed on any host; what was ordered all the same is done.
func TestResetAsksWhoseHostsAre(t *testing.T) {
	foreign := func(t *testing.T) *fleet {
		f := touched(t)
		f.change("w2", func(h *facts.Host) { world.Claimed(h, "prod") })
		return f
	}
	unproven := func(t *testing.T) *fleet {
		f := touched(t)
		f.lose("cp1", "w2")
		f.change("w1", func(h *facts.Host) { delete(h.Contents, templates.ClusterRecord) })
		return f
	}
	declined := errors.New("declined")
	for _, c := range []struct {
		name    string
		make    func(*testing.T) *fleet
		order   ResetOrder
		answer  error // of who is asked
		refused string
		steps   int
	}{
		{name: "foreign", make: foreign, refused: "w2"},
		{name: "foreign, asked", make: foreign, order: ResetOrder{Confirm: agree(nil)}, refused: "w2"},
		{name: "foreign, ordered", make: foreign, order: ResetOrder{Foreign: true}, steps: 3},
		{name: "foreign, ordered and asked", make: foreign, order: ResetOrder{Foreign: true, Confirm: agree(nil)}, steps: 3},
		{name: "foreign, declined", make: foreign, order: ResetOrder{Foreign: true, Confirm: agree(declined)}, answer: declined},
		{name: "unproven", make: unproven, order: ResetOrder{Names: []string{"w1"}}, refused: "w1"},
		{name: "ours, declined", make: touched, order: ResetOrder{Confirm: agree(declined)}, answer: declined},
		{name: "ours, asked", make: touched, order: ResetOrder{Confirm: agree(nil)}, steps: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.make(t)
			steps, err := f.Reset(t.Context(), c.order)
			var refused *plan.RefusedError
			if errors.As(err, &refused) != (c.refused != "") || refused != nil && (len(refused.Hosts) != 1 || refused.Hosts[0].Host != c.refused) {
				t.Errorf("refused: %v, want %q", err, c.refused)
			}
			if c.refused == "" && !errors.Is(err, c.answer) {
				t.Errorf("error %v", err)
			}
			if steps != c.steps || len(f.scripts) != c.steps {
				t.Errorf("%d steps, %v", steps, f.scripts)
			}
		})
	}
	// Whoever is asked is told of the hosts that are meant, and nobody is asked about nothing.
	f := touched(t)
	var told []plan.Belonging
	asks := 0
	order := ResetOrder{Confirm: func(_ context.Context, hosts []plan.Belonging) error {
		told, asks = hosts, asks+1
		return nil
	}}
	for range 2 {
		if _, err := f.Reset(t.Context(), order); err != nil {
			t.Fatal(err)
		}
	}
	if asks != 1 || len(told) != 3 || told[1].Host != "w1" || told[1].Verdict != plan.Ours || told[1].Cluster != "lab" || told[1].Since.IsZero() {
		t.Errorf("asked %d times: %+v", asks, told)
	}
}

// agree is who answers what a reset asks.
func agree(answer error) func(context.Context, []plan.Belonging) error {
	return func(context.Context, []plan.Belonging) error { return answer }
}

// Hosts that are not reset themselves prove whose another one is; that one is not asked twice.
func TestResetOfOneHostLooksAtTheOthers(t *testing.T) {
	f := touched(t)
	for _, name := range []string{"cp1", "w1", "w2"} {
		f.change(name, func(h *facts.Host) { delete(h.Contents, templates.ClusterRecord) })
	}
	delete(f.seen.API.Nodes, "w1")
	f.api.Refuse("/readyz", 500)
	f.change("cp1", func(h *facts.Host) { h.Kubeconfigs = map[string]bool{}; h.Manifests = nil })
	if steps, err := f.Reset(t.Context(), ResetOrder{Names: []string{"w1"}}); steps != 1 || err != nil || !slices.Equal(f.scripts, []string{"w1/reset"}) {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
}
