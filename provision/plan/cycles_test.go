package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every way along needs that does not come to an end meets a step that is found.
func TestCycles(t *testing.T) {
	for _, c := range []struct{ needs, want string }{
		{"a b:a c:a,b d:ghost", ""},
		{"a:a", "a→a"},
		{"a:b b:a", "a→b b→a"},
		{"free a:free,b b:c c:a after:c,free", "a→b b→c c→a"},
		{"a:a between:a b:between,c c:b", "a→a"},
		{"a:b b:a c:d d:c", "a→b b→a c→d d→c"},
		{"after:a a:after2,b after2:b b:a", "a→after2 after2→b b→a"},
		{"a:b a:a b", ""}, // the first of a name counts
	} {
		var steps []Step
		for _, word := range strings.Fields(c.needs) {
			id, needs, _ := strings.Cut(word, ":")
			step := Step{ID: id, Reasons: []string{"test"}}
			if needs != "" {
				step.Needs = strings.Split(needs, ",")
			}
			steps = append(steps, step)
		}
		found := Cycles(steps)
		var got []string
		for _, id := range slices.Sorted(maps.Keys(found)) {
			got = append(got, id+"→"+found[id])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: found %s, want %s", c.needs, got, c.want)
		}
		for id, by := range found {
			if err := (Plan{Steps: steps}).Sound(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("step %s needs itself, by way of %s", id, by)) {
				t.Errorf("%s: the plan is sound but for %v", c.needs, err)
			}
		}
	}
}
