package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// fleet is a plan like that of a new cluster, with ten steps for each host, which share all that
// steps can share: a step that many need, one that needs many, a lock, giving way, an end.
func fleet(hosts int) []plan.Step {
	var steps []plan.Step
	mint := plan.Step{ID: "cluster/mint", Needs: []string{"h0/init"}}
	revoke := plan.Step{ID: "cluster/revoke", Finally: true}
	ready := plan.Step{ID: "cluster/rollout"}
	for i := range hosts {
		host := fmt.Sprintf("h%d", i)
		name := func(name string) string { return host + "/" + name }
		var before []string
		for _, step := range []string{"swap", "kernel", "repositories", "containerd", "kubernetes", "images"} {
			next := plan.Step{ID: name(step), Host: host, Needs: slices.Clone(before)}
			if i > 0 && (step == "containerd" || step == "images") {
				next.GivesWayTo = []string{"h0/containerd", "h0/images"}
			}
			steps, before = append(steps, next), append(before, next.ID)
		}
		member := plan.Step{ID: name("join"), Host: host, Needs: append(before, mint.ID)}
		if i == 0 {
			member = plan.Step{ID: name("init"), Host: host, Needs: before}
		} else {
			revoke.Needs = append(revoke.Needs, member.ID)
		}
		if i%2 == 1 {
			member.Lock = "etcd membership"
		}
		steps = append(steps, member, plan.Step{ID: name("node"), Host: host, Needs: []string{member.ID}},
			plan.Step{ID: name("serving"), Host: host, Needs: []string{member.ID}, Lock: "serving"},
			plan.Step{ID: name("ready"), Host: host, Needs: []string{name("node"), member.ID}})
		ready.Needs = append(ready.Needs, name("ready"))
	}
	return append(steps, mint, revoke, ready)
}

func BenchmarkExecute(b *testing.B) {
	for _, hosts := range []int{30, 300, 3000} {
		b.Run(fmt.Sprintf("%d hosts", hosts), func(b *testing.B) {
			steps := fleet(hosts)
			events := event.NewEmitter(time.Now, func(event.Event) {})
			for b.Loop() {
				if count, errs := Execute(b.Context(), steps, events, func(context.Context, plan.Step) error { return nil }); count != len(steps) || len(errs) > 0 {
					b.Fatal(count, errs)
				}
			}
		})
	}
}

// However a run goes, each step is looked at once and once for each thing that it waits for, or
// that waits for it: never all of them because one has ended.
func TestExecuteIsLinear(t *testing.T) {
	for name, fails := range map[string]func(plan.Step) bool{
		"all is well":        func(plan.Step) bool { return false },
		"init fails":         func(s plan.Step) bool { return s.ID == "h0/init" },
		"every host fails":   func(s plan.Step) bool { return strings.HasSuffix(s.ID, "/kernel") },
		"half of joins fail": func(s plan.Step) bool { return s.Lock == "etcd membership" },
	} {
		t.Run(name, func(t *testing.T) {
			steps := fleet(1000)
			allowed := 0
			for _, step := range steps {
				// At the beginning, when it can be run, and when its lock is free; and for each need
				// when that ends, and when the cause of a skip is sought.
				allowed += 3 + 2*len(step.Needs) + len(step.GivesWayTo)
			}
			e := newExecution(steps, event.NewEmitter(time.Now, func(event.Event) {}), func(_ context.Context, s plan.Step) error {
				if fails(s) {
					return errBoom
				}
				return nil
			})
			e.run(t.Context())
			if e.looks > allowed || e.looks < len(steps) {
				t.Errorf("%d steps were looked at %d times, want at most %d", len(steps), e.looks, allowed)
			}
		})
	}
}

