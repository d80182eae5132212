package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fairlead/provision/engine"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/plan"
)

// UnreachableError says which hosts did not take part in a run.
type UnreachableError struct {
	Hosts  []string
	Causes []error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	var lines []string
	for i, host := range e.Hosts {
		lines = append(lines, fmt.Sprintf("%s: %v", host, e.Causes[i]))
	}
	return strings.Join(lines, "\n")
}

// Unwrap implements error wrapping.
func (e *UnreachableError) Unwrap() []error { return e.Causes }

// Plan observes and plans, and changes nothing.
func (s *Session) Plan(ctx context.Context) (plan.Plan, facts.Facts, error) {
	facts, err := s.Observe(ctx)
	if err != nil {
		return plan.Plan{}, facts, err
	}
	plan := plan.Make(s.wish, facts)
	s.announce(plan)
	return plan, facts, s.unreachable(facts)
}

func (s *Session) announce(plan plan.Plan) {
	for _, finding := range plan.Findings {
		s.events.Emit(event.Event{Kind: event.Found, Host: finding.Host, Message: finding.Message, Finding: &finding})
	}
	for _, blocked := range plan.Blocked {
		s.events.Emit(event.Event{Kind: event.BlockedStep, Host: blocked.Host, Title: blocked.Title, Message: blocked.Reason})
	}
	for _, step := range plan.Steps {
		s.events.Emit(event.Event{Kind: event.Planned, Host: step.Host, Step: step.ID, Title: step.Title, Reasons: step.Reasons})
	}
}

// unreachable is the error for the hosts that did not answer, in inventory order.
func (s *Session) unreachable(facts facts.Facts) error {
	e := &UnreachableError{}
	for _, host := range s.wish.Cluster.Hosts() {
		if cause := facts.Hosts[host.Name].Unreachable; cause != nil {
			e.Hosts = append(e.Hosts, host.Name)
			e.Causes = append(e.Causes, cause)
		}
	}
	if len(e.Hosts) == 0 {
		return nil
	}
	return e
}

// Up makes the hosts what the inventory wants: observe, plan, apply, and observe again
// until the plan is empty. It returns how many steps were done. While it changes something no other run does; its error may be
// a *lock.HeldError or a *lock.LostError.
func (s *Session) Up(ctx context.Context) (steps int, err error) {
	begin := time.Now()
	defer s.release(ctx)
	var facts facts.Facts
	loop := engine.Loop{
		Plan: func(ctx context.Context) (plan plan.Plan, err error) {
			plan, facts, err = s.planned(ctx)
			return plan, err
		},
		Apply: func(ctx context.Context, plan plan.Plan) (int, []error) { return s.apply(ctx, plan, facts) },
		Back:  s.back,
	}
	steps, err = loop.Run(ctx)
	s.finish(ctx, begin, steps, err)
	return steps, err
}

func (s *Session) finish(ctx context.Context, begin time.Time, steps int, err error) {
	event := event.Event{Kind: event.Finished, Seconds: time.Since(begin).Seconds(), Message: plan.Counted(steps, "step")}
	if err != nil {
		event.Error = err.Error()
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) { // why it was stopped
			event.Error = cause.Error() + ": " + event.Error
		}
	}
	s.events.Emit(event)
}
