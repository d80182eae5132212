package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fairlead/provision/connect"
	"fairlead/provision/event"
	"fairlead/provision/remote"
	"fairlead/provision/remote/ssh"
)

const (
	// backPatience is how long a host that has gone away is waited for: as long as a slow machine takes to restart.
	backPatience = 3 * time.Minute
	// backPause is the time between two attempts to reach it.
	backPause = 5 * time.Second
	// backRefusals is how often a host that starts may refuse the login: until the last of its services are up,
	// pam_nologin(8) lets in nobody but root.
	backRefusals = 6
)

// back says that all errors come from connections that have broken, and that their hosts can be reached again. It waits
// for them.
func (s *Session) back(ctx context.Context, errs []error) bool {
	gone := func(err error) bool { return errors.Is(err, remote.ErrLost) || errors.Is(err, remote.ErrUnreachable) }
	if slices.ContainsFunc(errs, func(err error) bool { return !gone(err) }) {
		return false
	}
	var group sync.WaitGroup
	var away atomic.Bool
	lost := s.connections.Lost()
	s.sayLost(lost)
	for _, of := range lost {
		group.Go(func() {
			if err := s.awaitHost(ctx, of.Host); err != nil {
				s.events.Emit(event.Event{Kind: event.Observed, Host: of.Host, Error: err.Error()})
				away.Store(true)
			}
		})
	}
	group.Wait()
	return !away.Load()
}

// sayLost says who is waited for: each host that has gone away, and each jump host once, whoever is behind it.
func (s *Session) sayLost(all []connect.Loss) {
	said := map[string]bool{}
	for _, lost := range all {
		told := event.Event{Kind: event.Lost, Host: lost.Host, Message: fmt.Sprintf("gone away; waiting up to %s until it answers again", backPatience)}
		if jump := (*ssh.JumpError)(nil); errors.As(lost.Cause, &jump) {
			told.Host, told.Message = "", fmt.Sprintf("%v; waiting up to %s until it answers again", jump, backPatience)
		}
		if key := told.Host + told.Message; !said[key] {
			said[key] = true
			s.events.Emit(told)
		}
	}
}

// awaitHost waits until a host can be reached again.
func (s *Session) awaitHost(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, backPatience)
	defer cancel()
	pause := time.NewTicker(backPause)
	defer pause.Stop()
	refusals := 0
	var last error // that says something of the host
	for {
		_, err := s.connections.Host(ctx, name)
		if err == nil {
			return nil
		}
		if errors.Is(err, remote.ErrAuth) {
			refusals++
		}
		if errors.Is(err, remote.ErrHostKey) || refusals == backRefusals {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last seen: %w", context.Cause(ctx), last)
		case <-pause.C:
		}
	}
}
