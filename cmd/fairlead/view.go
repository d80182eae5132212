package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"fairlead/inventory"
	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// renderer shows the events of a run. Its methods are called one at a time.
type renderer interface {
	event(event.Event)
	// note shows a line that is no event.
	note(text string)
	// settle ends what moves, as results are about to be printed.
	settle()
	// resume lets lines move again after that.
	resume()
	// close ends the view of a command that ended with outcome, nil when all went well.
	// Its own error is that of writing results.
	close(outcome error) error
}

// view passes events on to a renderer and to the debug log, and keeps count.
type view struct {
	log *slog.Logger
	// results says that the command prints findings and steps itself.
	results bool

	mu      sync.Mutex
	target  renderer
	found   map[plan.Finding]bool
	done    int
	seconds float64 // of the whole run
}

func newView(target renderer, log *slog.Logger, results bool) *view {
	return &view{target: target, log: log, results: results, found: map[plan.Finding]bool{}}
}

// event is what a Session calls.
func (v *view) event(e event.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.Time.IsZero() { // one of a command's own
		e.Time = time.Now()
	}
	v.log.Debug("event", "event", e)
	switch e.Kind {
	case event.Done:
		v.done++
	case event.Finished:
		v.seconds = e.Seconds
	case event.Found:
		// Each round of a run finds the warnings again.
		if e.Finding != nil && v.found[*e.Finding] {
			return
		}
		if e.Finding != nil {
			v.found[*e.Finding] = true
		}
	}
	if v.results && isResult(e.Kind) {
		return
	}
	v.target.event(e)
}

func isResult(kind event.Kind) bool {
	return kind == event.Found || kind == event.BlockedStep || kind == event.Planned
}

func (v *view) note(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.target.note(text)
}

// resultWriter is standard output for what a command has found out. Moving lines are wiped out from where the cursor is: they
// have to be gone before anything else is written to the terminal.
type resultWriter struct {
	view *view
	out  io.Writer
}

// Write implements io.Writer.
func (w resultWriter) Write(p []byte) (int, error) {
	w.view.settle()
	return w.out.Write(p)
}

func (v *view) settle() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.target.settle()
}

// still has nothing move while do asks somebody, one at a time. What happens meanwhile is shown, and goes on, afterwards.
func (v *view) still(do func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.target.settle()
	defer v.target.resume()
	return do()
}

// tally returns how many steps were done, and how long the run took.
func (v *view) tally() (done int, seconds float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.done, v.seconds
}

func (v *view) close(outcome error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.target.close(outcome)
}

// newRenderer chooses how events are shown: as JSON, live on a terminal, else line by line.
func (p *program) newRenderer(s settings, hosts []inventory.Host) renderer {
	switch {
	case s.json:
		return newJSONRenderer(p.stdout, p.stderr)
	case isTerminal(p.stderr) && p.env("TERM") != "dumb":
		return newLiveRenderer(p.stderr, hosts, s.verbose, palette(s.colours))
	}
	return newPlainRenderer(p.stderr, hosts, s.verbose)
}

// place is where an event or a step happens.
func place(host string) string {
	if host == "" {
		return "cluster"
	}
	return host
}

// took writes a duration in seconds for people.
func took(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", seconds)
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", seconds)
	}
	return d.Round(time.Second).String()
}

// palette colours text; false leaves it as it is.
type palette bool

func (p palette) paint(code, text string) painted {
	if text = printable(text); !p || text == "" {
		return painted(text)
	}
	return painted("\x1b[" + code + "m" + text + "\x1b[0m")
}

// painted is text with the escape sequences of a palette, and no others.
type painted string

func (p palette) bold(text string) painted   { return p.paint("1", text) }
func (p palette) red(text string) painted    { return p.paint("31", text) }
func (p palette) green(text string) painted  { return p.paint("32", text) }
func (p palette) yellow(text string) painted { return p.paint("33", text) }

// paletteFor colours what goes to a terminal.
func paletteFor(s settings, stream io.Writer) palette {
	return palette(s.colours && isTerminal(stream))
}
