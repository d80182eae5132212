package plan

// Cycles finds steps that need themselves, each with the need of its own by way of which it does,
// both by ID. There is at least one on every way along needs that does not come to an end, so that
// a run which leaves them out leaves out what depends on them, and ends.
func Cycles(steps []Step) map[string]string {
	g := newWays(steps)
	g.leaveOutEnding()
	return g.cycles()
}

// ways are the needs of steps, by the steps' places in the plan.
type ways struct {
	steps  []Step
	needs  [][]int
	ending []bool // all ways along its needs come to an end
}

func newWays(steps []Step) *ways {
	index := make(map[string]int, len(steps))
	for i, step := range steps {
		if _, twice := index[step.ID]; !twice {
			index[step.ID] = i
		}
	}
	g := &ways{steps: steps, needs: make([][]int, len(steps)), ending: make([]bool, len(steps))}
	for i, step := range steps {
		for _, id := range step.Needs {
			if need, ok := index[id]; ok {
				g.needs[i] = append(g.needs[i], need)
			}
		}
	}
	return g
}

// leaveOutEnding finds the steps that come after no cycle.
func (g *ways) leaveOutEnding() {
	left, needed := make([]int, len(g.steps)), make([][]int, len(g.steps))
	var free []int
	for i, needs := range g.needs {
		left[i] = len(needs)
		for _, need := range needs {
			needed[need] = append(needed[need], i)
		}
		if left[i] == 0 {
			free = append(free, i)
		}
	}
	for len(free) > 0 {
		i := free[len(free)-1]
		free = free[:len(free)-1]
		g.ending[i] = true
		for _, j := range needed[i] {
			if left[j]--; left[j] == 0 {
				free = append(free, j)
			}
		}
	}
}

// cycles goes from each step that is left to the first need of it that is left, until it comes
// to where it was before: on this way, which closes a cycle, or on an earlier one.
func (g *ways) cycles() map[string]string {
	found := map[string]string{}
	walk := make([]int, len(g.steps)) // the number of the way that a step was passed on
	for start := range g.steps {
		i := start
		for !g.ending[i] && walk[i] == 0 {
			walk[i] = start + 1
			i = g.firstLeft(i)
		}
		if g.ending[i] || walk[i] != start+1 {
			continue
		}
		for first := i; ; {
			next := g.firstLeft(i)
			found[g.steps[i].ID] = g.steps[next].ID
			if i = next; i == first {
				break
			}
		}
	}
	return found
}

func (g *ways) firstLeft(i int) int {
	for _, need := range g.needs[i] {
		if !g.ending[need] {
			return need
		}
	}
	return i
}
