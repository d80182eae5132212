package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// execution is one run of a plan's steps as a graph: each step starts as soon as its
// needs are done, whatever other hosts are doing. What it knows belongs to one goroutine; those
// of the steps only say that they ended. A step is looked at when something of what it waits for
// has come to its end, and at no other time: the work is linear in steps and needs.
type execution struct {
	graph
	perform func(context.Context, plan.Step) error
	events  *event.Emitter
	results chan result
	due     queue            // steps to be looked at
	locks   map[string]*lock // those that were asked for
	pushing bool             // steps no longer give way
	open    int              // steps that are not over
	looks   int              // how often a step, or one need of a step, was looked at
}

// lock is held by one step at a time. Others wait for it when nothing else keeps them.
type lock struct {
	held    bool
	waiting queue
}

// result is how a step ended.
type result struct {
	i   int
	err error
}

// Execute runs the steps and returns how many were done, and the errors of those that
// failed, in the plan's order. What may start at the same time starts in the plan's order.
// When ctx ends no step is started any more, but for those marked Finally.
// Steps that need what is not in the plan, or themselves, are skipped like those that depend on
// a failure: every plan comes to an end.
func Execute(ctx context.Context, steps []plan.Step, events *event.Emitter, perform func(context.Context, plan.Step) error) (int, []error) {
	return newExecution(steps, events, perform).run(ctx)
}

func newExecution(steps []plan.Step, events *event.Emitter, perform func(context.Context, plan.Step) error) *execution {
	return &execution{
		graph: newGraph(steps), perform: perform, events: events,
		results: make(chan result), locks: map[string]*lock{}, open: len(steps),
	}
}

// giveWayTime is how long steps give way to those on everybody's path. The first control
// plane's downloads take about that long over a link of 100 Mbit/s.
const giveWayTime = 20 * time.Second

func (e *execution) run(ctx context.Context) (int, []error) {
	patience := time.NewTimer(giveWayTime)
	defer patience.Stop()
	stopped := ctx.Done()
	e.lookAtAll()
	for e.startReady(ctx); e.open > 0; e.startReady(ctx) {
		select {
		case r := <-e.results:
			e.ended(r)
		case <-patience.C:
			e.pushing = true
			e.lookAtAll()
		case <-stopped:
			stopped = nil
			e.lookAtAll()
		}
	}
	count := 0
	var errs []error
	for i := range e.nodes {
		switch e.nodes[i].state {
		case done:
			count++
		case failed:
			errs = append(errs, e.nodes[i].err)
		}
	}
	return count, errs
}

// lookAtAll is for what concerns every step that waits.
func (e *execution) lookAtAll() {
	e.due = e.due[:0]
	for i := range e.nodes {
		e.nodes[i].due = e.nodes[i].state == waiting
		if e.nodes[i].due {
			e.due = append(e.due, i) // in order, as the queue wants it
		}
	}
}

// lookAt has a step looked at, if it waits.
func (e *execution) lookAt(i int) {
	if n := &e.nodes[i]; n.state == waiting && !n.due {
		n.due = true
		e.due.push(i)
	}
}

// startReady starts every step that may start, and skips those that never can.
func (e *execution) startReady(ctx context.Context) {
	for len(e.due) > 0 {
		i := e.due.pop()
		e.nodes[i].due = false
		e.looks++
		start, cause := e.verdict(ctx, i)
		switch {
		case cause != "":
			step := e.steps[i]
			e.events.Emit(event.Event{Kind: event.Skipped, Host: step.Host, Step: step.ID, Title: step.Title, Message: cause})
			e.over(i, skipped)
		case start && e.locked(i):
			e.start(ctx, i)
		}
	}
}

