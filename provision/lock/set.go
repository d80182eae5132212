package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// patience is how long a run waits until one of its locks can be renewed again before it changes anything more: about as long as
// the restart of a host.
const patience = 3 * time.Minute

// Set are the locks of one run, which it holds together: as long as one of them is renewed and none is another run's, the run is
// the only one.
type Set struct {
	me    Record
	clock Clock
	say   func(string)

	mu   sync.Mutex
	held []*lock
	dead map[string]bool // runs from which a lock was taken over

	stop func() // ends the renewing, and waits for that
}

// NewSet are the locks of a run that holds none yet. What people should know is passed on to say.
func NewSet(holder, run string, clock Clock, say func(string)) *Set {
	return &Set{me: Record{Holder: holder, Run: run, Life: Life}, clock: clock, say: say, dead: map[string]bool{}}
}

// Take takes the locks that are not held yet, in this order, and has them renewed from then on. Its error may be a *HeldError;
// those that were taken are held all the same until Release.
func (s *Set) Take(ctx context.Context, stores ...Store) error {
	for _, store := range stores {
		if s.holds(store) {
			continue
		}
		me := s.me
		me.Since = s.clock.Now()
		l := &lock{store: store, clock: s.clock, me: me}
		from, err := l.acquire(ctx, s.say)
		if err != nil {
			return fmt.Errorf("take the lock: %w", err)
		}
		s.mu.Lock()
		if from != nil {
			s.dead[from.Run] = true
		}
		s.held = append(s.held, l)
		s.mu.Unlock()
		s.keep(ctx)
	}
	return nil
}

// Held says that the run holds a lock.
func (s *Set) Held() bool { return len(s.all()) > 0 }

func (s *Set) holds(store Store) bool {
	return slices.ContainsFunc(s.all(), func(l *lock) bool { return l.store.String() == store.String() })
}

func (s *Set) all() []*lock {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.held)
}

// Owns says that what a run has left is this one's to take away: it is this run, or one that is proven to be dead.
func (s *Set) Owns(run string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return run == s.me.Run || s.dead[run]
}

// keep renews all locks from time to time until Release. Ctrl-C does not end it, as the last steps of a run come after that.
func (s *Set) keep(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	s.stop = func() { cancel(); <-over }
	go func() {
		defer close(over)
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.clock.After(beat):
				_ = s.renew(ctx) // Check looks at what became of it
			}
		}
	}()
}

// renew renews all locks at once, so that one whose host hangs does not hold up the others.
func (s *Set) renew(ctx context.Context) error {
	all := s.all()
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, l := range all {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, Life)
			defer cancel()
			errs[i] = l.renew(ctx)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// Check says whether the run may change something now. It is a *LostError when another run has taken a lock over. When none could
// be renewed for so long that somebody may have, it waits until one can.
func (s *Set) Check(ctx context.Context) error {
	var reason error
	for begin := s.clock.Now(); ; {
		fresh := false
		for _, l := range s.all() {
			lost, is := l.state()
			if lost != nil {
				return lost
			}
			fresh = fresh || is
		}
		switch {
		case fresh:
			return nil
		case !s.Held():
			return errors.New("this run holds no lock: that is a fault in fairlead")
		case reason != nil && s.clock.Now().Sub(begin) > patience:
			return fmt.Errorf("the lock cannot be renewed, so nothing more is changed: %w", reason)
		case reason != nil:
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-s.clock.After(watch):
			}
		}
		reason = s.renew(ctx)
	}
}

// Release gives all locks back, whatever became of the run. One that cannot be given back ends by itself after its life.
func (s *Set) Release(ctx context.Context) error {
	s.mu.Lock()
	held, stop := s.held, s.stop
	s.held, s.stop = nil, nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	var errs []error
	for _, l := range slices.Backward(held) {
		errs = append(errs, l.release(ctx))
	}
	return errors.Join(errs...)
}
