package lock

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long a record counts that does not change, how often it is renewed, and how often somebody who waits for that looks. They
// are about those of Kubernetes' own leader elections.
const (
	Life  = 15 * time.Second
	beat  = 5 * time.Second
	watch = time.Second
)

// Record says who holds a lock.
type Record struct {
	Holder string    `json:"holder"` // USER@MACHINE
	Run    string    `json:"run"`    // different each time
	Since  time.Time `json:"since"`
	// Renewed is by the holder's clock: that it changes is all that it says.
	Renewed time.Time `json:"renewed"`
	// Life is how long the record counts without a change.
	Life time.Duration `json:"lifeNanoseconds"`
}

// Store keeps one record where all see it who may want the lock.
type Store interface {
	fmt.Stringer
	// Read returns the record, nil where nobody holds the lock. The version changes with every Write.
	Read(ctx context.Context) (record *Record, version string, err error)
	// Write puts a record in place of the version that was read, and returns the new one; nil takes it away. Where there is
	// another one by now, nothing is done, and the error is ErrChanged.
	Write(ctx context.Context, record *Record, version string) (string, error)
}

// ErrChanged says that somebody else has written a record in the meantime.
var ErrChanged = errors.New("the record has changed")

// HeldError says that another run is at work.
type HeldError struct {
	Record Record
	Place  string
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("another run changes this cluster: %s (%s)", e.Record.by(), e.Place)
}

// LostError says that another run has taken the lock over.
type LostError struct {
	Record Record
	Place  string
}

// Error implements error.
func (e *LostError) Error() string {
	return fmt.Sprintf("the lock is lost, so nothing more is changed: it was taken over by %s (%s)", e.Record.by(), e.Place)
}

// by says whose a record is.
func (r Record) by() string {
	return fmt.Sprintf("%s since %s, run %s", r.Holder, r.Since.UTC().Format("2006-01-02 15:04:05 MST"), r.Run)
}

// Clock is the time by which records are seen to change.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// SystemClock is this machine's.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// After implements Clock.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
