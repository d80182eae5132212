package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fairlead/provision/plan"
)

// round is what one look of a run finds and what comes of it.
type round struct {
	plan      plan.Plan
	unreached error
	stopped   bool // Ctrl-C while the plan is made
	done      int
	errs      []error
	cut       bool // Ctrl-C while it is applied
	back      bool // the errors are hosts that had gone away
}

var errAway = errors.New("w2: no route to host")

// TestLoop has a case for each way in which a run ends.
func TestLoop(t *testing.T) {
	changes := plan.Plan{Steps: []plan.Step{{ID: "w1/kernel", Host: "w1", Title: "set sysctls", Reasons: []string{"a is 0", "b is 1"}, Actions: []plan.Action{plan.Script{}}}}}
	waits := plan.Plan{Steps: []plan.Step{{ID: "w1/ready", Host: "w1", Title: "wait", Actions: []plan.Action{plan.AwaitNode{Name: "w1"}}}}}
	with := func(p plan.Plan, change func(*plan.Plan)) plan.Plan {
		change(&p)
		return p
	}
	more := with(changes, func(p *plan.Plan) { p.More = "kubeadm is at work" })
	found := with(changes, func(p *plan.Plan) { p.Findings = []plan.Finding{{Name: "Mem"}} })
	warned := with(changes, func(p *plan.Plan) { p.Findings = []plan.Finding{{Name: "LowDisk", Warning: true}} })
	blocked := with(plan.Plan{}, func(p *plan.Plan) {
		p.Blocked = []plan.Blocked{{Host: "w2", Title: "prepare the host", Reason: "the host cannot be looked at"}, {Title: "compare", Reason: "of v1beta3"}}
	})
	for _, c := range []struct {
		name   string
		rounds []round
		count  int
		want   []string // of which errors; the texts stand in the error's
		is     error
	}{
		{name: "nothing to do", rounds: []round{{}}},
		{name: "one round", rounds: []round{{plan: changes, done: 3}, {}}, count: 3},
		{name: "a warning", rounds: []round{{plan: warned, done: 1}, {}}, count: 1},
		{name: "a finding", rounds: []round{{plan: found}}, want: []string{"preflight checks failed"}, is: ErrPreflight},
		{name: "a finding while a host is away", rounds: []round{{plan: found, unreached: errAway}}, want: []string{"preflight checks failed", "w2: no route to host"}, is: errAway},
		{name: "a finding in the second round", rounds: []round{{plan: more, done: 2}, {plan: found}}, count: 2, want: []string{"preflight checks failed"}, is: ErrPreflight},
		{name: "a host is away and the rest is done", rounds: []round{{plan: changes, unreached: errAway, done: 1}, {unreached: errAway}}, count: 1, want: []string{"w2: no route to host"}, is: errAway},
		{name: "a host is away and hinders", rounds: []round{{plan: blocked, unreached: errAway}}, want: []string{"w2: no route to host"}, is: errAway},
		{name: "something is hindered", rounds: []round{{plan: blocked}}, want: []string{"w2: prepare the host: the host cannot be looked at", "cluster: compare: of v1beta3"}},
		{name: "a step fails", rounds: []round{{plan: changes, done: 2, errs: []error{errBoom}}}, count: 2, want: []string{"boom"}, is: errBoom},
		{name: "a step fails while a host is away", rounds: []round{{plan: changes, unreached: errAway, errs: []error{errBoom}}}, want: []string{"boom", "w2: no route to host"}, is: errAway},
		{name: "a host goes away and comes back", rounds: []round{{plan: changes, done: 2, errs: []error{errBoom}, back: true}, {plan: changes, done: 1}, {}}, count: 3},
		{name: "a host goes away and is not done afterwards", rounds: []round{{plan: changes, errs: []error{errBoom}, back: true}, {plan: changes, done: 1}, {plan: changes}},
			count: 1, want: []string{"did not converge: w1: set sysctls (a is 0; b is 1)"}},
		{name: "a host goes away again and again", rounds: []round{{plan: changes, errs: []error{errBoom}, back: true}, {plan: changes, errs: []error{errBoom}, back: true},
			{plan: changes, errs: []error{errBoom}, back: true}}, want: []string{"boom"}, is: errBoom},
		{name: "a host goes away and has all its rounds", rounds: []round{{plan: more, done: 1}, {plan: more, done: 1}, {plan: more, done: 1}, {plan: more, done: 1},
			{plan: more, errs: []error{errBoom}, back: true}, {plan: more, done: 1}, {plan: changes, done: 1}, {}}, count: 6},
		{name: "stopped while a host is away", rounds: []round{{plan: changes, cut: true, errs: []error{errBoom}, back: true}}, want: []string{"boom", "context canceled"}, is: errBoom},
		{name: "it is not done", rounds: []round{{plan: changes, done: 1}, {plan: changes}}, count: 1, want: []string{"did not converge: w1: set sysctls (a is 0; b is 1)"}},
		{name: "it is not done, of the cluster", rounds: []round{{plan: changes, done: 1}, {plan: with(changes, func(p *plan.Plan) {
			p.Steps = []plan.Step{changes.Steps[0], {Title: "mint", Reasons: []string{"hosts join"}}}
		})}},
			count: 1, want: []string{"did not converge: w1: set sysctls (a is 0; b is 1); the cluster: mint (hosts join)"}},
		{name: "it only waits after all was done", rounds: []round{{plan: changes, done: 1}, {plan: waits, done: 1}, {}}, count: 2},
		{name: "it only waits", rounds: []round{{plan: waits, done: 1}, {}}, count: 1},
		{name: "more is known later", rounds: []round{{plan: more, done: 1}, {plan: more, done: 1}, {plan: changes, done: 2}, {}}, count: 4},
		{name: "more is known later, and then it is not done", rounds: []round{{plan: more, done: 1}, {plan: changes, done: 1}, {plan: changes}}, count: 2, want: []string{"did not converge: w1: set sysctls (a is 0; b is 1)"}},
		{name: "more and more", rounds: []round{{plan: more, done: 1}, {plan: more, done: 1}, {plan: more, done: 1}, {plan: more, done: 1}, {plan: more, done: 1}}, count: 5, want: []string{"did not converge in 5 rounds"}},
		{name: "stopped while it looks", rounds: []round{{plan: changes, stopped: true}}, want: []string{"context canceled"}, is: context.Canceled},
		{name: "stopped while it works", rounds: []round{{plan: changes, done: 1, cut: true}}, count: 1, want: []string{"context canceled"}, is: context.Canceled},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			looks, works := 0, 0
			loop := Loop{
				Plan: func(context.Context) (plan.Plan, error) {
					if looks == len(c.rounds) {
						t.Fatal("it looks once more")
					}
					now := c.rounds[looks]
					looks++
					if now.stopped {
						cancel()
					}
					return now.plan, now.unreached
				},
				Apply: func(_ context.Context, made plan.Plan) (int, []error) {
					works++
					now := c.rounds[looks-1]
					if works > looks || fmt.Sprint(made) != fmt.Sprint(now.plan) {
						t.Errorf("it applies %+v", made)
					}
					if now.cut {
						cancel()
					}
					return now.done, now.errs
				},
				Back: func(_ context.Context, errs []error) bool {
					now := c.rounds[looks-1]
					if len(errs) == 0 || len(errs) != len(now.errs) || now.cut {
						t.Errorf("it asks whether hosts are back after %v", errs)
					}
					return now.back
				},
			}
			count, err := loop.Run(ctx)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if count != c.count || text != strings.Join(c.want, "\n") || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%d steps were done, error %v, want %d and %q", count, err, c.count, c.want)
			}
			if looks != len(c.rounds) {
				t.Errorf("it looked %d times, want %d", looks, len(c.rounds))
			}
		})
	}
}

// Where findings forbid the run, where nothing is to be done, and where it was stopped or did not
// converge, nothing is applied.
func TestLoopAppliesNothing(t *testing.T) {
	changes := []plan.Step{{ID: "w1/kernel", Actions: []plan.Action{plan.Script{}}}}
	for name, made := range map[string]plan.Plan{
		"a finding": {Steps: changes, Findings: []plan.Finding{{Name: "Mem"}}}, "nothing": {}, "hindered": {Blocked: []plan.Blocked{{Title: "x"}}},
	} {
		loop := Loop{
			Plan:  func(context.Context) (plan.Plan, error) { return made, nil },
			Apply: func(context.Context, plan.Plan) (int, []error) { t.Errorf("%s: it is applied", name); return 0, nil },
		}
		if count, _ := loop.Run(t.Context()); count != 0 {
			t.Errorf("%s: %d steps", name, count)
		}
	}
}
