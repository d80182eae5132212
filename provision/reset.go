package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/plan"
)

// LeftoverError says what a reset has left on hosts.
type LeftoverError struct{ Left []string }

// Error implements error.
func (e *LeftoverError) Error() string {
	return "reset left behind:\n  " + strings.Join(e.Left, "\n  ")
}

// ResetOrder is what a reset is to do.
type ResetOrder struct {
	// Names are the hosts; none stands for all.
	Names []string
	// Foreign resets hosts, too, that are not of the inventory's cluster, or not provably.
	Foreign bool
	// Confirm is asked before anything is changed, with whose the hosts are; its error ends the reset. Without it, hosts of
	// which nothing is proven are refused as those of other clusters are.
	Confirm func(context.Context, []plan.Belonging) error
}

// Reset takes fairlead and the cluster off the named hosts, or off all of them, and looks
// whether anything is left.
func (s *Session) Reset(ctx context.Context, order ResetOrder) (steps int, err error) {
	begin := time.Now()
	steps, err = s.reset(ctx, order)
	s.finish(ctx, begin, steps, err)
	return steps, err
}

func (s *Session) reset(ctx context.Context, order ResetOrder) (int, error) {
	defer s.release(ctx)
	made, before, err := s.plannedReset(ctx, order)
	if err == nil && len(made.Steps) > 0 {
		// From here on nobody else changes what a person is asked about, and what the plan is of.
		if err = s.take(ctx, before); err == nil {
			made, before, err = s.plannedReset(ctx, order)
		}
	}
	if err != nil {
		return 0, err
	}
	if order.Confirm != nil && len(made.Steps) > 0 {
		if err := order.Confirm(ctx, plan.Whose(s.wish, before, order.Names)); err != nil {
			return 0, err
		}
	}
	s.announce(made)
	done, errs := s.apply(ctx, made, before)
	if ctx.Err() != nil {
		return done, errors.Join(append(errs, ctx.Err())...)
	}
	s.connections.ForgetAPI()
	left, err := s.leftovers(ctx, made, before)
	if len(left) > 0 {
		errs = append(errs, &LeftoverError{Left: left})
	}
	for _, blocked := range made.Blocked {
		if before.Hosts[blocked.Host].Unreachable == nil { // of others that is said once, below
			errs = append(errs, &event.StepError{Host: blocked.Host, Title: blocked.Title, Err: errors.New(blocked.Reason)})
		}
	}
	return done, errors.Join(append(errs, err, s.unreachable(before))...)
}

func (s *Session) plannedReset(ctx context.Context, order ResetOrder) (plan.Plan, facts.Facts, error) {
	before, err := s.Observe(ctx)
	if err != nil {
		return plan.Plan{}, before, err
	}
	made, err := plan.MakeReset(s.wish, before, plan.ResetOrder{Names: order.Names, Foreign: order.Foreign, Asked: order.Confirm != nil})
	return made, before, err
}

// leftovers observes the hosts of a reset plan again and lists what is still there.
func (s *Session) leftovers(ctx context.Context, made plan.Plan, before facts.Facts) ([]string, error) {
	var left []string
	var errs []error
	resets := map[string]bool{}
	for _, step := range made.Steps {
		if step.Stage == plan.StageReset {
			resets[step.Host] = true
		}
	}
	for _, host := range s.wish.Cluster.Hosts() {
		was := before.Hosts[host.Name]
		if !resets[host.Name] {
			continue
		}
		now := s.observer.ObserveHost(ctx, host, plan.AsksAfterReset(was))
		if now.Unreachable != nil {
			errs = append(errs, &event.StepError{Host: host.Name, Title: "look for leftovers", Err: now.Unreachable})
			continue
		}
		items, err := plan.Leftovers(was, now)
		for _, item := range items {
			left = append(left, host.Name+": "+item)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", host.Name, err))
		}
	}
	return left, errors.Join(errs...)
}
