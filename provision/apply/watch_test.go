package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// awaits are the actions that wait for what a host does, each with what keeps it waiting, and with the static pods whose last
// words its error has.
func awaits() map[plan.Action]struct {
	before func(w *world)
	pods   string
} {
	type row = struct {
		before func(w *world)
		pods   string
	}
	return map[plan.Action]row{
		plan.AwaitAPI{}:                         {func(w *world) { w.api.refuse("GET /readyz", 500) }, " etcd kube-apiserver"},
		plan.AwaitNode{Name: "w1"}:              {func(*world) {}, ""},
		plan.AwaitNode{Name: "w1", Ready: true}: {func(w *world) { w.api.put(node, condition("False")) }, ""},
		plan.AwaitKubelet{Node: "w1"}:           {func(w *world) { w.api.put(lease, renewed(1)) }, ""},
	}
}

// TestWaitIsEndedByItsHost has a host that is waited for go away, or its kubelet fail: the wait ends with that reason, long
// before its time, and nothing goes on on the host.
func TestWaitIsEndedByItsHost(t *testing.T) {
	lost := fmt.Errorf("%w: read: connection reset by peer", remote.ErrLost)
	for action, c := range awaits() {
		for name, how := range map[string]struct {
			happens func(w *world)
			after   time.Duration
			is      error
			says    string
			did     []string
		}{
			"lost at once": {happens: func(w *world) { w.cp1.lost <- lost }, after: 5 * time.Second, is: remote.ErrLost, says: ": connection lost: read: connection reset by peer; last seen: "},
			"lost late": {happens: func(w *world) { time.AfterFunc(25*time.Second, func() { w.cp1.lost <- lost }) }, after: 30 * time.Second, is: remote.ErrLost,
				says: "connection lost: read: connection reset by peer; last seen: ", did: []string{"cp1: watch-kubelet"}},
			"its kubelet fails": {happens: func(w *world) {
				w.cp1.answer(answer{code: 1, stderr: "kubelet.service is activating\nkubelet: no such flag\n"}, templates.ScriptWatchKubelet)
			}, after: 10 * time.Second, says: ": the kubelet keeps failing: kubelet.service is activating\nkubelet: no such flag; last seen: ", did: []string{"cp1: watch-kubelet"}},
		} {
			t.Run(fmt.Sprintf("%s/%s", action.Describe(), name), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					c.before(w)
					time.AfterFunc(5*time.Second, func() { how.happens(w) })
					start := time.Now()
					err := w.perform(t.Context(), step("cp1", action))
					if took := time.Since(start).Round(time.Second); took != how.after || how.is != nil && !errors.Is(err, how.is) || !strings.Contains(said(err), how.says) {
						t.Errorf("after %s: %v", took, err)
					}
					w.did(append(through(action), how.did...)...)
				})
			})
		}
	}
}

// through is what an action does before it waits.
func through(action plan.Action) []string {
	if _, ok := action.(plan.AwaitAPI); ok {
		return []string{"through cp1"}
	}
	return nil
}

// TestWaitThatEndsHasLastWords lets the time of a wait run out: the host is asked why, and if it does not say, the error is
// that of the wait. One that the run's end stops asks nobody.
func TestWaitThatEndsHasLastWords(t *testing.T) {
	for action, c := range awaits() {
		t.Run(action.Describe(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				c.before(w)
				if _, said := w.lasts(action); !strings.HasSuffix(said, "\nkubelet.service is active") {
					t.Errorf("said %q", said)
				}
				w.did(append(through(action), "cp1: watch-kubelet", "cp1: last-words"+c.pods)...)
				w.cp1.answer(answer{code: 1, stderr: "no journal\n"}, templates.ScriptLastWords)
				w.events = nil
				if _, said := w.lasts(action); strings.Contains(said, "kubelet.service") || strings.Contains(said, "journal") {
					t.Errorf("said %q", said)
				}
				last := w.events[len(w.events)-1].Message
				if !strings.HasPrefix(last, "ask for the last words of the kubelet: ") || !strings.HasSuffix(last, ": no journal") {
					t.Errorf("told %q", last)
				}
				w.journal = nil
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				if err := w.perform(ctx, step("cp1", action)); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("stopped: %v", err)
				}
				if slices.ContainsFunc(w.journal, func(entry string) bool { return strings.Contains(entry, "last-words") }) {
					t.Errorf("done was %q", w.journal)
				}
			})
		})
	}
}
