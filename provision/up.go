package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxRounds bounds how often a run may find that more is to be done than it could know
// before: a kubeadm that still ran, then an API server that had to come up, then the rest,
// then the look that finds nothing.
const maxRounds = 5

// ErrPreflight says that findings forbid the run; nothing was changed.
var ErrPreflight = errors.New("preflight checks failed")

// NotConvergedError says that a run did all its steps and the plan is still not empty.
type NotConvergedError struct{ Plan Plan }

// Error implements error.
func (e *NotConvergedError) Error() string {
	var reasons []string
	for _, step := range e.Plan.Steps {
		reasons = append(reasons, fmt.Sprintf("%s: %s (%s)", place(step), step.Title, strings.Join(step.Reasons, "; ")))
	}
	return "did not converge: " + strings.Join(reasons, "; ")
}

// UnreachableError says which hosts did not take part in a run.
type UnreachableError struct {
	Hosts  []string
	Causes []error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	var lines []string
	for i, host := range e.Hosts {
		lines = append(lines, fmt.Sprintf("%s: %v", host, e.Causes[i]))
	}
	return strings.Join(lines, "\n")
}

// Unwrap implements error wrapping.
func (e *UnreachableError) Unwrap() []error { return e.Causes }

// Plan observes and plans, and changes nothing.
func (s *Session) Plan(ctx context.Context) (Plan, Facts, error) {
	facts, err := s.Observe(ctx)
	if err != nil {
		return Plan{}, facts, err
	}
	plan := MakePlan(s.wish, facts)
	s.announce(plan)
	return plan, facts, s.unreachable(facts)
}

func (s *Session) announce(plan Plan) {
	for _, finding := range plan.Findings {
		s.events.emit(Event{Kind: Found, Host: finding.Host, Message: finding.Message, Finding: &finding})
	}
	for _, blocked := range plan.Blocked {
		s.events.emit(Event{Kind: Hindered, Host: blocked.Host, Title: blocked.Title, Message: blocked.Reason})
	}
	for _, step := range plan.Steps {
		s.events.emit(Event{Kind: Planned, Host: step.Host, Step: step.ID, Title: step.Title, Reasons: step.Reasons})
	}
}

// unreachable is the error for the hosts that did not answer, in inventory order.
func (s *Session) unreachable(facts Facts) error {
	e := &UnreachableError{}
	for _, host := range s.wish.Cluster.Hosts() {
		if cause := facts.Hosts[host.Name].Unreachable; cause != nil {
			e.Hosts = append(e.Hosts, host.Name)
			e.Causes = append(e.Causes, cause)
		}
	}
	if len(e.Hosts) == 0 {
		return nil
	}
	return e
}

// Up makes the hosts what the inventory wants: observe, plan, apply, and observe again
// until the plan is empty. It returns how many steps were done.
func (s *Session) Up(ctx context.Context) (steps int, err error) {
	begin := time.Now()
	steps, err = s.converge(ctx)
	s.finish(begin, steps, err)
	return steps, err
}

func (s *Session) finish(begin time.Time, steps int, err error) {
	event := Event{Kind: Finished, Seconds: time.Since(begin).Seconds(), Message: counted(steps, "step")}
	if err != nil {
		event.Error = err.Error()
	}
	s.events.emit(event)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (s *Session) converge(ctx context.Context) (int, error) {
	count, whole := 0, false
	for range maxRounds {
		plan, facts, unreached := s.Plan(ctx)
		if err := ctx.Err(); err != nil {
			return count, err
		}
		if findings := plan.Errors(); len(findings) > 0 {
			return count, errors.Join(ErrPreflight, unreached)
		}
		if len(plan.Steps) == 0 {
			if unreached != nil {
				return count, unreached // it is why anything is blocked
			}
			return count, blockedError(plan)
		}
		// A node may be not Ready for a moment after its kubelet or its runtime was restarted.
		if whole && !plan.waits() {
			return count, &NotConvergedError{Plan: plan}
		}
		done, errs := s.apply(ctx, plan, facts)
		count += done
		if len(errs) > 0 || ctx.Err() != nil {
			return count, errors.Join(append(errs, unreached, ctx.Err())...)
		}
		whole = plan.More == ""
	}
	return count, fmt.Errorf("did not converge in %d rounds", maxRounds)
}

// apply runs a plan and returns how many steps were done.
func (s *Session) apply(ctx context.Context, plan Plan, facts Facts) (int, []error) {
	ledgers := map[string][]LedgerEntry{}
	for name, host := range facts.Hosts {
		ledgers[name] = host.Ledger
	}
	return execute(ctx, plan.Steps, s.events, s.perform(ledgers))
}

// blockedError turns what could not be planned into an error.
func blockedError(plan Plan) error {
	var errs []error
	for _, blocked := range plan.Blocked {
		errs = append(errs, fmt.Errorf("%s: %s", blocked.Title, blocked.Reason))
	}
	return errors.Join(errs...)
}
