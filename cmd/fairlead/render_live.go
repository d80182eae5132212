package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"fairlead/inventory"
	"fairlead/provision/event"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// liveRefresh is how often the lines are drawn again: often enough for a clock of
// tenths, and little traffic on a slow line.
const liveRefresh = 200 * time.Millisecond

// liveRows is how many moving lines there are at most: as many as people can follow.
const liveRows = 20

// usualHeight is that of a terminal that does not tell.
const usualHeight = 24

// liveRenderer shows moving lines, and above them what is over: a line for each host if there is
// room for all, else those of the hosts that matter now, and how many are at what.
type liveRenderer struct {
	start    func()        // draws the lines; not before there is something to show, lest they wipe out a question
	progress *mpb.Progress // nil until then
	bar      *mpb.Bar      // all moving lines
	out      io.Writer
	settled  bool // no lines move any more
	gather   gatherer
	verbose  bool
	colours  palette
	column   int // width of the host column
	height   func() int
	now      func() time.Time

	mu    sync.Mutex // the lines are drawn by the library's goroutine
	hosts *liveHosts
}

func newLiveRenderer(out io.Writer, hosts []inventory.Host, verbose bool, colours palette, options ...mpb.ContainerOption) *liveRenderer {
	r := &liveRenderer{
		verbose: verbose, colours: colours, column: columnWidth(hosts), hosts: newLiveHosts(namesOf(hosts)), out: out,
		gather: newGatherer(hosts),
		height: func() int { return terminalHeight(out) }, now: time.Now,
	}
	r.start = func() {
		r.progress = mpb.New(append(options, mpb.WithOutput(out), mpb.WithRefreshRate(liveRefresh))...)
		var rest []string
		r.bar = r.progress.MustAdd(0, mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			lines := r.lines(r.now(), s.AvailableWidth, r.height())
			rest = lines[1:]
			_, err := io.WriteString(w, lines[0])
			return err
		}), mpb.BarFillerTrim(), mpb.BarExtender(mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
			_, err := io.WriteString(w, strings.Join(append(rest, ""), "\n"))
			return err
		}), false))
	}
	return r
}

// terminalHeight is how many lines the terminal has now: people change that.
func terminalHeight(out io.Writer) int {
	if file, ok := out.(*os.File); ok {
		if _, height, err := term.GetSize(int(file.Fd())); err == nil && height > 0 {
			return height
		}
	}
	return usualHeight
}

// lines are the moving lines: at least one, and one less than the terminal has, as the cursor
// stands below them.
func (r *liveRenderer) lines(now time.Time, width, height int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	room := max(1, min(liveRows, height-1))
	if len(r.hosts.hosts)+1 <= room {
		for _, line := range r.hosts.hosts {
			lines = append(lines, r.draw(line, line.idle, now, width))
		}
		return append(lines, r.draw(r.hosts.cluster, r.hosts.cluster.idle, now, width))
	}
	room-- // of the summary
	cluster := len(r.hosts.cluster.running) > 0 && room > 0
	if cluster {
		room--
	}
	for _, line := range r.hosts.chosen(room) {
		lines = append(lines, r.draw(line, line.outcome(), now, width))
	}
	if cluster {
		lines = append(lines, r.draw(r.hosts.cluster, "", now, width))
	}
	return append(lines, cut("  "+r.hosts.summary(), width))
}

// draw is a place's line, cut to the terminal's width.
func (r *liveRenderer) draw(line *liveLine, idle string, now time.Time, width int) string {
	head := fmt.Sprintf("  %-*s  ", r.column, line.name)
	title, figures, reason := line.texts(idle, now)
	title = printable(title)
	title = cut(title, max(minTitle, width-len(head)-len(figures)))
	return cut(head+title+figures+printable(reason), width)
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

func (r *liveRenderer) event(e event.Event) {
	r.begin()
	r.mu.Lock()
	r.hosts.advance(e)
	r.mu.Unlock()
	r.show(r.gather.add(e))
}

// show prints what is over, or was found.
func (r *liveRenderer) show(all []alike) {
	for _, a := range all {
		name, text := a.texts(len(r.hosts.hosts))
		r.over(fmt.Sprintf("%-*s", r.column, name), text, a.event)
	}
}

// over prints what is over of a place, if that is worth a line.
func (r *liveRenderer) over(name, text string, e event.Event) {
	switch e.Kind {
	case event.Done:
		r.marked(r.colours.green("✓"), name, printable(e.Title)+"  "+took(e.Seconds))
	case event.Failed, event.Skipped, event.BlockedStep:
		r.marked(r.colours.red("✗"), name, text)
	case event.Observed:
		if e.Error != "" {
			r.marked(r.colours.red("✗"), name, text)
		}
	case event.Lock:
		r.marked(r.colours.yellow("!"), name, text)
	case event.Found:
		mark := r.colours.red("✗")
		if e.Finding != nil && e.Finding.Warning {
			mark = r.colours.yellow("!")
		}
		r.marked(mark, name, text)
	case event.Lost:
		r.marked(r.colours.yellow("!"), name, text)
	case event.Output:
		if r.verbose {
			r.marked(" ", name, text)
		}
	}
}

// begin draws the lines, once.
func (r *liveRenderer) begin() {
	if r.progress == nil && !r.settled {
		r.start()
	}
}

// marked prints what is over of a place. The text is printable.
func (r *liveRenderer) marked(mark painted, name, text string) {
	r.above(mark + painted(" "+name+"  "+text))
}

func (r *liveRenderer) note(text string) {
	r.show(r.gather.rest())
	r.above(painted(printable(text)))
}

// above prints above the moving lines, while there are some.
func (r *liveRenderer) above(text painted) {
	r.begin()
	var out io.Writer = r.progress
	if r.settled {
		out = r.out
	}
	_, _ = fmt.Fprintln(out, text)
}

// settle takes the moving lines away and leaves what is above them.
func (r *liveRenderer) settle() {
	r.show(r.gather.rest())
	if r.progress != nil && !r.settled {
		r.bar.Abort(true)
		r.progress.Wait()
	}
	r.settled = true
}

// resume has the lines drawn again by what comes next, below what was written in between.
func (r *liveRenderer) resume() { r.progress, r.settled = nil, false }

// close ends the view.
func (r *liveRenderer) close(error) error {
	r.settle()
	return nil
}