// verdict says whether a waiting step may start now, but for its lock, or why it never will.
func (e *execution) verdict(ctx context.Context, i int) (start bool, cause string) {
	step, n := &e.steps[i], &e.nodes[i]
	switch {
	case n.never != "":
		return false, n.never
	case step.Finally && n.needs == 0 && !n.began:
		return false, "nothing was begun that it would end"
	case step.Finally:
		return n.needs == 0, ""
	case n.broken:
		return false, e.brokenNeed(i)
	case ctx.Err() != nil:
		return false, "the run was stopped"
	}
	return n.needs == 0 && (e.pushing || n.ahead == 0), ""
}

// brokenNeed says which need of a step will never be done.
func (e *execution) brokenNeed(i int) string {
	for _, id := range slices.Backward(e.steps[i].Needs) {
		e.looks++
		if need := e.index[id]; e.nodes[need].state == failed || e.nodes[need].state == skipped {
			return "it needs " + e.name(need) + ", which was not done"
		}
	}
	return ""
}

// locked takes a step's lock for it, or puts it among those that wait for that.
func (e *execution) locked(i int) bool {
	name := e.steps[i].Lock
	if name == "" {
		return true
	}
	l := e.locks[name]
	if l == nil {
		l = &lock{}
		e.locks[name] = l
	}
	if l.held {
		if !e.nodes[i].queued {
			e.nodes[i].queued = true
			l.waiting.push(i)
		}
		return false
	}
	l.held = true
	return true
}

// unlock gives a step's lock back, and has the next one looked at that waits for it.
func (e *execution) unlock(i int) {
	l := e.locks[e.steps[i].Lock]
	if l == nil {
		return
	}
	l.held = false
	for len(l.waiting) > 0 {
		next := l.waiting.pop()
		e.nodes[next].queued = false
		e.looks++
		if e.nodes[next].state == waiting {
			e.lookAt(next)
			return
		}
	}
}

func (e *execution) ended(r result) {
	n := &e.nodes[r.i]
	n.err = r.err
	e.unlock(r.i)
	if r.err != nil {
		e.over(r.i, failed)
		return
	}
	e.over(r.i, done)
}

// over takes down that a step has come to its end, and has those looked at for which that
// was the last thing, or is the end of their hopes.
func (e *execution) over(i int, how stepState) {
	e.nodes[i].state = how
	e.open--
	for _, j := range e.nodes[i].needed {
		e.looks++
		n := &e.nodes[j]
		n.needs--
		n.began = n.began || how != skipped
		n.broken = n.broken || how != done
		if n.needs == 0 || n.broken {
			e.lookAt(j)
		}
	}
	for _, j := range e.nodes[i].wayGivers {
		e.looks++
		n := &e.nodes[j]
		if n.ahead--; n.ahead == 0 {
			e.lookAt(j)
		}
	}
}

// finalTime is how long a Finally step may take after the run was stopped.
const finalTime = 10 * time.Second

func (e *execution) start(ctx context.Context, i int) {
	e.nodes[i].state = running
	step := e.steps[i]
	e.events.Emit(event.Event{Kind: event.Started, Host: step.Host, Step: step.ID, Title: step.Title, Reasons: step.Reasons})
	go func() { e.results <- result{i: i, err: e.runStep(ctx, step)} }()
}

// runStep does one step and says how it went.
func (e *execution) runStep(ctx context.Context, step plan.Step) error {
	if step.Finally {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), finalTime)
		defer cancel()
	}
	begin := e.events.Now()
	err := e.perform(ctx, step)
	ended := event.Event{Kind: event.Done, Host: step.Host, Step: step.ID, Title: step.Title, Seconds: e.events.Now().Sub(begin).Seconds()}
	if err != nil {
		err = &event.StepError{Host: step.Host, Step: step.ID, Title: step.Title, Err: err}
		ended.Kind, ended.Error = event.Failed, errorText(err)
	}
	e.events.Emit(ended)
	return err
}

// errorText is the cause without the host and the title, which an event has of their own.
func errorText(err error) string {
	var step *event.StepError
	if errors.As(err, &step) {
		return step.Err.Error()
	}
	return err.Error()
}
