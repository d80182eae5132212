package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/provision/event"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// liveRefresh is how often the lines are drawn again: often enough for a clock of
// tenths, and little traffic on a slow line.
const liveRefresh = 200 * time.Millisecond

// liveRenderer shows one moving line per host, and above them what is over.
type liveRenderer struct {
	start    func()        // draws the lines; not before there is something to show, lest they wipe out a question
	progress *mpb.Progress // nil until then
	bars     []*mpb.Bar
	verbose  bool
	colours  palette
	width    int // of the host column

	mu     sync.Mutex // the lines are drawn by the library's goroutine
	places []string
	lines  map[string]*liveLine
}

// liveLine is what a place is at.
type liveLine struct {
	idle    string // what to show without running steps
	running []liveStep
}

// liveStep is a running step.
type liveStep struct {
	id, title, waiting string
	begin              time.Time
	bytes, total       int64
}

func newLiveRenderer(out io.Writer, hosts []string, verbose bool, colours palette, options ...mpb.ContainerOption) *liveRenderer {
	r := &liveRenderer{
		verbose: verbose, colours: colours, width: columnWidth(hosts),
		places: append(slices.Clone(hosts), place("")), lines: map[string]*liveLine{},
	}
	for _, name := range r.places {
		r.lines[name] = &liveLine{}
	}
	r.start = func() {
		r.progress = mpb.New(append(options, mpb.WithOutput(out), mpb.WithRefreshRate(liveRefresh))...)
		for _, name := range r.places {
			r.bars = append(r.bars, r.progress.MustAdd(0, mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
				_, err := io.WriteString(w, r.draw(name, time.Now(), s.AvailableWidth))
				return err
			}), mpb.BarFillerTrim()))
		}
	}
	return r
}

// draw is a place's line, cut to the terminal's width.
func (r *liveRenderer) draw(name string, now time.Time, width int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	head := fmt.Sprintf("  %-*s  ", r.width, name)
	title, figures, reason := r.lines[name].texts(now)
	title = cut(title, max(minTitle, width-len(head)-len(figures)))
	return cut(head+title+figures+reason, width)
}

// minTitle is how much of a step's title stays on a narrow terminal.
const minTitle = 10

// cut shortens text to a number of columns.
func cut(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(0, width-1)]) + "…"
}

// texts are what the line shows: a step's title, its time and transfer, what it waits for.
func (l *liveLine) texts(now time.Time) (title, figures, reason string) {
	if len(l.running) == 0 {
		return l.idle, "", ""
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

func (r *liveRenderer) event(e event.Event) {
	r.begin()
	r.advance(e)
	name := fmt.Sprintf("%-*s", r.width, place(e.Host))
	text := strings.ReplaceAll(eventText(e), "\n", "\n    ")
	switch e.Kind {
	case event.Done:
		r.note(r.colours.green("✓") + " " + name + "  " + e.Title + "  " + took(e.Seconds))
	case event.Failed, event.Skipped, event.BlockedStep:
		r.note(r.colours.red("✗") + " " + name + "  " + text)
	case event.Observed:
		if e.Error != "" {
			r.note(r.colours.red("✗") + " " + name + "  " + text)
		}
	case event.Found:
		mark := r.colours.red("✗")
		if e.Finding != nil && e.Finding.Warning {
			mark = r.colours.yellow("!")
		}
		r.note(mark + " " + name + "  " + text)
	case event.Output:
		if r.verbose {
			r.note("  " + name + "  " + text)
		}
	}
}

// advance brings the moving line of the event's place up to date.
func (r *liveRenderer) advance(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := r.lines[place(e.Host)]
	if line == nil {
		return
	}
	i := slices.IndexFunc(line.running, func(s liveStep) bool { return s.id == e.Step })
	switch e.Kind {
	case event.Observing:
		for _, l := range r.lines {
			l.idle = "looking"
		}
		line.idle = ""
	case event.Observed:
		line.idle = "looked at"
		if e.Error != "" {
			line.idle = "no answer"
		}
	case event.Planned, event.Started:
		line.idle = "waiting"
		if e.Kind == event.Started {
			line.running = append(line.running, liveStep{id: e.Step, title: e.Title, begin: e.Time})
		}
	case event.Progress:
		if i >= 0 {
			line.running[i].waiting, line.running[i].bytes, line.running[i].total = e.Message, e.Bytes, e.Total
		}
	case event.Done, event.Failed:
		if i >= 0 {
			line.running = slices.Delete(line.running, i, i+1)
		}
	}
}

// begin draws the lines, once.
func (r *liveRenderer) begin() {
	if r.progress == nil {
		r.start()
	}
}

// note prints above the moving lines. The library refuses only after close.
func (r *liveRenderer) note(text string) {
	r.begin()
	_, _ = fmt.Fprintln(r.progress, text)
}

// close takes the moving lines away and leaves what is above them.
func (r *liveRenderer) close(error) error {
	if r.progress == nil {
		return nil
	}
	for _, bar := range r.bars {
		bar.Abort(true)
	}
	r.progress.Wait()
	return nil
}