// A plan that goes round in circles comes to an end all the same: what needs itself is skipped,
// and what depends on that, and the rest is done.
func TestEngineCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "a", Host: "w1", Title: "A", Needs: []string{"free", "c"}}, plan.Step{ID: "b", Title: "B", Needs: []string{"a"}},
			plan.Step{ID: "c", Host: "w2", Title: "C", Needs: []string{"b"}}, plan.Step{ID: "free"},
			plan.Step{ID: "after", Needs: []string{"b", "free"}}, plan.Step{ID: "self", Title: "Self", Needs: []string{"self"}},
			plan.Step{ID: "between", Title: "Between", Needs: []string{"self"}}, plan.Step{ID: "again", Needs: []string{"between", "other"}},
			plan.Step{ID: "other", Needs: []string{"again"}}, plan.Step{ID: "polite", GivesWayTo: []string{"a"}},
			plan.Step{ID: "end", Needs: []string{"free", "a"}, Finally: true})
		s.wantRunning("free polite")
		s.end("free", nil)
		s.end("polite", nil)
		s.wantRunning("end")
		s.end("end", nil)
		s.wantOver(3)
		for _, event := range []string{
			"skipped a: it needs itself, by way of “C” on w2", "skipped b: it needs itself, by way of “A” on w1", "skipped c: it needs itself, by way of “B” on the cluster",
			"skipped self: it needs itself, by way of “Self” on the cluster", "skipped after: it needs “B” on the cluster, which was not done",
			"skipped between: it needs “Self” on the cluster, which was not done", "skipped again: it needs “Between” on the cluster, which was not done",
		} {
			s.wantEvent(event)
		}
	})
}

// What could start at the same time starts in the plan's order, those that wait for a lock too, in
// whatever order they came to wait.
func TestEngineOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "late", Lock: "etcd", Needs: []string{"a"}}, plan.Step{ID: "c"}, plan.Step{ID: "a", Lock: "etcd"},
			plan.Step{ID: "second", Lock: "etcd"}, plan.Step{ID: "slow"}, plan.Step{ID: "b"}, plan.Step{ID: "last", Needs: []string{"slow"}}, plan.Step{ID: "next", Needs: []string{"slow"}})
		s.end("slow", nil)
		s.end("a", nil)
		s.wantRunning("b c last late next")
		for _, id := range []string{"late", "second", "b", "c", "last", "next"} {
			s.end(id, nil)
		}
		s.wantOver(8)
		var started []string
		for _, e := range s.events {
			if id, ok := strings.CutPrefix(e, "started "); ok {
				started = append(started, id)
			}
		}
		if got := strings.Join(started, " "); got != "c a slow b last next late second" {
			t.Errorf("started are %s", got)
		}
	})
}

// A step that waits for its lock when the run is stopped does not keep the next one from it.
func TestEngineLockAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := rehearse(ctx, t, plan.Step{ID: "a", Lock: "etcd"}, plan.Step{ID: "b", Lock: "etcd"}, plan.Step{ID: "c"}, plan.Step{ID: "end", Lock: "etcd", Needs: []string{"c"}, Finally: true})
		s.end("c", nil)
		cancel()
		synctest.Wait()
		s.wantEvent("skipped b: the run was stopped")
		s.end("a", nil)
		s.wantRunning("end")
		s.end("end", nil)
		s.wantOver(3)
	})
}

// A need that is named twice, and an ID that stands twice, hold nobody up.
func TestEngineTwice(t *testing.T) {
	var mu sync.Mutex
	ran := map[string]int{}
	count, errs := Execute(t.Context(), []plan.Step{{ID: "b", Needs: []string{"a", "a"}, GivesWayTo: []string{"a", "a"}}, {ID: "a"}, {ID: "a"}},
		event.NewEmitter(time.Now, func(event.Event) {}), func(_ context.Context, step plan.Step) error {
			mu.Lock()
			defer mu.Unlock()
			ran[step.ID]++
			return nil
		})
	if count != 3 || len(errs) > 0 || ran["a"] != 2 || ran["b"] != 1 {
		t.Errorf("%d were done, %v, errors %v", count, ran, errors.Join(errs...))
	}
}
