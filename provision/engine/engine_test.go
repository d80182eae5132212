package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// trace runs steps with the given behaviour and returns the events as "kind id".
func trace(ctx context.Context, steps []plan.Step, perform func(context.Context, plan.Step) error) ([]string, []error) {
	var seen []string
	events := event.NewEmitter(time.Now, func(e event.Event) { seen = append(seen, string(e.Kind)+" "+e.Step) })
	count, errs := Execute(ctx, steps, events, perform)
	for _, e := range seen {
		if strings.HasPrefix(e, string(event.Done)+" ") {
			count--
		}
	}
	if count != 0 {
		errs = append(errs, errors.New("the count of steps that were done is wrong"))
	}
	return seen, errs
}

func before(t *testing.T, seen []string, first, second string) {
	t.Helper()
	a, b := slices.Index(seen, first), slices.Index(seen, second)
	if a < 0 || b < 0 || a > b {
		t.Errorf("want %q before %q in %q", first, second, seen)
	}
}

func TestExecuteFollowsTheGraph(t *testing.T) {
	steps := []plan.Step{{ID: "c", Needs: []string{"a", "b"}}, {ID: "a"}, {ID: "b", Needs: []string{"a"}}}
	seen, errs := trace(t.Context(), steps, func(context.Context, plan.Step) error { return nil })
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	before(t, seen, "done a", "started b")
	before(t, seen, "done b", "started c")
}

// A slow host must not hold up another one: b may start while a runs.
func TestExecuteHasNoBarrier(t *testing.T) {
	release := make(chan struct{})
	steps := []plan.Step{{ID: "slow"}, {ID: "quick"}, {ID: "next", Needs: []string{"quick"}}}
	seen, errs := trace(t.Context(), steps, func(_ context.Context, s plan.Step) error {
		switch s.ID {
		case "slow":
			select {
			case <-release:
			case <-time.After(10 * time.Second):
				return errors.New("next never ran")
			}
		case "next":
			close(release)
		}
		return nil
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	before(t, seen, "done next", "done slow")
}

func TestExecuteSkipsWhatDependsOnAFailure(t *testing.T) {
	boom := errors.New("boom")
	steps := []plan.Step{
		{ID: "a", Host: "cp1", Title: "init"}, {ID: "b", Needs: []string{"a"}}, {ID: "c", Needs: []string{"b"}}, {ID: "other"},
		{ID: "end", Needs: []string{"a", "b"}, Finally: true}, {ID: "never", Needs: []string{"b"}, Finally: true},
	}
	seen, errs := trace(t.Context(), steps, func(_ context.Context, s plan.Step) error {
		if s.ID == "a" {
			return boom
		}
		return nil
	})
	for _, want := range []string{"failed a", "skipped b", "skipped c", "done other", "done end", "skipped never"} {
		if !slices.Contains(seen, want) {
			t.Errorf("no %q in %q", want, seen)
		}
	}
	var step *event.StepError
	if len(errs) != 1 || !errors.As(errs[0], &step) || !errors.Is(errs[0], boom) || step.Host != "cp1" || step.Title != "init" {
		t.Errorf("errors are %v", errs)
	}
}

func TestExecuteSerialisesALock(t *testing.T) {
	var mu sync.Mutex
	holders, most := 0, 0
	steps := []plan.Step{{ID: "a", Lock: "etcd"}, {ID: "b", Lock: "etcd"}, {ID: "c", Lock: "etcd"}}
	_, errs := trace(t.Context(), steps, func(context.Context, plan.Step) error {
		mu.Lock()
		holders++
		most = max(most, holders)
		mu.Unlock()
		defer func() { mu.Lock(); holders--; mu.Unlock() }()
		return nil
	})
	if len(errs) > 0 || most != 1 {
		t.Errorf("%d at once, errors %v", most, errs)
	}
}

// When the run is stopped nothing new starts, what runs is cancelled, and what must
// happen at the end happens with a context that still works.
func TestExecuteStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := []plan.Step{{ID: "a"}, {ID: "b", Needs: []string{"a"}}, {ID: "end", Needs: []string{"a", "b"}, Finally: true}}
	seen, errs := trace(ctx, steps, func(ctx context.Context, s plan.Step) error {
		if s.ID == "a" {
			cancel()
			<-ctx.Done()
		}
		return ctx.Err()
	})
	for _, want := range []string{"failed a", "skipped b", "done end"} {
		if !slices.Contains(seen, want) {
			t.Errorf("no %q in %q", want, seen)
		}
	}
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "canceled") {
		t.Errorf("errors are %v", errs)
	}
}

// A step gives way to another one, if it can start at all.
func TestExecuteGivesWay(t *testing.T) {
	steps := []plan.Step{{ID: "worker", GivesWayTo: []string{"first", "absent"}}, {ID: "first"}, {ID: "other"}}
	seen, errs := trace(t.Context(), steps, func(context.Context, plan.Step) error { return nil })
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	before(t, seen, "done first", "started worker")
}
