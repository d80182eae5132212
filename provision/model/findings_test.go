package model

import (
	"fmt"
	"testing"

	"fairlead/provision/model/world"
	"fairlead/provision/plan"
)

// Nothing is found where nothing is wrong, before and after up.
func TestPreflightFindsNothing(t *testing.T) {
	for name, edit := range wishes(t) {
		fresh := Simulate(t, world.State(t, edit))
		if found := plan.Make(fresh.State, fresh.Observe()).Findings; len(found) > 0 {
			t.Errorf("%s, before: found\n%s", name, fmt.Sprint(found))
		}
		fresh.WantConverged()
		if found := plan.Make(fresh.State, fresh.Observe()).Findings; len(found) > 0 {
			t.Errorf("%s, after: found\n%s", name, fmt.Sprint(found))
		}
	}
}
