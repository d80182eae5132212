package engine

import (
	"container/heap"
	"fmt"

	"fairlead/provision/plan"
)

// stepState is how far a step of a running plan has come.
type stepState int

const (
	waiting stepState = iota
	running
	done
	failed
	skipped
)

// graph is the steps of a plan, each with those that wait for it.
type graph struct {
	steps []plan.Step
	nodes []node         // one for each step
	index map[string]int // of steps, by ID
}

// node is what a run knows of a step.
type node struct {
	state stepState
	err   error
	needs int // of its needs are not over
	ahead int // of those that it gives way to are not over
	// never is why the step cannot be run in this plan at all.
	never string
	// began says that one of its needs was run, broken that one will never be done.
	began, broken bool
	// due says that it is to be looked at, queued that it waits for its lock.
	due, queued bool
	needed      []int // steps that need it
	wayGivers   []int // steps that give way to it
}

func newGraph(steps []plan.Step) graph {
	g := graph{steps: steps, nodes: make([]node, len(steps)), index: make(map[string]int, len(steps))}
	for i, step := range steps {
		if _, twice := g.index[step.ID]; !twice {
			g.index[step.ID] = i
		}
	}
	for i, step := range steps {
		n := &g.nodes[i]
		for _, id := range step.Needs {
			need, ok := g.index[id]
			if !ok {
				if n.never == "" {
					n.never = fmt.Sprintf("it needs %s, which is not in the plan", id)
				}
				continue
			}
			n.needs++
			g.nodes[need].needed = append(g.nodes[need].needed, i)
		}
		for _, id := range step.GivesWayTo {
			if first, ok := g.index[id]; ok {
				n.ahead++
				g.nodes[first].wayGivers = append(g.nodes[first].wayGivers, i)
			}
		}
	}
	for id, by := range plan.Cycles(steps) {
		n := &g.nodes[g.index[id]]
		if n.never == "" {
			n.never = "it needs itself, by way of " + g.name(g.index[by])
		}
	}
	return g
}

// name is how a step is spoken of to people.
func (g graph) name(i int) string {
	return "“" + g.steps[i].Title + "” on " + place(g.steps[i])
}

func place(step plan.Step) string {
	if step.Host == "" {
		return "the cluster"
	}
	return step.Host
}

// queue gives the numbers of steps in the plan's order, whatever the order they came in.
type queue []int

func (q *queue) push(i int) { heap.Push((*ints)(q), i) }

func (q *queue) pop() int { return heap.Pop((*ints)(q)).(int) }

// ints is a heap.Interface.
type ints []int

func (h ints) Len() int           { return len(h) }
func (h ints) Less(a, b int) bool { return h[a] < h[b] }
func (h ints) Swap(a, b int)      { h[a], h[b] = h[b], h[a] }
func (h *ints) Push(x any)        { *h = append(*h, x.(int)) }
func (h *ints) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
