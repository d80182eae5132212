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

// rehearsal runs steps that end when the test says so. Its clock stands still while any step could
// go on, so that what has not been started by then is not going to be.
type rehearsal struct {
	t    *testing.T
	mu   sync.Mutex
	acts map[string]*act // those that were started
	// events are "KIND STEP: MESSAGE", without what is not there.
	events []string
	over   chan struct{}
	count  int
	errs   []error
}

type act struct {
	ctx   context.Context
	end   chan error
	ended bool
}

// rehearse starts the steps. It belongs into a bubble of synctest.
func rehearse(ctx context.Context, t *testing.T, steps ...plan.Step) *rehearsal {
	t.Helper()
	s := &rehearsal{t: t, acts: map[string]*act{}, over: make(chan struct{})}
	events := event.NewEmitter(time.Now, func(e event.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		text := string(e.Kind) + " " + e.Step
		for _, detail := range []string{e.Message, e.Error} {
			if detail != "" {
				text += ": " + detail
			}
		}
		s.events = append(s.events, text)
	})
	go func() {
		s.count, s.errs = Execute(ctx, steps, events, s.play)
		close(s.over)
	}()
	synctest.Wait()
	return s
}

func (s *rehearsal) play(ctx context.Context, step plan.Step) error {
	a := &act{ctx: ctx, end: make(chan error)}
	s.mu.Lock()
	if s.acts[step.ID] != nil {
		s.t.Errorf("step %s is started twice", step.ID)
	}
	s.acts[step.ID] = a
	s.mu.Unlock()
	err := <-a.end
	s.mu.Lock()
	a.ended = true
	s.mu.Unlock()
	return err
}

// end lets a step end, and all that follows from it happen.
func (s *rehearsal) end(id string, err error) {
	s.t.Helper()
	s.mu.Lock()
	a := s.acts[id]
	s.mu.Unlock()
	if a == nil || a.ended {
		s.t.Fatalf("step %s does not run", id)
	}
	a.end <- err
	synctest.Wait()
}

// wantRunning says which steps run now.
func (s *rehearsal) wantRunning(ids string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var running []string
	for id, a := range s.acts {
		if !a.ended {
			running = append(running, id)
		}
	}
	slices.Sort(running)
	if got := strings.Join(running, " "); got != ids {
		s.t.Errorf("running are %q, want %q", got, ids)
	}
}

// wantOver says that the run is over, how many steps were done, and how the others ended.
func (s *rehearsal) wantOver(count int, errs ...string) {
	s.t.Helper()
	select {
	case <-s.over:
	default:
		s.t.Fatalf("the run is not over: %q", s.events)
	}
	var got []string
	for _, err := range s.errs {
		got = append(got, err.Error())
	}
	if s.count != count || !slices.Equal(got, errs) {
		s.t.Errorf("%d steps were done with errors %q, want %d with %q", s.count, got, count, errs)
	}
}

func (s *rehearsal) wantEvent(event string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.events, event) {
		s.t.Errorf("there is no event %q in %q", event, s.events)
	}
}

var errBoom = errors.New("boom")

// Steps of one lock never run beside each other, in whatever way the one that has it ends.
// Others, and those of another lock, do not wait for it.
func TestEngineLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "a", Title: "A", Lock: "etcd"}, plan.Step{ID: "b", Title: "B", Lock: "etcd"}, plan.Step{ID: "c", Lock: "etcd"},
			plan.Step{ID: "other", Lock: "packages"}, plan.Step{ID: "free"}, plan.Step{ID: "after", Needs: []string{"free"}, Lock: "etcd"})
		s.wantRunning("a free other")
		s.end("free", nil)
		s.wantRunning("a other")
		s.end("a", nil)
		s.wantRunning("b other")
		s.end("b", errBoom)
		s.wantRunning("c other")
		s.end("other", nil)
		s.wantRunning("c")
		s.end("c", nil)
		s.wantRunning("after")
		s.end("after", nil)
		s.wantOver(5, "cluster: B: boom")
	})
}

