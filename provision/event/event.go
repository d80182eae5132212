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
	Seconds float64       `json:"seconds,omitempty"` // how long the step or the run took
	Finding *plan.Finding `json:"finding,omitempty"`
	// File, Line and Path say where a problem is: in which file, and at which key of it.
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
	Path  string `json:"path,omitempty"`
	Error string `json:"error,omitempty"`
}

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
