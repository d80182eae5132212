package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"fairlead/provision/event"
	"fairlead/provision/remote/remotetest"

	"github.com/vbauerster/mpb/v8"
)

// show passes all example events through a view.
func show(t *testing.T, target renderer, results bool, outcome error) *view {
	t.Helper()
	v := newView(target, slog.New(slog.DiscardHandler), results)
	for _, e := range exampleEvents() {
		v.event(e)
	}
	v.note("a note")
	if err := v.close(outcome); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPlainRenderer(t *testing.T) {
	for name, verbose := range map[string]bool{"plain.txt": false, "plain-verbose.txt": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			v := show(t, newPlainRenderer(&out, exampleCluster().Hosts(), verbose), false, nil)
			golden(t, name, out.Bytes())
			if done, seconds := v.tally(); done != 1 || seconds != 75 {
				t.Errorf("tally is %d steps in %v s, want 1 in 75 s", done, seconds)
			}
		})
	}
}

func TestResultsAreNotShownTwice(t *testing.T) {
	var out bytes.Buffer
	show(t, newPlainRenderer(&out, nil, false), true, nil)
	for _, word := range []string{"Swap", "blocked", "planned"} {
		if strings.Contains(out.String(), word) {
			t.Errorf("the view shows %q, which the command prints as its result", word)
		}
	}
}

func TestJSONRenderer(t *testing.T) {
	var out, notes bytes.Buffer
	show(t, newJSONRenderer(&out, &notes), false, nil)
	golden(t, "events.jsonl", out.Bytes())
	if notes.String() != "a note\n" {
		t.Errorf("notes are %q", notes.String())
	}
}

func TestJSONRendererFinishes(t *testing.T) {
	var out bytes.Buffer
	if err := newJSONRenderer(&out, nil).close(errors.New("no bundle")); err != nil {
		t.Fatal(err)
	}
	var e event.Event
	if err := json.Unmarshal(out.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	if e.Kind != event.Finished || e.Error != "no bundle" || e.Time.IsZero() {
		t.Errorf("the last event is %+v", e)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestJSONRendererReportsWriteErrors(t *testing.T) {
	r := newJSONRenderer(fullDisk{}, nil)
	r.event(event.Event{Kind: event.Done})
	if err := r.close(nil); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error is %v, want disk full", err)
	}
}

// TestLiveLines draws the moving lines after each event, without a terminal.
func TestLiveLines(t *testing.T) {
	var above, lines bytes.Buffer
	r := newLiveRenderer(&above, exampleCluster().Hosts(), true, false, mpb.WithAutoRefresh())
	for i, e := range exampleEvents() {
		r.event(e)
		if i == 0 || e.Kind == event.Progress || e.Kind == event.Started || e.Kind == event.Waiting || e.Kind == event.Finished {
			lines.WriteString("after " + string(e.Kind) + " " + e.Host + ":\n")
			for _, line := range r.lines(clock(e.Time.Second()+2), 60, 24) {
				lines.WriteString(strings.TrimRight(line, " ") + "\n")
			}
		}
	}
	if err := r.close(nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "live.txt", lines.Bytes())
	// The moving lines depend on the clock; what is above them does not.
	var stays bytes.Buffer
	for line := range strings.Lines(regexp.MustCompile("\x1b\\[[0-9]*[A-Z]").ReplaceAllString(above.String(), "")) {
		if strings.ContainsAny(line[:min(3, len(line))], "✓✗!") || strings.Contains(line, " | ") || strings.Contains(line, "fix:") {
			stays.WriteString(line)
		}
	}
	golden(t, "live-above.txt", stays.Bytes())
}

func TestLiveLineIsCut(t *testing.T) {
	r := newLiveRenderer(&bytes.Buffer{}, named("w1"), false, false)
	defer func() {
		if err := r.close(nil); err != nil {
			t.Error(err)
		}
	}()
	r.event(event.Event{Kind: event.Started, Host: "w1", Step: "w1/a", Title: "“ä” and a title that is far too long", Time: clock(0)})
	if got, want := r.lines(clock(1), 30, 24)[0], "  w1       “ä” and a ti…  1.0s"; got != want {
		t.Errorf("line is %q, want %q", got, want)
	}
}

func TestTook(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0.0s", 2.44: "2.4s", 9.99: "10.0s", 45.4: "45s", 61: "1m1s", 3600: "1h0m0s"} {
		if got := took(seconds); got != want {
			t.Errorf("took(%v) = %q, want %q", seconds, got, want)
		}
	}
}

// What happens while somebody is asked is shown afterwards.
func TestEventsWaitForAnAnswer(t *testing.T) {
	out := &remotetest.Buffer{}
	v := newView(newPlainRenderer(out, named("w1"), false), slog.New(slog.DiscardHandler), false)
	told := make(chan struct{})
	if err := v.still(func() error {
		go func() {
			v.event(event.Event{Kind: event.Done, Host: "w1", Title: "look"})
			close(told)
		}()
		for range 10_000 { // which is more than enough for what must not happen
			if runtime.Gosched(); out.String() != "" {
				return fmt.Errorf("it is shown: %s", out)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	<-told
	if !strings.Contains(out.String(), "look") {
		t.Errorf("it is never shown: %q", out)
	}
}
