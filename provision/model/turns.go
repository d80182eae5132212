package model

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing/synctest"
)

// turns has steps that run beside each other act in an order that a seed decides: when each of
// them has come to a place where others may go on, one is chosen. It works in a bubble of package
// synctest, which tells when that is so.
type turns struct {
	random  *rand.Rand
	arrived chan turn
}

type turn struct {
	step string
	goes chan struct{}
}

func newTurns(random *rand.Rand) *turns {
	return &turns{random: random, arrived: make(chan turn)}
}

// wait lets other steps go on until it is this one's turn.
func (t *turns) wait(step string) {
	mine := turn{step: step, goes: make(chan struct{})}
	t.arrived <- mine
	<-mine.goes
}

// give chooses who goes on, until there are no steps any more.
func (t *turns) give(over <-chan struct{}) {
	var waiting []turn
	for {
		if len(waiting) == 0 { // nothing to choose from: time may pass
			select {
			case <-over:
				return
			case next := <-t.arrived:
				waiting = append(waiting, next)
			}
		}
		synctest.Wait()
		for more := true; more; { // those that stand at the channel by now
			select {
			case next := <-t.arrived:
				waiting = append(waiting, next)
			default:
				more = false
			}
		}
		slices.SortFunc(waiting, func(a, b turn) int { return cmp.Compare(a.step, b.step) })
		chosen := t.random.IntN(len(waiting))
		close(waiting[chosen].goes)
		waiting = slices.Delete(waiting, chosen, chosen+1)
	}
}
