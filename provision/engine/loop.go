package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// maxRounds bounds how often a run may find that more is to be done than it could know
// before: a kubeadm that still ran, then an API server that had to come up, then the rest,
// then the look that finds nothing.
const maxRounds = 5

// ErrPreflight says that findings forbid the run; nothing was changed.
var ErrPreflight = errors.New("preflight checks failed")

// NotConvergedError says that a run did all its steps and the plan is still not empty.
type NotConvergedError struct{ Plan plan.Plan }

// Error implements error.
func (e *NotConvergedError) Error() string {
	var reasons []string
	for _, step := range e.Plan.Steps {
		reasons = append(reasons, fmt.Sprintf("%s: %s (%s)", place(step), step.Title, strings.Join(step.Reasons, "; ")))
	}
	return "did not converge: " + strings.Join(reasons, "; ")
}

// Loop is how a run gets hosts to where the plan is empty: plan from what is observed, apply,
// and observe again.
type Loop struct {
	// Plan observes and plans. Its error says that the plan is not for all hosts, and why.
	Plan func(context.Context) (plan.Plan, error)
	// Apply carries out the plan that was made last, and returns how many of its steps were done.
	Apply func(context.Context, plan.Plan) (int, []error)
	// Back, which may be nil, says that steps failed only because hosts had gone away, and that these are back.
	Back func(ctx context.Context, errs []error) bool
}

// maxReturns bounds how often a run goes on after hosts had gone away: who restarts again and again will not be done.
const maxReturns = 2

// Run goes on until the plan is empty, and returns how many steps were done. Whoever did all
// steps of a whole plan and finds another one that changes something has not converged.
// Where hosts went away and are back, it goes on from what is found then, as another run would.
func (l Loop) Run(ctx context.Context) (int, error) {
	count, whole, returns := 0, false, 0
	for round := 0; round < maxRounds; round++ {
		plan, unreached := l.Plan(ctx)
		if err := ctx.Err(); err != nil {
			return count, err
		}
		if over, err := verdict(plan, unreached, whole); over {
			return count, err
		}
		done, errs := l.Apply(ctx, plan)
		count += done
		switch {
		case len(errs) == 0 && ctx.Err() == nil:
			whole = plan.More == ""
		case returns < maxReturns && l.back(ctx, errs):
			whole, round, returns = false, -1, returns+1
		default:
			return count, errors.Join(append(errs, unreached, ctx.Err())...)
		}
	}
	return count, fmt.Errorf("did not converge in %d rounds", maxRounds)
}

// verdict says whether a run is over by its plan, and how it ends then. whole says that all steps of a whole plan were done before.
func verdict(plan plan.Plan, unreached error, whole bool) (over bool, err error) {
	switch {
	case len(plan.Errors()) > 0:
		return true, errors.Join(ErrPreflight, unreached)
	case len(plan.Steps) == 0 && unreached != nil:
		return true, unreached // it is why anything is blocked
	case len(plan.Steps) == 0:
		return true, blockedError(plan)
	case whole && !plan.Waits(): // a node may be not Ready for a moment after its kubelet or its runtime was restarted
		return true, &NotConvergedError{Plan: plan}
	}
	return false, nil
}

// back says that a run may go on in spite of the errors of its steps.
func (l Loop) back(ctx context.Context, errs []error) bool {
	return len(errs) > 0 && ctx.Err() == nil && l.Back != nil && l.Back(ctx, errs)
}

// blockedError turns what could not be planned into an error.
func blockedError(plan plan.Plan) error {
	var errs []error
	for _, blocked := range plan.Blocked {
		errs = append(errs, &event.StepError{Host: blocked.Host, Title: blocked.Title, Err: errors.New(blocked.Reason)})
	}
	return errors.Join(errs...)
}
