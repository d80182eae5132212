package provision

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"fairlead/inventory"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/lock"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

// releaseTime is how long a run tries to give its locks back; then they end by themselves.
const releaseTime = 10 * time.Second

// newRun is an id that no other run has.
func newRun() string {
	id := make([]byte, 4)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// newLocks are those of a session, which holds none yet.
func newLocks(options Options, run string, events *event.Emitter) *lock.Set {
	holder := options.Holder
	if holder == "" {
		holder = "somebody"
	}
	return lock.NewSet(holder, run, options.clock, func(text string) { events.Emit(event.Event{Kind: event.Lock, Message: text}) })
}

// lease is the lock in the cluster.
func (s *Session) lease() lock.Store {
	return lock.InCluster(func(ctx context.Context) (*kube.Client, error) {
		client, _, err := s.connections.API(ctx)
		return client, err
	})
}

// take makes this run the only one that changes the cluster: by a file on the first host that was reached, control planes before
// workers, and by a Lease once there is an API server to hold it. All runs take them in this order.
func (s *Session) take(ctx context.Context, seen facts.Facts) error {
	var places []lock.Store
	for _, host := range s.wish.Cluster.Hosts() {
		if is, known := seen.Hosts[host.Name]; known && is.Unreachable == nil {
			places = append(places, lock.OnHost(host.Name, func(ctx context.Context) (*remote.Host, error) {
				return s.connections.Host(ctx, host.Name)
			}))
			break
		}
	}
	if seen.API.Err == nil && seen.API.Via != "" && len(seen.API.Missing) == 0 {
		places = append(places, s.lease())
	}
	return s.locks.Take(ctx, places...)
}

// takeFor takes the lock for a change of one host, which needs to know nothing of the others but which of them holds it.
func (s *Session) takeFor(ctx context.Context, host inventory.Host, is facts.Host) error {
	seen := facts.Facts{Hosts: map[string]facts.Host{host.Name: is}, API: facts.API{Err: facts.NoCluster()}}
	for _, first := range s.wish.Cluster.ControlPlane.Hosts { // the first that is reached holds it, as in take
		if first.Name == host.Name {
			break
		}
		if _, err := s.connections.Host(ctx, first.Name); err == nil {
			seen.Hosts[first.Name] = facts.Host{}
			break
		}
	}
	return s.take(ctx, seen)
}

// release gives the locks back. That this fails is of no matter to what the run has done: they end by themselves, or have gone
// with the cluster.
func (s *Session) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := s.locks.Release(ctx); err != nil {
		s.log.Warn("give the lock back", "error", err)
	}
}

// planned observes and plans. A plan that changes something is made while nobody else changes anything, so that it is of how
// things are when it is carried out.
func (s *Session) planned(ctx context.Context) (plan.Plan, facts.Facts, error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return plan.Plan{}, seen, err
	}
	made := plan.Make(s.wish, seen)
	if len(made.Errors()) == 0 && (!made.Waits() || len(seen.API.OtherTokens) > 0) {
		held := s.locks.Held()
		if err := s.take(ctx, seen); err != nil {
			if busy := (*lock.HeldError)(nil); errors.As(err, &busy) && made.Waits() {
				return s.announced(made, seen) // the tokens are those of that run
			}
			return plan.Plan{}, seen, err
		}
		if !held {
			if seen, err = s.Observe(ctx); err != nil {
				return plan.Plan{}, seen, err
			}
			made = plan.Make(s.wish, seen)
		}
	}
	return s.announced(made, seen)
}

func (s *Session) announced(made plan.Plan, seen facts.Facts) (plan.Plan, facts.Facts, error) {
	s.announce(made)
	return made, seen, s.unreachable(seen)
}

// perform carries out one step. Once there is an API server, the lock is in the cluster, too.
func (s *Session) perform(step func(context.Context, plan.Step) error) func(context.Context, plan.Step) error {
	begins := func(action plan.Action) bool { _, is := action.(plan.KubeadmInit); return is }
	return func(ctx context.Context, todo plan.Step) error {
		err := step(ctx, todo)
		if err == nil && slices.ContainsFunc(todo.Actions, begins) {
			err = s.locks.Take(ctx, s.lease())
		}
		return err
	}
}

// saidOnce leaves out that steps were not begun for want of the lock, but for the first of them.
func saidOnce(errs []error) []error {
	said := false
	return slices.DeleteFunc(errs, func(err error) bool {
		if lost := (*lock.LostError)(nil); !errors.As(err, &lost) {
			return false
		}
		again := said
		said = true
		return again
	})
}
