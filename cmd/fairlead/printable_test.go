package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"a\tb\nc — “quoted” 漢字 é":   "a\tb\nc — “quoted” 漢字 é",
		"\x1b[2J\x1b]0;title\a":     `\x1b[2J\x1b]0;title\a`,
		"\x1b]52;c;aGFja2Vk\x1b\\":  `\x1b]52;c;aGFja2Vk\x1b\`,
		"50%\rover":                 `50%\rover`,
		"\x00\x07\x7f":              `\x00\a\x7f`,
		"\u009b31m":                 `\u009b31m`,
		"\x9b31m":                   `\x9b31m`,
		"left \u202e thgir":         `left \u202e thgir`,
		"zero\u200bwidth":           `zero\u200bwidth`,
		"lines\u2028and\u2029those": `lines\u2028and\u2029those`,
		"half \xe6\xbc":             `half \xe6\xbc`,
		"a \ufffd as it was":        "a \ufffd as it was",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestNothingHarmfulIsShown has a host say harmful things wherever it can say something.
func TestNothingHarmfulIsShown(t *testing.T) {
	const evil = "a\x1b]0;owned\ab\x1b[2J\u202ec\x9bd"
	finding := plan.Finding{Host: "cp1", Name: "Name", Message: evil, Fix: evil}
	var events []event.Event
	for _, kind := range []event.Kind{
		event.Observing, event.Observed, event.Found, event.BlockedStep, event.Planned, event.Started, event.Progress, event.Output, event.Done,
		event.Failed, event.Lost, event.Skipped, event.Finished,
	} {
		events = append(events, event.Event{Kind: kind, Host: "cp1", Step: "cp1/x", Title: evil, Message: evil, Error: evil, Reasons: []string{evil}, Finding: &finding})
	}
	var out bytes.Buffer
	plain, live := newPlainRenderer(&out, named("cp1"), true), newLiveRenderer(&out, named("cp1"), true, false)
	live.settled = true // so that lines go to out
	for _, e := range events {
		plain.event(e)
		live.event(e)
		out.WriteString(strings.Join(live.lines(clock(10), 400, 24), "\n"))
	}
	plain.note(evil)
	live.note(evil)
	exit := &remote.ExitError{Host: "cp1", Command: evil, Code: 1, Stderr: []byte(evil)}
	for _, err := range []error{exit, errors.New(evil)} {
		writeFailures(&out, []failure{{host: "cp1", title: evil, err: err}}, false, &inventory.Cluster{})
	}
	text := newPlanText(false, true)
	text.plan(plan.Plan{
		Findings: []plan.Finding{finding}, Blocked: []plan.Blocked{{Host: "cp1", Title: evil, Reason: evil}}, More: evil,
		Steps: []plan.Step{{Title: evil, Reasons: []string{evil}, Actions: []plan.Action{plan.PutFile{Path: evil, Content: []byte(evil), Before: []byte(evil + "x")}}}},
	}, &inventory.Cluster{})
	if err := text.flush(&out); err != nil {
		t.Fatal(err)
	}
	shown := out.String()
	if i := strings.IndexFunc(shown, harmful); i >= 0 || strings.Contains(shown, "\x9b") {
		t.Errorf("it shows %q", shown[max(0, i-80):min(len(shown), i+40)])
	}
	if n := strings.Count(shown, `a\x1b]0;owned\ab`); n < 25 {
		t.Errorf("only %d of the texts are there:\n%s", n, shown)
	}
}
