package event

import (
	"fmt"
	"sync"
	"time"

	"fairlead/provision/plan"
)

// Kind says what an Event reports.
type Kind string

// The kinds of events, in about the order in which a run emits them.
const (
	Problem     Kind = "problem"   // the command line or the cluster file is wrong; nothing is done
	Observing   Kind = "observing" // hosts are being looked at
	Waiting     Kind = "waiting"   // a host cannot be reached yet and is tried again: Message says why
	HostKey     Kind = "hostkey"   // a host was asked for its key, or Error says why it shows none
	Observed    Kind = "observed"  // one host has answered, or Error says why not
	Found       Kind = "finding"   // a preflight finding
	BlockedStep Kind = "blocked"   // a step that is needed and cannot be planned
	Lock        Kind = "lock"      // what is to be known of other runs that change the cluster
	Planned     Kind = "planned"   // one event for each step of a plan
	Started     Kind = "started"
	Progress    Kind = "progress" // what a running step waits for, or bytes
	Output      Kind = "output"   // one line of a running program
	Done        Kind = "done"
	Failed      Kind = "failed"
	Lost        Kind = "lost"     // a host went away in the middle of a step, and is waited for
	Skipped     Kind = "skipped"  // not run, because a step before it failed or the run was stopped
	Finished    Kind = "finished" // the run is over; Error says whether it failed
)

// Event is one thing that happened in a run.
type Event struct {
	Time    time.Time `json:"time"`
	Kind    Kind      `json:"kind"`
	Host    string    `json:"host,omitempty"`
	Step    string    `json:"step,omitempty"`
	Title   string    `json:"title,omitempty"`
	Reasons []string  `json:"reasons,omitempty"`
	Message string    `json:"message,omitempty"`
	// Bytes and Total are the progress of a transfer.
	Bytes   int64         `json:"bytes,omitempty"`
	Total   int64         `json:"total,omitempty"`
	Seconds float64       `json:"seconds,omitempty"` // how long the step or the run took, or a host was waited for
	Limit   float64       `json:"limit,omitempty"`   // how many seconds a host is waited for at most
	Finding *plan.Finding `json:"finding,omitempty"`
	Key     *Key          `json:"key,omitempty"`
	// File, Line and Path say where a problem is: in which file, and at which key of it.
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
	Path  string `json:"path,omitempty"`
	Error string `json:"error,omitempty"`
}

// Key is the key that a host has shown.
type Key struct {
	Address     string `json:"address"` // host:port that was dialed
	Type        string `json:"type"`
	Fingerprint string `json:"fingerprint"`
	Public      string `json:"public"` // "type base64" as known_hosts has it
	State       string `json:"state"`  // KeyKnown or one of the others
	// Place is the FILE:LINE, or ssh.hostKey, by which the host is known, by this key or another one.
	Place string `json:"place,omitempty"`
}

// The states of a host's key.
const (
	KeyKnown     = "known"     // it is the one that is known
	KeyPinned    = "pinned"    // it is the inventory's ssh.hostKey
	KeyCertified = "certified" // an authority that is known has signed it
	KeyNew       = "new"       // nothing is known of the host
	KeyChanged   = "changed"   // another key is known
	KeyRevoked   = "revoked"
)

// Emitter passes on events one after another and stamps them.
type Emitter struct {
	mu   sync.Mutex
	Now  func() time.Time
	sink func(Event)
}

// NewEmitter stamps events with the time that now gives, and passes them on to sink.
func NewEmitter(now func() time.Time, sink func(Event)) *Emitter {
	return &Emitter{Now: now, sink: sink}
}

// Emit passes on an event. It returns when the event was taken.
func (e *Emitter) Emit(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	event.Time = e.Now()
	e.sink(event)
}

// StepError is a step that failed, with all that is needed to understand it.
type StepError struct {
	Host, Step, Title string
	Err               error
}

// Error implements error.
func (e *StepError) Error() string {
	where := e.Host
	if where == "" {
		where = "cluster"
	}
	return fmt.Sprintf("%s: %s: %v", where, e.Title, e.Err)
}

// Unwrap implements error wrapping.
func (e *StepError) Unwrap() error { return e.Err }