// A step that cannot start yet keeps no other one from its lock.
func TestEngineLockIsTakenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "slow"}, plan.Step{ID: "first", Needs: []string{"slow"}, Lock: "etcd"}, plan.Step{ID: "second", Lock: "etcd"})
		s.wantRunning("second slow")
		s.end("slow", nil)
		s.wantRunning("second")
		s.end("second", nil)
		s.wantRunning("first")
		s.end("first", nil)
		s.wantOver(3)
	})
}

// After Ctrl-C what runs is cancelled, and nothing is started any more: neither what needs it,
// nor what could have run long ago but for a lock or for giving way.
func TestEngineStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := rehearse(ctx, t, plan.Step{ID: "a", Host: "w1", Title: "A", Lock: "etcd"}, plan.Step{ID: "locked", Lock: "etcd"}, plan.Step{ID: "polite", GivesWayTo: []string{"a"}},
			plan.Step{ID: "next", Needs: []string{"a"}}, plan.Step{ID: "done"}, plan.Step{ID: "end", Needs: []string{"a", "locked"}, Finally: true},
			plan.Step{ID: "never", Needs: []string{"locked", "polite"}, Finally: true})
		s.end("done", nil)
		s.wantRunning("a")
		cancel()
		synctest.Wait()
		s.wantRunning("a")
		for _, event := range []string{"skipped locked: the run was stopped", "skipped polite: the run was stopped", "skipped next: the run was stopped", "skipped never: nothing was begun that it would end"} {
			s.wantEvent(event)
		}
		if s.acts["a"].ctx.Err() == nil {
			t.Error("the step that runs is not cancelled")
		}
		s.end("a", s.acts["a"].ctx.Err())
		s.wantRunning("end")
		if err := s.acts["end"].ctx.Err(); err != nil {
			t.Errorf("what happens at the end is stopped, too: %v", err)
		}
		s.end("end", nil)
		s.wantOver(2, "w1: A: context canceled")
	})
}

// A run that is stopped before it begins does nothing, and says of every step that it did not.
func TestEngineStoppedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := rehearse(ctx, t, plan.Step{ID: "a"}, plan.Step{ID: "b", Needs: []string{"a"}, Finally: true})
		s.wantRunning("")
		s.wantOver(0)
		s.wantEvent("skipped a: the run was stopped")
		s.wantEvent("skipped b: nothing was begun that it would end")
	})
}

// What happens at the end waits for everything that it ends, also after a failure, and for no
// more than its time.
func TestEngineFinally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "a", Title: "A"}, plan.Step{ID: "b"}, plan.Step{ID: "c", Needs: []string{"a"}},
			plan.Step{ID: "end", Title: "End", Needs: []string{"a", "b", "c"}, Finally: true})
		s.end("a", errBoom)
		s.wantEvent("skipped c: it needs “A” on the cluster, which was not done")
		s.wantRunning("b")
		s.end("b", nil)
		s.wantRunning("end")
		began := time.Now()
		<-s.acts["end"].ctx.Done()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it may take %v", took)
		}
		s.end("end", s.acts["end"].ctx.Err())
		s.wantOver(1, "cluster: A: boom", "cluster: End: context deadline exceeded")
	})
}

// Only what was begun is ended: not where everything before it was skipped.
func TestEngineFinallyOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "a", Host: "cp1", Title: "A"}, plan.Step{ID: "join", Needs: []string{"a"}}, plan.Step{ID: "end", Needs: []string{"join"}, Finally: true})
		s.end("a", errBoom)
		s.wantEvent("failed a: boom")
		s.wantEvent("skipped join: it needs “A” on cp1, which was not done")
		s.wantEvent("skipped end: nothing was begun that it would end")
		s.wantOver(0, "cp1: A: boom")
	})
}

