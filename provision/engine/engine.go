package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// stepState is how far a step of a running plan has come.
type stepState int

const (
	waiting stepState = iota
	running
	done
	failed
	skipped
)

func (s stepState) over() bool { return s >= done }

// execution is one run of a plan's steps as a graph: each step starts as soon as its
// needs are done, whatever other hosts are doing.
type execution struct {
	steps   []plan.Step
	perform func(context.Context, plan.Step) error
	events  *event.Emitter
	pushing bool // steps no longer give way; guarded by mu

	mu      sync.Mutex
	states  []stepState
	causes  []string // why a step was skipped
	errs    []error
	locks   map[string]bool
	changed chan struct{} // one token for each step that ended
}

// Execute runs the steps and returns how many were done, and the errors of those that
// failed, in the plan's order.
// When ctx ends no step is started any more, but for those marked Finally.
func Execute(ctx context.Context, steps []plan.Step, events *event.Emitter, perform func(context.Context, plan.Step) error) (int, []error) {
	e := &execution{
		steps: steps, perform: perform, events: events,
		states: make([]stepState, len(steps)), causes: make([]string, len(steps)), errs: make([]error, len(steps)),
		locks: map[string]bool{}, changed: make(chan struct{}, len(steps)),
	}
	var group sync.WaitGroup
	patience := time.NewTimer(giveWayTime)
	defer patience.Stop()
	for !e.startReady(ctx, &group) {
		select {
		case <-e.changed:
		case <-patience.C:
			e.push()
		case <-ctx.Done():
			e.drain(ctx, &group)
		}
	}
	group.Wait()
	count := 0
	for _, state := range e.states {
		if state == done {
			count++
		}
	}
	return count, slices.DeleteFunc(e.errs, func(err error) bool { return err == nil })
}

// giveWayTime is how long steps give way to those on everybody's path. The first control
// plane's downloads take about that long over a link of 100 Mbit/s.
const giveWayTime = 20 * time.Second

// push ends the giving way.
func (e *execution) push() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pushing = true
}

// drain waits for the next step to end after the run was stopped.
func (e *execution) drain(ctx context.Context, group *sync.WaitGroup) {
	if !e.startReady(ctx, group) {
		<-e.changed
	}
}

// startReady starts every step that may start, skips those that never can, and says
// whether all steps are over.
func (e *execution) startReady(ctx context.Context, group *sync.WaitGroup) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for again := true; again; {
		again = false
		for i, step := range e.steps {
			if e.states[i] != waiting {
				continue
			}
			start, cause := e.verdict(ctx, step)
			switch {
			case cause != "":
				e.states[i], e.causes[i] = skipped, cause
				e.events.Emit(event.Event{Kind: event.Skipped, Host: step.Host, Step: step.ID, Title: step.Title, Message: cause})
				again = true
			case start:
				e.states[i] = running
				if step.Lock != "" {
					e.locks[step.Lock] = true
				}
				group.Add(1)
				go e.run(ctx, group, i)
			}
		}
	}
	return !slices.ContainsFunc(e.states, func(s stepState) bool { return !s.over() })
}

// verdict says whether a waiting step may start now, or why it never will.
func (e *execution) verdict(ctx context.Context, step plan.Step) (start bool, cause string) {
	needs := e.needs(step)
	switch {
	case step.Finally && needs.over && !needs.began:
		return false, "nothing was begun that it would end"
	case step.Finally:
		return needs.over, ""
	case needs.broken != "":
		return false, needs.broken
	case ctx.Err() != nil:
		return false, "the run was stopped"
	}
	return needs.over && (step.Lock == "" || !e.locks[step.Lock]) && (e.pushing || e.over(step.GivesWayTo)), ""
}

// over says that all of the steps have ended, as far as they are in the plan.
func (e *execution) over(ids []string) bool {
	for i, step := range e.steps {
		if slices.Contains(ids, step.ID) && !e.states[i].over() {
			return false
		}
	}
	return true
}

// needState is how far the needs of a step have come.
type needState struct {
	over   bool   // all of them ended
	began  bool   // at least one was run
	broken string // why one of them will never be done
}

func (e *execution) needs(step plan.Step) needState {
	needs := needState{over: true}
	for _, id := range step.Needs {
		i := slices.IndexFunc(e.steps, func(s plan.Step) bool { return s.ID == id })
		if i < 0 {
			return needState{over: true, broken: fmt.Sprintf("it needs %s, which is not in the plan", id)}
		}
		state := e.states[i]
		needs.over = needs.over && state.over()
		needs.began = needs.began || state == done || state == failed
		if state == failed || state == skipped {
			needs.broken = "it needs “" + e.steps[i].Title + "” on " + place(e.steps[i]) + ", which was not done"
		}
	}
	return needs
}

func place(step plan.Step) string {
	if step.Host == "" {
		return "the cluster"
	}
	return step.Host
}

// finalTime is how long a Finally step may take after the run was stopped.
const finalTime = 10 * time.Second

func (e *execution) run(ctx context.Context, group *sync.WaitGroup, i int) {
	defer group.Done()
	step := e.steps[i]
	if step.Finally {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), finalTime)
		defer cancel()
	}
	e.events.Emit(event.Event{Kind: event.Started, Host: step.Host, Step: step.ID, Title: step.Title, Reasons: step.Reasons})
	begin := e.events.Now()
	err := e.perform(ctx, step)
	seconds := e.events.Now().Sub(begin).Seconds()
	state := done
	if err != nil {
		state = failed
		err = &event.StepError{Host: step.Host, Step: step.ID, Title: step.Title, Err: err}
		e.events.Emit(event.Event{Kind: event.Failed, Host: step.Host, Step: step.ID, Title: step.Title, Seconds: seconds, Error: errorText(err)})
	} else {
		e.events.Emit(event.Event{Kind: event.Done, Host: step.Host, Step: step.ID, Title: step.Title, Seconds: seconds})
	}
	e.mu.Lock()
	e.states[i], e.errs[i] = state, err
	delete(e.locks, step.Lock)
	e.mu.Unlock()
	e.changed <- struct{}{}
}

// errorText is the cause without the host and the title, which an event has of their own.
func errorText(err error) string {
	var step *event.StepError
	if errors.As(err, &step) {
		return step.Err.Error()
	}
	return err.Error()
}
