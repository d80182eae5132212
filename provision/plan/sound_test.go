package plan

import (
	"strings"
	"testing"
)

// Each way in which a plan is no graph that can be run is said, with the steps that it is about.
func TestSound(t *testing.T) {
	why := []string{"it is wanted"}
	for _, c := range []struct {
		name  string
		steps []Step
		want  []string
	}{
		{name: "empty"},
		{name: "a graph", steps: []Step{{ID: "b", Reasons: why, Needs: []string{"a"}}, {ID: "a", Reasons: why}}},
		{name: "twice", steps: []Step{{ID: "a", Reasons: why}, {ID: "a", Reasons: why}}, want: []string{"step a stands twice"}},
		{name: "without a reason", steps: []Step{{ID: "a"}, {ID: "b", Reasons: why}}, want: []string{"step a has no reason"}},
		{name: "without its need", steps: []Step{{ID: "a", Reasons: why, Needs: []string{"b", "c"}}, {ID: "c", Reasons: why}}, want: []string{"step a needs b, which is not there"}},
		{name: "all of it", steps: []Step{{ID: "a", Needs: []string{"b"}}, {ID: "a", Reasons: why}}, want: []string{"step a has no reason", "step a stands twice", "step a needs b, which is not there"}},
	} {
		text := ""
		if err := (Plan{Steps: c.steps}).Sound(); err != nil {
			text = err.Error()
		}
		if text != strings.Join(c.want, "\n") {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}
