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
	"fairlead/templates"
)

// withoutNode is a converged fleet whose w1 has no node any more, as where a removal was cut off: what is left is the host's own part.
func withoutNode(t *testing.T) *fleet {
	t.Helper()
	wish := world.State(t, nil)
	seen := world.Converged(t, wish)
	delete(seen.API.Nodes, "w1")
	f := newFleet(t, wish, seen)
	f.change("w1", func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: ledger.File, Key: "/etc/mine", Was: "absent"}} })
	f.perform = func(_ context.Context, name string, script templates.Script) string {
		if host, ok := f.wish.Cluster.Host(name); ok && script == templates.ScriptReset {
			f.change(name, func(h *facts.Host) { *h = world.FreshHost(host) })
		}
		return ""
	}
	return f
}

func removing(names ...string) RemoveOrder {
	return RemoveOrder{RemoveOrder: plan.RemoveOrder{Names: names}}
}

// A host that was left over is reset, looked at and gone; another time there is nothing to do, and it is gone all the same.
func TestRemoveGoesOn(t *testing.T) {
	f := withoutNode(t)
	var asked []Leaving
	order := removing("w1")
	order.Confirm = func(_ context.Context, leaving []Leaving) error {
		asked = append(asked, leaving...)
		return nil
	}
	removal, err := f.Remove(t.Context(), order)
	if err != nil || removal.Steps != 2 || !slices.Equal(f.scripts, []string{"w1/record", "w1/stop-unit", "w1/reset"}) || !slices.Equal(removal.Gone, []string{"w1"}) {
		t.Errorf("%+v, %v, %v", removal, err, f.scripts)
	}
	if len(asked) != 1 || !asked[0].Host || asked[0].Of.Verdict != plan.Ours || !slices.Contains(asked[0].Steps, "reset the host") || !asked[0].Load.Empty() {
		t.Errorf("asked about %+v", asked)
	}
	if probes := f.probes["w1"]; !slices.ContainsFunc(probes, func(p string) bool { return strings.HasSuffix(p, "remains:") }) {
		t.Errorf("nobody has looked what is left: %q", probes)
	}
	did := len(f.scripts)
	if removal, err := f.Remove(t.Context(), order); err != nil || removal.Steps != 0 || !slices.Equal(removal.Gone, []string{"w1"}) || len(f.scripts) != did || len(asked) != 1 {
		t.Errorf("again: %+v, %v, %v", removal, err, f.scripts[did:])
	}
}

// Who says no has changed nothing, and who fails has not had anybody leave.
func TestRemoveThatDoesNotHappen(t *testing.T) {
	f := withoutNode(t)
	order, declined := removing("w1"), errors.New("declined")
	order.Confirm = func(context.Context, []Leaving) error { return declined }
	if removal, err := f.Remove(t.Context(), order); !errors.Is(err, declined) || len(removal.Gone) > 0 || len(f.scripts) > 0 {
		t.Errorf("%+v, %v, %v", removal, err, f.scripts)
	}
	f.perform = func(context.Context, string, templates.Script) string { return "umount: target is busy" }
	var step *event.StepError
	if removal, err := f.Remove(t.Context(), removing("w1")); !errors.As(err, &step) || len(removal.Gone) > 0 {
		t.Errorf("%+v, %v", removal, err)
	}
	for _, c := range []struct {
		order RemoveOrder
		lost  bool
		says  string
	}{
		{order: removing("w9"), says: "neither a host"},
		{order: removing("cp1"), says: "no API server answers but that of cp1"},
		{order: removing("w1"), lost: true, says: "--unreachable"},
		{order: RemoveOrder{RemoveOrder: plan.RemoveOrder{Names: []string{"w1"}, Unreachable: true}}, says: "w1 answers"},
	} {
		f := withoutNode(t)
		if c.lost {
			f.lose("w1")
		}
		if removal, err := f.Remove(t.Context(), c.order); err == nil || !strings.Contains(err.Error(), c.says) || len(removal.Gone)+len(f.scripts) > 0 {
			t.Errorf("%v: %+v, %v, %v", c.order.Names, removal, err, f.scripts)
		}
	}
}

// A ledger that is not understood keeps its host.
func TestRemoveOfAHostThatIsNotUnderstood(t *testing.T) {
	f := withoutNode(t)
	f.change("w1", func(h *facts.Host) { h.Ledger = append(h.Ledger, ledger.Entry{Kind: "riddle", Key: "x", Was: "y"}) })
	removal, err := f.Remove(t.Context(), removing("w1"))
	if err == nil || !strings.Contains(err.Error(), "riddle") || len(removal.Gone)+len(f.scripts) > 0 {
		t.Errorf("%+v, %v, %v", removal, err, f.scripts)
	}
}
