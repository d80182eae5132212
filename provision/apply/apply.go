package apply

import (
	"context"
	"sync"

	"fairlead/pki"
	"fairlead/provision/bundle"
	"fairlead/provision/event"
	"fairlead/provision/kube"
	"fairlead/provision/ledger"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

// Connections are the ways to the hosts and to the API server.
type Connections interface {
	// Host returns the connection to the host of that name.
	Host(ctx context.Context, name string) (*remote.Host, error)
	// API returns the client for the API server, and the control-plane host behind it.
	API(ctx context.Context) (*kube.Client, *remote.Host, error)
	// Through returns the client that reaches the API server by way of a host.
	Through(ctx context.Context, host *remote.Host) (*kube.Client, error)
}

// Applier carries out steps on real hosts and through the API server.
type Applier struct {
	Connections Connections
	Bundle      *bundle.Bundle // nil without one
	Events      *event.Emitter
	// Run is the id of the run, which its bootstrap token bears.
	Run string
	// Allowed says whether this run may change something now; it is asked before each change, but for what ends a run. Nil
	// allows all.
	Allowed func(context.Context) error
}

// Perform is how the steps of one plan are carried out: the actions of each in their order, after
// the ledger of its host holds what they touch. ledgers are those that were observed.
func (a *Applier) Perform(ledgers map[string][]ledger.Entry) func(context.Context, plan.Step) error {
	values := &runValues{}
	return func(ctx context.Context, step plan.Step) error {
		run := &stepRun{connections: a.Connections, bundle: a.Bundle, events: a.Events, values: values, step: step, run: a.Run}
		run.sending = a.Events.Throttle(run.event)
		if step.Host != "" {
			var err error
			if run.host, err = a.Connections.Host(ctx, step.Host); err != nil {
				return err
			}
			if err := a.record(ctx, run, ledger.Unrecorded(step.Touches(), ledgers[step.Host])); err != nil {
				return err
			}
		}
		for _, action := range step.Actions {
			if err := a.allowed(ctx, step, action); err != nil {
				return err
			}
			err := run.do(ctx, action)
			run.sending.Flush()
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// record makes the ledger of a step's host hold what it touches, which is a change, too.
func (a *Applier) record(ctx context.Context, run *stepRun, touched []ledger.Touch) error {
	if len(touched) == 0 {
		return nil
	}
	if err := a.allowed(ctx, run.step, nil); err != nil {
		return err
	}
	return run.record(ctx, touched)
}

// allowed says whether an action may be done now. Who only waits changes nothing, and what ends a run is done in any case.
func (a *Applier) allowed(ctx context.Context, step plan.Step, action plan.Action) error {
	if _, waits := action.(plan.Waiter); waits || step.Finally || a.Allowed == nil {
		return nil
	}
	return a.Allowed(ctx)
}

// runValues are what one step of a plan yields for another. They never leave memory, but for the
// documents that kubeadm gets.
type runValues struct {
	mu    sync.Mutex
	token *credentials
}

// credentials are what the joins of one plan share.
type credentials struct {
	token  pki.Token
	caHash string
}

func (v *runValues) mint(c credentials) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.token = &c
}

func (v *runValues) credentials() (c credentials, minted bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.token == nil {
		return credentials{}, false
	}
	return *v.token, true
}

func (v *runValues) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.token = nil
}

// stepRun is what an action may use while its step runs.
type stepRun struct {
	connections Connections
	bundle      *bundle.Bundle
	events      *event.Emitter
	values      *runValues
	step        plan.Step
	run         string       // its id
	host        *remote.Host // nil for steps on the API server
	sending     *event.Throttle
}

func (s *stepRun) event(e event.Event) {
	e.Host, e.Step, e.Title = s.step.Host, s.step.ID, s.step.Title
	s.events.Emit(e)
}

// output reports a line that a program on the host printed.
func (s *stepRun) output(line string) { s.event(event.Event{Kind: event.Output, Message: line}) }

// waiting reports what the step waits for.
func (s *stepRun) waiting(reason string) { s.event(event.Event{Kind: event.Progress, Message: reason}) }

// transferred reports the bytes sent so far.
func (s *stepRun) transferred(sent, total int64) { s.sending.Add(sent, total) }
