package main

import (
	"fmt"
	"io"
	"strings"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// plainRenderer writes one line per event: host, title, what happened.
type plainRenderer struct {
	out     io.Writer
	verbose bool
	width   int               // of the host column
	reasons map[string]string // step → what it was last seen waiting for
}

func newPlainRenderer(out io.Writer, hosts []string, verbose bool) *plainRenderer {
	return &plainRenderer{out: out, verbose: verbose, width: columnWidth(hosts), reasons: map[string]string{}}
}

// columnWidth is that of the widest place.
func columnWidth(hosts []string) int {
	width := len(place(""))
	for _, host := range hosts {
		width = max(width, len(host))
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
	if e.Kind == event.Output && !r.verbose {
		return
	}
	if text := eventText(e); text != "" {
		_, _ = fmt.Fprintf(r.out, "%-*s  %s\n", r.width, place(e.Host), strings.ReplaceAll(text, "\n", "\n    "))
	}
}

func (r *plainRenderer) note(text string) { _, _ = fmt.Fprintln(r.out, printable(text)) }

func (*plainRenderer) settle() {} // nothing moves

func (*plainRenderer) resume() {}

func (r *plainRenderer) close(error) error { return nil }

// eventText is an event without its place; empty for those that are not worth a line.
func eventText(e event.Event) string {
	switch e.Kind {
	case event.Observing:
		return printable("look at " + e.Message)
	case event.Observed:
		return printable(observedText(e))
	case event.Found:
		return printable(findingText(e))
	case event.Lock:
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
		return "no answer: " + e.Error
	}
	return "looked at in " + took(e.Seconds)
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
