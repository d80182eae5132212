package plan

import (
	"errors"
	"fmt"
)

// Sound says why the steps of a plan cannot be run as a graph; nil says that they can: each has an
// ID of its own and a reason, and needs only other steps of the plan.
func (p Plan) Sound() error {
	ids := make(map[string]bool, len(p.Steps))
	var errs []error
	for _, step := range p.Steps {
		if ids[step.ID] {
			errs = append(errs, fmt.Errorf("step %s stands twice", step.ID))
		}
		ids[step.ID] = true
		if len(step.Reasons) == 0 {
			errs = append(errs, fmt.Errorf("step %s has no reason", step.ID))
		}
	}
	for _, step := range p.Steps {
		for _, need := range step.Needs {
			if !ids[need] {
				errs = append(errs, fmt.Errorf("step %s needs %s, which is not there", step.ID, need))
			}
		}
	}
	cycles := Cycles(p.Steps)
	for _, step := range p.Steps {
		if by, ok := cycles[step.ID]; ok {
			errs = append(errs, fmt.Errorf("step %s needs itself, by way of %s", step.ID, by))
		}
	}
	return errors.Join(errs...)
}
