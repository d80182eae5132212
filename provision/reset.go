package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/provision/kube"
	"fairlead/templates"
)

// drainPatience is how long a node may take to drain before reset goes on without.
const drainPatience = 5 * time.Minute

// LeftoverError says what a reset has left on hosts.
type LeftoverError struct{ Left []string }

// Error implements error.
func (e *LeftoverError) Error() string {
	return "reset left behind:\n  " + strings.Join(e.Left, "\n  ")
}

// ResetPlan says how to take fairlead and the cluster off the named hosts, or off all of
// them when names is empty. It is as pure as MakePlan.
func ResetPlan(wish Wish, facts Facts, names []string) (Plan, error) {
	p := &planner{Wish: wish, facts: facts}
	whole := len(names) == 0 || len(names) == len(wish.Cluster.Hosts())
	if err := p.resettable(names, whole); err != nil {
		return Plan{}, err
	}
	for _, host := range wish.Cluster.Hosts() {
		if !whole && !slices.Contains(names, host.Name) {
			continue
		}
		if !whole {
			p.leave(host)
		}
		p.resetHost(host)
	}
	p.pruneNeeds()
	return p.plan, nil
}

// resettable refuses names that do not exist, and to take the last control plane away
// from workers that stay.
func (p *planner) resettable(names []string, whole bool) error {
	for _, name := range names {
		if _, ok := p.Cluster.Host(name); !ok {
			return fmt.Errorf("host %s is not in the inventory", name)
		}
	}
	stays := func(h inventory.Host) bool { return !slices.Contains(names, h.Name) }
	if !whole && !slices.ContainsFunc(p.Cluster.ControlPlane.Hosts, stays) {
		return errors.New("no control plane would be left for the other hosts: reset them too (fairlead reset without names), or keep one")
	}
	if err := p.facts.API.Err; !whole && err != nil && !errors.Is(err, ErrNoCluster) {
		return fmt.Errorf("the node cannot be drained and deleted, the API server does not answer: %w", err)
	}
	return nil
}

// leave plans to take one node out of a cluster that lives on.
func (p *planner) leave(host inventory.Host) {
	if _, exists := p.facts.API.Nodes[host.Name]; !exists {
		return
	}
	step := hostStep(host, stepLeave, "drain and delete the node")
	step.because("the rest of the cluster lives on")
	step.do(DrainNode{Name: host.Name})
	if _, ok := p.reached(host.Name); ok && host.Role == inventory.RoleControlPlane {
		// While the Node exists: kubeadm finds the member by it.
		step.Lock = etcdMembership
		step.do(Script{Title: "remove the etcd member", Text: templates.LeaveEtcd()})
	} else {
		step.Host = ""
	}
	step.do(DeleteNode{Name: host.Name})
	p.add(step)
}

func (p *planner) resetHost(host inventory.Host) {
	facts, ok := p.reached(host.Name)
	if !ok {
		p.block(host.Name, "reset the host", "the host cannot be reached")
		return
	}
	if len(facts.Ledger) == 0 {
		return
	}
	step := hostStep(host, stepReset, "reset the host")
	step.because("the ledger has %d entries", len(facts.Ledger))
	step.Needs = []string{stepID(host.Name, stepLeave)}
	step.do(Script{Title: "undo what the ledger says", Text: templates.Reset()})
	p.add(step)
}

// Reset takes fairlead and the cluster off the named hosts, or off all of them, and looks
// whether anything is left.
func (s *Session) Reset(ctx context.Context, names []string) (steps int, err error) {
	begin := time.Now()
	steps, err = s.reset(ctx, names)
	s.finish(begin, steps, err)
	return steps, err
}

func (s *Session) reset(ctx context.Context, names []string) (int, error) {
	before, err := s.Observe(ctx)
	if err != nil {
		return 0, err
	}
	plan, err := ResetPlan(s.wish, before, names)
	if err != nil {
		return 0, err
	}
	s.announce(plan)
	done, errs := s.apply(ctx, plan, before)
	if ctx.Err() != nil {
		return done, errors.Join(append(errs, ctx.Err())...)
	}
	s.forgetAPI()
	left, err := s.leftovers(ctx, plan, before)
	if len(left) > 0 {
		errs = append(errs, &LeftoverError{Left: left})
	}
	return done, errors.Join(append(errs, err, s.unreachable(before))...)
}

// DrainNode cordons a node and evicts its pods.
type DrainNode struct{ Name string }

// Describe implements Action.
func (a DrainNode) Describe() string { return "drain node " + a.Name }

func (DrainNode) touches() []touch { return nil }

func (a DrainNode) apply(ctx context.Context, s *stepRun) error {
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	if err := client.Drain(ctx, a.Name, kube.DrainOptions{Timeout: drainPatience, Report: s.waiting}); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// DeleteNode deletes a node that was drained.
type DeleteNode struct{ Name string }

// Describe implements Action.
func (a DeleteNode) Describe() string { return "delete node " + a.Name }

func (DeleteNode) touches() []touch { return nil }

func (a DeleteNode) apply(ctx context.Context, s *stepRun) error {
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	if err := client.DeleteNode(ctx, a.Name); err != nil {
		return fmt.Errorf("delete node: %w", err)
	}
	return nil
}
