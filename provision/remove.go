package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/object"
	"fairlead/provision/plan"
)

// RemoveOrder is what a removal is to do. The names have to be Options.Leaving.
type RemoveOrder struct {
	plan.RemoveOrder
	// Confirm is asked before anything is changed; its error ends the removal. Nil asks nobody: hosts of which nothing is proven are
	// refused then.
	Confirm func(context.Context, []Leaving) error
}

// Leaving is one that is to leave, with what is lost.
type Leaving struct {
	Name string
	// Host is false for a node that no host of the inventory has.
	Host bool
	// Of says whose the host is; the zero value where it was not looked at.
	Of   plan.Belonging
	Load object.Load
	// Steps are the titles of what is done about it.
	Steps []string
}

// Removal is how a removal has ended.
type Removal struct {
	Steps int
	// Gone are the names of those that have left: nothing more is to be done about them, and the inventory may forget them.
	Gone []string
}

// Remove takes hosts out of the cluster for good, dead or alive, and those that are alive back to what they were.
func (s *Session) Remove(ctx context.Context, order RemoveOrder) (removal Removal, err error) {
	begin := time.Now()
	removal, err = s.remove(ctx, order)
	s.finish(ctx, begin, removal.Steps, err)
	return removal, err
}

func (s *Session) remove(ctx context.Context, order RemoveOrder) (Removal, error) {
	defer s.release(ctx)
	order.Asked = order.Confirm != nil
	made, before, err := s.plannedRemoval(ctx, order)
	if err != nil {
		return Removal{}, err
	}
	if len(made.Steps) == 0 {
		return Removal{Gone: gone(order.Names, made)}, blocked(made)
	}
	// From here on nobody else changes what a person is asked about. A host that is called dead is looked for a second time.
	if err := s.take(ctx, before); err != nil {
		return Removal{}, err
	}
	if made, before, err = s.plannedRemoval(ctx, order); err != nil {
		return Removal{}, err
	}
	if err := s.agreed(ctx, order, made, before); err != nil {
		return Removal{}, err
	}
	s.announce(made)
	done, errs := s.apply(ctx, made, before)
	if ctx.Err() != nil {
		return Removal{Steps: done}, errors.Join(append(errs, ctx.Err())...)
	}
	left, err := s.leftovers(ctx, made, before)
	if len(left) > 0 {
		errs = append(errs, &LeftoverError{Left: left})
	}
	errs = append(errs, err, blocked(made))
	left, err = s.haveLeft(ctx, order)
	if err != nil && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("look whether all have left: %w", err))
	}
	return Removal{Steps: done, Gone: left}, errors.Join(errs...)
}

// agreed asks whether a plan is to be carried out, and tells what is lost by it.
func (s *Session) agreed(ctx context.Context, order RemoveOrder, made plan.Plan, before facts.Facts) error {
	leaving, err := s.whoLeaves(ctx, order, made, before)
	if err != nil {
		return err
	}
	if order.Confirm != nil {
		if err := order.Confirm(ctx, leaving); err != nil {
			return err
		}
	}
	s.announceLosses(leaving)
	return nil
}

// haveLeft are those about whom nothing more is to be done. A node that no host has is gone when it is not there.
func (s *Session) haveLeft(ctx context.Context, order RemoveOrder) ([]string, error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return nil, err
	}
	var left []string
	ordered := order.RemoveOrder
	ordered.Names = slices.DeleteFunc(slices.Clone(order.Names), func(name string) bool {
		_, known := s.wish.Cluster.Host(name)
		_, exists := seen.API.Nodes[name]
		absent := seen.API.Err == nil && !known && !exists
		if absent {
			left = append(left, name)
		}
		return absent
	})
	made, err := plan.MakeRemove(s.wish, seen, ordered)
	if err != nil {
		return left, err
	}
	return append(left, gone(ordered.Names, made)...), nil
}

func (s *Session) plannedRemoval(ctx context.Context, order RemoveOrder) (plan.Plan, facts.Facts, error) {
	before, err := s.Observe(ctx)
	if err != nil {
		return plan.Plan{}, before, err
	}
	made, err := plan.MakeRemove(s.wish, before, order.RemoveOrder)
	return made, before, err
}

// gone are the names of which a plan has no step and nothing that is blocked.
func gone(names []string, made plan.Plan) []string {
	var all []string
	for _, name := range names {
		steps := slices.ContainsFunc(made.Steps, func(step plan.Step) bool { return step.Of(name) })
		if !steps && !slices.ContainsFunc(made.Blocked, func(b plan.Blocked) bool { return b.Host == name }) {
			all = append(all, name)
		}
	}
	return all
}

// blocked is the error for what could not be planned.
func blocked(made plan.Plan) error {
	var errs []error
	for _, b := range made.Blocked {
		errs = append(errs, &event.StepError{Host: b.Host, Title: b.Title, Err: errors.New(b.Reason)})
	}
	return errors.Join(errs...)
}

// whoLeaves finds out what is lost.
func (s *Session) whoLeaves(ctx context.Context, order RemoveOrder, made plan.Plan, seen facts.Facts) ([]Leaving, error) {
	of := map[string]plan.Belonging{}
	for _, b := range plan.Whose(s.wish, seen, order.Names) {
		of[b.Host] = b
	}
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return nil, err
	}
	var all []Leaving
	for _, name := range order.Names {
		host, known := s.wish.Cluster.Host(name)
		leaving := Leaving{Name: name, Host: known, Of: of[name]}
		for _, step := range made.Steps {
			if step.Of(name) {
				leaving.Steps = append(leaving.Steps, step.Title)
			}
		}
		node := name
		if known {
			node = host.NodeName()
		}
		if _, exists := seen.API.Nodes[node]; exists {
			if leaving.Load, err = client.Load(ctx, node); err != nil {
				return nil, err
			}
		}
		all = append(all, leaving)
	}
	return all, nil
}

// announceLosses tells as findings what is lost.
func (s *Session) announceLosses(leaving []Leaving) {
	for _, l := range leaving {
		host := ""
		if l.Host {
			host = l.Name
		}
		for _, finding := range plan.Losses(host, l.Load) {
			s.events.Emit(event.Event{Kind: event.Found, Host: finding.Host, Message: finding.Message, Finding: &finding})
		}
	}
}
