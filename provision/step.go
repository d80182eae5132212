package provision

import (
	"context"
	"fmt"
	"slices"
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

// waits says that the plan changes nothing: it only waits for what the cluster does by itself.
func (p Plan) waits() bool {
	return !slices.ContainsFunc(p.Steps, func(s Step) bool { return slices.ContainsFunc(s.Actions, changes) })
}

func changes(a Action) bool {
	switch a.(type) {
	case AwaitNode, AwaitObject, AwaitAPI, AwaitKubeadm, ApproveServing:
		return false
	}
	return true
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
	Mending string `json:"mending,omitempty"` // what to do
	Warning bool   `json:"warning,omitempty"` // does not stop the run
}

// Blocked is a step that cannot be planned.
type Blocked struct{ Host, Title, Reason string }

// Step is one planned change with its reasons. Applied twice it leaves the same state.
type Step struct {
	ID      string   // HOST/NAME or cluster/NAME, unique in a plan
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

// Action is one change on one host or through the API server. The set is closed.
type Action interface {
	// Describe is one line for people, without secrets.
	Describe() string
	// touches lists what the ledger must remember before the action runs.
	touches() []touch
	// apply makes the change, or finds that it is made already.
	apply(ctx context.Context, s *stepRun) error
}

// Differ is an Action that can show what it changes in a file.
type Differ interface {
	// Diff returns the path of the file and its text before and after.
	Diff() (path string, before, after []byte)
}

// touch is something on a host that an action changes.
type touch struct{ kind, key string }

// Kinds of ledger entries; scripts/record.sh and scripts/reset.sh know them too.
const (
	touchFile   = "file"   // a regular file
	touchTree   = "tree"   // a folder and all that will be in it
	touchDir    = "dir"    // a folder that is only needed to be there
	touchSysctl = "sysctl" // a kernel parameter
	touchModule = "module" // a kernel module
	touchUnit   = "unit"   // a systemd unit's enablement and state
	touchSwap   = "swap"   // all active swap devices
	touchNet    = "net"    // interfaces, netfilter tables and rules
	// touchPackage is a package; scripts/packages.sh writes these entries itself, because only
	// the package manager knows what it brings along.
	touchPackage = "package"
)

func files(paths ...string) []touch {
	var touched []touch
	for _, path := range paths {
		touched = append(touched, touch{touchFile, path})
	}
	return touched
}

// touches are those of all actions of the step, without duplicates.
func (s Step) touches() []touch {
	var all []touch
	for _, action := range s.Actions {
		for _, t := range action.touches() {
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

// unrecorded are the touches that the host's ledger does not hold yet.
func unrecorded(touched []touch, ledger []LedgerEntry) []touch {
	return slices.DeleteFunc(slices.Clone(touched), func(t touch) bool {
		return slices.ContainsFunc(ledger, func(e LedgerEntry) bool { return e.Kind == t.kind && e.Key == t.key })
	})
}

func (t touch) String() string { return fmt.Sprintf("%s:%s", t.kind, t.key) }
