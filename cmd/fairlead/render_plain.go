package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/provision/connect"
	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// plainRenderer writes one line per event: host, title, what happened. Hosts of which the same is to be said share one.
type plainRenderer struct {
	out     io.Writer
	verbose bool
	hosts   int // how many there are
	width   int // of the host column
	gather  gatherer
	reasons map[string]string      // step → what it was last seen waiting for
	waiting map[string]event.Event // host → what was last shown of waiting for it
}

func newPlainRenderer(out io.Writer, hosts []inventory.Host, verbose bool) *plainRenderer {
	return &plainRenderer{
		out: out, verbose: verbose, hosts: len(hosts), width: columnWidth(hosts),
		gather: newGatherer(hosts), reasons: map[string]string{}, waiting: map[string]event.Event{},
	}
}

// columnWidth is that of the widest place.
func columnWidth(hosts []inventory.Host) int {
	width := len(place(""))
	for _, host := range hosts {
		width = max(width, len(host.Name))
	}
	return width
}

func (r *plainRenderer) event(e event.Event) {
	if e.Kind == event.Progress {
		if e.Message == "" || r.reasons[e.Step] == e.Message {
			return
		}
		r.reasons[e.Step] = e.Message
	}
	if e.Kind == event.Output && !r.verbose || e.Kind == event.Waiting && !r.waits(e) {
		return
	}
	r.show(r.gather.add(e))
}

// waits says whether it is time to say that a host is still waited for: the reason is another one, or nothing was said for a minute.
func (r *plainRenderer) waits(e event.Event) bool {
	last, said := r.waiting[e.Host]
	if said && last.Message == e.Message && e.Seconds-last.Seconds < 60 {
		return false
	}
	r.waiting[e.Host] = e
	return true
}

func (r *plainRenderer) show(all []alike) {
	for _, a := range all {
		if name, text := a.texts(r.hosts); text != "" {
			_, _ = fmt.Fprintf(r.out, "%-*s  %s\n", r.width, name, text)
		}
	}
}

func (r *plainRenderer) note(text string) {
	r.settle()
	_, _ = fmt.Fprintln(r.out, printable(text))
}

// settle shows what is held back; nothing moves.
func (r *plainRenderer) settle() { r.show(r.gather.rest()) }

func (*plainRenderer) resume() {}

func (r *plainRenderer) close(error) error {
	r.settle()
	return nil
}

// texts are what stands for hosts of which the same is to be said: their names and what it is, which may be nothing.
func (a alike) texts(hosts int) (name, text string) {
	name, list := headed(a.hosts, hosts)
	text = eventText(a.event)
	if text != "" && list != "" {
		text += "\nhosts: " + list
	}
	return printable(name), strings.ReplaceAll(text, "\n", "\n    ")
}

// eventText is an event without its place; empty for those that are not worth a line.
func eventText(e event.Event) string {
	switch e.Kind {
	case event.Observing:
		return printable("look at " + e.Message)
	case event.Observed:
		return printable(observedText(e))
	case event.Waiting:
		return printable(waitingText(e))
	case event.Found:
		return printable(findingText(e))
	case event.Lost, event.Lock:
		return printable(e.Message)
	}
	if text := stepText(e); text != "" {
		return printable(e.Title + "  " + text)
	}
	return ""
}

// stepText is what happened to a step.
func stepText(e event.Event) string {
	switch e.Kind {
	case event.BlockedStep:
		return "blocked: " + e.Message
	case event.Planned:
		return "planned: " + strings.Join(e.Reasons, "; ")
	case event.Started:
		return "started"
	case event.Progress:
		return "waiting: " + e.Message
	case event.Output:
		return "| " + e.Message
	case event.Done:
		return "done in " + took(e.Seconds)
	case event.Failed:
		return "failed after " + took(e.Seconds) + ": " + firstLine(e.Error)
	case event.Skipped:
		return "not run: " + e.Message
	}
	return ""
}

func observedText(e event.Event) string {
	if e.Error != "" {
		return "cannot be looked at" // why is said at the end, with what to do
	}
	return "looked at in " + took(e.Seconds)
}

// waitingText is why a host is waited for, how long that has gone on, and how long it may.
func waitingText(e event.Event) string {
	spelled := func(seconds float64) string { return connect.Spelled(time.Duration(seconds * float64(time.Second))) }
	return fmt.Sprintf("waiting: %s (%s of %s)", e.Message, spelled(e.Seconds), spelled(e.Limit))
}

func findingText(e event.Event) string {
	if e.Finding == nil {
		return "preflight: " + e.Message
	}
	text := severity(*e.Finding) + ": " + e.Finding.Name + ": " + e.Finding.Message
	if e.Finding.Fix != "" {
		text += "\nfix: " + e.Finding.Fix
	}
	return text
}

func severity(finding plan.Finding) string {
	if finding.Warning {
		return "warning"
	}
	return "error"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
