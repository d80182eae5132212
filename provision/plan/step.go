package plan

import (
	"slices"
	"strings"

	"fairlead/provision/ledger"
)

// Plan is what stands between the facts and the inventory: Steps that form a graph,
// and Findings that forbid running them.
type Plan struct {
	Steps    []Step
	Findings []Finding
	// Blocked are the steps that would be needed but cannot be planned, with the reason.
	Blocked []Blocked
	// More says why further steps will be known only after these ran; empty when the
	// plan is whole.
	More string
}

// Empty says that nothing needs to be done.
func (p Plan) Empty() bool { return len(p.Steps) == 0 && len(p.Blocked) == 0 }

// Waits says that the plan changes nothing: it only waits for what the cluster does by itself.
func (p Plan) Waits() bool {
	return !slices.ContainsFunc(p.Steps, func(s Step) bool { return slices.ContainsFunc(s.Actions, changes) })
}

func changes(a Action) bool {
	_, waits := a.(Waiter)
	return !waits
}

// Errors are the findings that forbid running the plan.
func (p Plan) Errors() []Finding {
	return slices.DeleteFunc(slices.Clone(p.Findings), func(f Finding) bool { return f.Warning })
}

// Finding is something about a host that stands in the way of a cluster, found before
// anything was changed.
type Finding struct {
	Host    string `json:"host,omitempty"`
	Name    string `json:"name"` // what ignorePreflight calls it
	Message string `json:"message"`
	Fix     string `json:"mending,omitempty"` // what to do
	Warning bool   `json:"warning,omitempty"` // does not stop the run
}

// Blocked is a step that cannot be planned.
type Blocked struct{ Host, Title, Reason string }

// Step is one planned change with its reasons. Applied twice it leaves the same state.
type Step struct {
	ID      string   // HOST/NAME or cluster/NAME, unique in a plan
	Stage   Stage    // what it is for
	Host    string   // empty for steps on the API server
	Title   string   // imperative: "install containerd 2.4.2"
	Reasons []string // what was observed: "kubelet is 1.36.3, want 1.37.2"
	Needs   []string // IDs of steps that must be done before
	Lock    string   // steps of one lock run one after another
	// GivesWayTo are the IDs of steps on everybody's path: this one starts after them, but
	// waits no longer than a short time, so that a slow host holds nobody up.
	GivesWayTo []string
	// Finally runs the step once its Needs are over, however they ended, if at least
	// one of them was started.
	Finally bool
	Actions []Action
}

// Action is one change on one host or through the API server, as data: package apply carries it
// out on real hosts, package model on facts. The set is closed.
type Action interface {
	// Describe is one line for people, without secrets.
	Describe() string
}

// Toucher is an Action that changes things on the host which the ledger has to remember first.
type Toucher interface {
	// Touches lists these things.
	Touches() []ledger.Touch
}

// Waiter is an Action that changes nothing: it waits for what the cluster does by itself.
type Waiter interface {
	// Waits says so.
	Waits()
}

// Differ is an Action that can show what it changes in a file.
type Differ interface {
	// Diff returns the path of the file and its text before and after.
	Diff() (path string, before, after []byte)
}

// Touches are those of all actions of the step, without duplicates.
func (s Step) Touches() []ledger.Touch {
	var all []ledger.Touch
	for _, action := range s.Actions {
		for _, t := range touchesOf(action) {
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

// touchesOf lists what an action touches.
func touchesOf(action Action) []ledger.Touch {
	if toucher, ok := action.(Toucher); ok {
		return toucher.Touches()
	}
	return nil
}

// Of says that a step is about a host, or about a node that no host has: its ID begins with that name, also where the step is done
// through the API server.
func (s Step) Of(name string) bool { return strings.HasPrefix(s.ID, name+"/") }
