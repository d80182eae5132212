package apply_test

import (
	"context"
	"errors"
	"testing"

	"fairlead/provision/plan"
	"fairlead/templates"
)

// TestAllowed asks before each change, the ledger's included, whether it may be made now, and goes no further when it may not. Who
// only waits, and what ends a run, is not asked for.
func TestAllowed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		no, asked, allowed := errors.New("lost"), 0, 0
		w.applier.Allowed = func(context.Context) error {
			if asked++; asked > allowed {
				return no
			}
			return nil
		}
		w.steps = w.applier.Perform(nil)
		w.cp1.answer(answer{}, templates.ScriptRecord, templates.ScriptRestartUnit)
		put := plan.PutFile{Path: "/etc/a", Mode: 0o644}
		for _, c := range []struct {
			allowed, asked int
			step           plan.Step
			err            error
			did            []string
		}{
			{0, 1, step("cp1", put), no, nil},
			{1, 2, step("cp1", put), no, []string{"cp1: record file:/etc/a"}},
			{2, 3, step("cp1", put, plan.RestartUnit("a.service")), no, []string{"cp1: record file:/etc/a", "cp1: write /etc/a 644"}},
			{1, 1, step("cp1", plan.RestartUnit("a.service")), nil, []string{"cp1: restart-unit a.service"}},
			{0, 0, step("cp1", plan.AwaitAPI{}), nil, []string{"through cp1"}},
			{0, 0, plan.Step{ID: "end", Host: "cp1", Finally: true, Actions: []plan.Action{plan.RestartUnit("a.service")}}, nil, []string{"cp1: restart-unit a.service"}},
		} {
			asked, allowed = 0, c.allowed
			if err := w.perform(t.Context(), c.step); !errors.Is(err, c.err) || asked != c.asked {
				t.Errorf("%s: %v, asked %d times, want %v, %d", c.step.Actions[0].Describe(), err, asked, c.err, c.asked)
			}
			w.did(c.did...)
		}
	})
}