// Giving way ends with its time, for all at once and for good; and earlier when those on
// everybody's path have ended, however they did.
func TestEngineGivesWay(t *testing.T) {
	polite := func(id string, to ...string) plan.Step { return plan.Step{ID: id, GivesWayTo: to} }
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "first"}, plan.Step{ID: "second"}, polite("a", "first"), polite("b", "first", "second"),
			plan.Step{ID: "late", Needs: []string{"a"}, GivesWayTo: []string{"second"}})
		s.wantRunning("first second")
		s.end("first", errBoom)
		s.wantRunning("a second")
		<-time.After(20*time.Second - time.Nanosecond)
		synctest.Wait()
		s.wantRunning("a second")
		<-time.After(time.Nanosecond)
		synctest.Wait()
		s.wantRunning("a b second")
		s.end("a", nil)
		s.wantRunning("b late second")
		for _, id := range []string{"b", "late", "second"} {
			s.end(id, nil)
		}
		s.wantOver(4, "cluster: : boom")
	})
}

// A need that is not in the plan is a mistake, and nothing is started on its ground.
func TestEngineUnknownNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "a", Needs: []string{"ghost"}}, plan.Step{ID: "b", Title: "B"}, plan.Step{ID: "c", Needs: []string{"b", "a"}},
			plan.Step{ID: "end", Needs: []string{"ghost"}, Finally: true})
		s.wantRunning("b")
		s.wantEvent("skipped a: it needs ghost, which is not in the plan")
		s.end("b", nil)
		s.wantEvent("skipped c: it needs “” on the cluster, which was not done")
		s.wantEvent("skipped end: it needs ghost, which is not in the plan")
		s.wantOver(1)
	})
}

// Errors stand in the plan's order, whichever step failed first; events have the cause alone, and
// how long a step took.
func TestEngineErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "a", Host: "w1", Title: "A"}, plan.Step{ID: "b", Host: "w2", Title: "B"}, plan.Step{ID: "c", Host: "w3", Title: "C"})
		s.end("c", fmt.Errorf("late: %w", errBoom))
		s.end("b", nil)
		s.end("a", errBoom)
		s.wantEvent("failed c: late: boom")
		s.wantOver(1, "w1: A: boom", "w3: C: late: boom")
		var step *event.StepError
		if !errors.As(s.errs[1], &step) || step.Step != "c" || !errors.Is(s.errs[1], errBoom) {
			t.Errorf("the error is %#v", s.errs[1])
		}
	})
}

// A step's events say how long it took.
func TestEngineSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seconds := map[string]float64{}
		events := event.NewEmitter(time.Now, func(e event.Event) {
			if e.Kind == event.Done || e.Kind == event.Failed {
				seconds[e.Step] = e.Seconds
			}
		})
		Execute(t.Context(), []plan.Step{{ID: "a"}, {ID: "b", Needs: []string{"a"}}, {ID: "c", Needs: []string{"b"}}}, events, func(_ context.Context, step plan.Step) error {
			<-time.After(map[string]time.Duration{"a": time.Second, "b": 0, "c": 90 * time.Second}[step.ID])
			return map[string]error{"c": errBoom}[step.ID]
		})
		if want := map[string]float64{"a": 1, "b": 0, "c": 90}; fmt.Sprint(seconds) != fmt.Sprint(want) {
			t.Errorf("took %v, want %v", seconds, want)
		}
	})
}

// What can never run is skipped at once, also where it stands before what it needs: nothing else
// is going to happen that would have it looked at again.
func TestEngineSkipsBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rehearse(t.Context(), t, plan.Step{ID: "d", Needs: []string{"c"}}, plan.Step{ID: "c", Needs: []string{"b"}}, plan.Step{ID: "b", Needs: []string{"a"}}, plan.Step{ID: "a", Title: "A"})
		s.end("a", errBoom)
		s.wantOver(0, "cluster: A: boom")
	})
}
