package main

import (
	"cmp"
	"container/list"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/provision/event"
)

// liveState is what a host is at.
type liveState int

// The states, in the order in which hosts of a large cluster are counted.
const (
	stateUnknown liveState = iota
	stateRunning
	stateFailed
	stateUnanswered
	stateWaiting
	stateLooking
	stateSkipped
	stateLooked
	stateDone
	liveStates // how many there are
)

// word says it, of a host or after a number of them.
func (s liveState) word() string {
	return [liveStates]string{
		stateRunning: "running", stateFailed: "failed", stateWaiting: "waiting", stateLooking: "looking",
		stateUnanswered: "not looked at", stateSkipped: "held up", stateLooked: "looked at", stateDone: "done",
	}[s]
}

// liveLine is what a place is at.
type liveLine struct {
	name    string
	number  int    // in the inventory
	idle    string // what to show without running steps
	running []liveStep

	planned int           // steps to come
	at      liveState     // without steps that run or are to come
	failed  string        // title of the last step that failed
	state   liveState     // the list it is in
	element *list.Element // there
}

// liveStep is a running step.
type liveStep struct {
	id, title, waiting string
	begin              time.Time
	bytes, total       int64
}

// liveHosts are the places of a run. Each state has a list of its hosts, those that came into it
// last in front: an event moves one host, and what is shown is read from the lists' fronts, so
// that neither takes longer when there are more hosts.
type liveHosts struct {
	cluster *liveLine
	hosts   []*liveLine // in inventory order
	lines   map[string]*liveLine
	states  [liveStates]*list.List
}

func newLiveHosts(names []string) *liveHosts {
	h := &liveHosts{cluster: &liveLine{name: place("")}, lines: map[string]*liveLine{}}
	h.lines[""] = h.cluster
	for state := range h.states {
		h.states[state] = list.New()
	}
	for i, name := range names {
		line := &liveLine{name: name, number: i}
		line.element = h.states[stateUnknown].PushBack(line)
		h.hosts, h.lines[name] = append(h.hosts, line), line
	}
	return h
}

// advance brings the event's place up to date.
func (h *liveHosts) advance(e event.Event) {
	if e.Kind == event.Observing {
		h.look()
		return
	}
	line := h.lines[e.Host]
	if line == nil {
		return
	}
	line.advance(e)
	state := line.current()
	if line == h.cluster || state == line.state && e.Kind != event.Started {
		return
	}
	h.states[line.state].Remove(line.element)
	line.state, line.element = state, h.states[state].PushFront(line)
	if e.Kind == event.Planned { // all of them at once, in inventory order
		h.states[state].MoveToBack(line.element)
	}
}

// look begins a round: all hosts are asked anew.
func (h *liveHosts) look() {
	h.cluster.idle = ""
	for _, line := range h.hosts {
		line.idle, line.planned, line.at, line.failed = "looking", 0, stateLooking, ""
		h.states[line.state].Remove(line.element)
		line.state = line.current()
		line.element = h.states[line.state].PushBack(line)
	}
}

func (l *liveLine) advance(e event.Event) {
	i := slices.IndexFunc(l.running, func(s liveStep) bool { return s.id == e.Step })
	switch e.Kind {
	case event.Observed, event.Waiting, event.HostKey:
		l.idle, l.at = heard(e)
	case event.Planned:
		l.idle = "waiting"
		l.planned++
	case event.Started:
		l.idle = "waiting"
		l.planned = max(0, l.planned-1)
		l.running = append(l.running, liveStep{id: e.Step, title: e.Title, begin: e.Time})
	case event.Progress:
		if i >= 0 {
			l.running[i].waiting, l.running[i].bytes, l.running[i].total = e.Message, e.Bytes, e.Total
		}
	case event.Lost:
		l.idle, l.at, l.failed = "waited for", stateUnanswered, ""
	case event.Skipped:
		l.planned = max(0, l.planned-1)
		l.at = stateSkipped
	case event.Done, event.Failed:
		if i >= 0 {
			l.running = slices.Delete(l.running, i, i+1)
		}
		l.over(e)
	}
}

// heard is what is known of a host after it was asked, or tried to.
func heard(e event.Event) (idle string, at liveState) {
	switch {
	case e.Kind == event.Waiting:
		return waitingText(e), stateLooking
	case e.Kind == event.HostKey && e.Key != nil:
		return "asked for its key", stateLooked
	case e.Error != "":
		return "not looked at", stateUnanswered
	}
	return "looked at", stateLooked
}

// over takes down that a step has come to its end.
func (l *liveLine) over(e event.Event) {
	if l.at != stateSkipped {
		l.at = stateDone
	}
	if e.Kind == event.Failed {
		l.failed = e.Title
	}
}

// current is the state that counts.
func (l *liveLine) current() liveState {
	switch {
	case len(l.running) > 0:
		return stateRunning
	case l.failed != "":
		return stateFailed
	case l.planned > 0:
		return stateWaiting
	}
	return l.at
}

// chosen are at most n hosts, in inventory order: those that failed and those that run, each at
// least half of the rows if there are as many, and then those that are to do something.
func (h *liveHosts) chosen(n int) []*liveLine {
	var lines []*liveLine
	take := func(state liveState, most int) {
		for e := h.states[state].Front(); e != nil && most > 0; e = e.Next() {
			if line, ok := e.Value.(*liveLine); ok {
				lines = append(lines, line)
			}
			most--
		}
	}
	troubled := max(n/2, n-h.states[stateRunning].Len())
	take(stateFailed, troubled)
	take(stateUnanswered, troubled-len(lines))
	for _, state := range []liveState{stateRunning, stateWaiting, stateLooking, stateSkipped} {
		take(state, n-len(lines))
	}
	slices.SortFunc(lines, func(a, b *liveLine) int { return cmp.Compare(a.number, b.number) })
	return lines
}

// summary counts all hosts.
func (h *liveHosts) summary() string {
	var counts []string
	for state := stateRunning; state < liveStates; state++ {
		if n := h.states[state].Len(); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state.word()))
		}
	}
	text := count(len(h.hosts), "host")
	if len(counts) > 0 {
		text += ": " + strings.Join(counts, ", ")
	}
	return text
}

// outcome is what to show of a host among many that runs nothing.
func (l *liveLine) outcome() string {
	switch l.state {
	case stateFailed:
		return l.state.word() + ": " + l.failed
	case stateLooking:
		return l.idle // which says what is waited for
	}
	return l.state.word()
}

// texts are what the line shows: a step's title, its time and transfer, what it waits for.
func (l *liveLine) texts(idle string, now time.Time) (title, figures, reason string) {
	if len(l.running) == 0 {
		return idle, "", ""
	}
	step := l.running[len(l.running)-1]
	if more := len(l.running) - 1; more > 0 {
		figures = fmt.Sprintf(" (+%d)", more)
	}
	figures += "  " + took(now.Sub(step.begin).Seconds())
	if step.total > 0 {
		figures += fmt.Sprintf("  %d/%d MiB", step.bytes>>20, step.total>>20)
	}
	if step.waiting != "" {
		reason = "  waiting: " + firstLine(step.waiting)
	}
	return step.title, figures, reason
}
