package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lock is one place's.
type lock struct {
	store Store
	clock Clock
	me    Record

	turn    sync.Mutex // of those who write
	version string     // of what was written last
	said    time.Time  // in that

	mu      sync.Mutex
	renewed time.Time // by the own clock, when that was
	lost    *LostError
}

// acquire takes the lock, and returns whom it was taken over from. A record that changes while it is looked at is that of a
// living run; one that does not change for its life is a dead run's.
func (l *lock) acquire(ctx context.Context, say func(string)) (*Record, error) {
	for {
		is, version, err := l.store.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", l.store, err)
		}
		if is != nil && is.Run != l.me.Run {
			if is, version, err = l.outlive(ctx, *is, version, say); err != nil {
				return nil, err
			}
		}
		switch err := l.write(ctx, version); {
		case errors.Is(err, ErrChanged):
			continue // somebody was faster
		case err != nil:
			return nil, fmt.Errorf("write %s: %w", l.store, err)
		case is != nil && is.Run != l.me.Run:
			say(fmt.Sprintf("took the lock over from %s, which has given no sign of life for %v (%s)", is.by(), is.life(), l.store))
			return is, nil
		}
		return nil, nil
	}
}

// outlive looks at another run's record until that run is seen to be alive, which is a *HeldError, or its life is over, or the
// record is gone.
func (l *lock) outlive(ctx context.Context, is Record, version string, say func(string)) (*Record, string, error) {
	say(fmt.Sprintf("look for %v at most whether another run is still at work: %s (%s)", is.life(), is.by(), l.store))
	for begin := l.clock.Now(); l.clock.Now().Sub(begin) < is.life(); {
		select {
		case <-ctx.Done():
			return nil, "", context.Cause(ctx)
		case <-l.clock.After(watch):
		}
		now, next, err := l.store.Read(ctx)
		switch {
		case err != nil:
			return nil, "", fmt.Errorf("read %s: %w", l.store, err)
		case now == nil:
			return nil, next, nil
		case next != version:
			return nil, "", &HeldError{Record: *now, Place: l.store.String()}
		}
	}
	return &is, version, nil
}

// life is how long a record counts, also one of somebody who has not said it.
func (r Record) life() time.Duration {
	if r.Life <= 0 || r.Life > 10*Life {
		return Life
	}
	return r.Life
}

// write puts the own record in place of a version.
func (l *lock) write(ctx context.Context, version string) error {
	record := l.me
	record.Renewed = l.clock.Now()
	if !record.Renewed.After(l.said) { // a clock may be turned back, or be coarse; every renewal has to be a change
		record.Renewed = l.said.Add(time.Millisecond)
	}
	l.said = record.Renewed
	version, err := l.store.Write(ctx, &record, version)
	if err == nil {
		l.written(version)
	}
	return err
}

func (l *lock) written(version string) {
	l.version = version
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = l.clock.Now()
}

// renew writes the record anew. One that is gone with its host's memory, or with the cluster, is written again.
func (l *lock) renew(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if err := l.write(ctx, l.version); !errors.Is(err, ErrChanged) {
		return err
	}
	if err := l.catchUp(ctx); err != nil {
		return err
	}
	return l.write(ctx, l.version)
}

// catchUp learns the version that is there, which an answer that was lost may have brought, unless it is another run's.
func (l *lock) catchUp(ctx context.Context) error {
	is, version, err := l.store.Read(ctx)
	if err != nil {
		return err
	}
	if is != nil && is.Run != l.me.Run {
		lost := &LostError{Record: *is, Place: l.store.String()}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lost = lost
		return lost
	}
	l.version = version
	return nil
}

// release takes the record away, if it is still the own one.
func (l *lock) release(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if lost, _ := l.state(); lost != nil {
		return nil
	}
	_, err := l.store.Write(ctx, nil, l.version)
	if errors.Is(err, ErrChanged) {
		if err = l.catchUp(ctx); err == nil && l.version != "" {
			_, err = l.store.Write(ctx, nil, l.version)
		}
	}
	if lost := (*LostError)(nil); err == nil || errors.As(err, &lost) {
		return nil // it is another run's by now
	}
	return fmt.Errorf("take %s away: %w", l.store, err)
}

// state says to whom the lock was lost, and whether the last renewal is so young that nobody can have taken it over.
func (l *lock) state() (lost *LostError, fresh bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost, l.clock.Now().Sub(l.renewed) < l.me.life()
}
