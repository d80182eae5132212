package remote

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// Password is what sudo is told when it asks. Hosts where one user has one password share it: then it is tried on one of them
// first, and one that was refused there is tried nowhere else, as accounts are locked for less.
//
// It shows itself nowhere: whatever prints it prints that it is withheld.
type Password struct {
	text string

	mu    sync.Mutex // guards the trials' states
	all   *trial
	hosts map[string]*trial
}

// NewPassword is a password, which is one line.
func NewPassword(text string) *Password {
	return &Password{text: text, all: newTrial(), hosts: map[string]*trial{}}
}

// withheld is shown in the place of a password.
const withheld = "(withheld)"

// Format implements fmt.Formatter.
func (*Password) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, withheld) }

// LogValue implements slog.LogValuer.
func (*Password) LogValue() slog.Value { return slog.StringValue(withheld) }

// MarshalText implements encoding.TextMarshaler.
func (*Password) MarshalText() ([]byte, error) { return []byte(withheld), nil }

// trial is something that one after another tries, until it has gone well for one.
type trial struct {
	turn    chan struct{} // holds a token while somebody tries
	passed  bool
	refusal error
}

func newTrial() *trial { return &trial{turn: make(chan struct{}, 1)} }

// trialOn is the trial of the password on one host. It outlives the connection to that.
func (p *Password) trialOn(host string) *trial {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hosts[host] == nil {
		p.hosts[host] = newTrial()
	}
	return p.hosts[host]
}

// refusedBy is why the password must not be tried any more: on the host itself, or anywhere. Nil while it may.
func (p *Password) refusedBy(host string) (here, anywhere error) {
	on := p.trialOn(host)
	p.mu.Lock()
	defer p.mu.Unlock()
	return on.refusal, p.all.refusal
}

// take waits until the password may be told to a host. It may be told once then, and the attempt has to end.
func (p *Password) take(ctx context.Context, host string) (*attempt, error) {
	a := &attempt{password: p, host: p.trialOn(host)}
	for _, t := range []*trial{a.host, p.all} {
		if err := a.enter(ctx, t); err != nil {
			a.end()
			return nil, err
		}
	}
	return a, nil
}

// attempt is a password that was told to a host.
type attempt struct {
	password *Password
	host     *trial
	held     []*trial // whose turn it has
	over     bool
}

// enter waits for the turn, unless it goes well without.
func (a *attempt) enter(ctx context.Context, t *trial) error {
	if passed, err := a.password.state(t); passed || err != nil {
		return err
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	passed, err := a.password.state(t) // which another one may have found out
	if passed || err != nil {
		<-t.turn
		return err
	}
	a.held = append(a.held, t)
	return nil
}

// state is what is known of a trial.
func (p *Password) state(t *trial) (passed bool, refusal error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return t.passed, t.refusal
}

// passed says that the host takes the password.
func (a *attempt) passed() {
	a.note(func() { a.host.passed, a.password.all.passed = true, true })
}

// refused says that root's rights are not to be had on the host. Where that is the password's fault, and no host has taken it so
// far, others get another error.
func (a *attempt) refused(here, others error) {
	a.note(func() {
		a.host.refusal = here
		if !a.password.all.passed {
			a.password.all.refusal = others
		}
	})
}

// note writes down what is known, and ends the attempt. Only the first word counts.
func (a *attempt) note(what func()) {
	if a.over {
		return
	}
	a.password.mu.Lock()
	what()
	a.password.mu.Unlock()
	a.end()
}

// end lets the next one try.
func (a *attempt) end() {
	a.over = true
	for _, t := range a.held {
		<-t.turn
	}
	a.held = nil
}
