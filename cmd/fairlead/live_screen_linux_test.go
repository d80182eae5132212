package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"fairlead/provision/event"

	"github.com/vbauerster/mpb/v8"
)

// screen is what a terminal shows, as far as it is used here: text, line breaks, the cursor up
// and the rest of the screen erased.
type screen struct {
	lines         [][]rune // from the top to the cursor's
	width, height int
	row           int    // of the cursor
	escape        string // one that has begun
}

func (s *screen) write(text string) error {
	for _, c := range text {
		switch {
		case s.escape != "" || c == '\x1b':
			if s.escape += string(c); c >= 'A' && c <= 'Z' {
				if err := s.command(s.escape); err != nil {
					return err
				}
				s.escape = ""
			}
		case c == '\r':
		case c == '\n':
			s.down()
		default:
			if len(s.at()) == s.width {
				s.down()
			}
			s.lines[s.row] = append(s.lines[s.row], c)
		}
	}
	return nil
}

func (s *screen) at() []rune {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, nil)
	}
	return s.lines[s.row]
}

// down goes to the next line, and scrolls at the lower end.
func (s *screen) down() {
	s.at()
	if s.row++; s.row == s.height {
		s.lines, s.row = s.lines[1:], s.row-1
	}
	s.at()
}

func (s *screen) command(escape string) error {
	if escape == "\x1b[J" {
		s.lines = s.lines[:s.row]
		s.at()
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(escape, "\x1b["), "A"))
	if err != nil {
		return fmt.Errorf("unknown escape sequence %q", escape)
	}
	s.row = max(0, s.row-n)
	return nil
}

func (s *screen) String() string {
	var text strings.Builder
	for _, line := range s.lines {
		text.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

// liveTerminal is a live view on a terminal, drawn when the test wants it.
type liveTerminal struct {
	*liveRenderer
	t        *testing.T
	keyboard *os.File
	terminal *os.File
	refresh  chan any
	drawing  chan struct{}
	screen   screen
}

func newLiveTerminal(t *testing.T, hosts, width, height int) *liveTerminal {
	t.Helper()
	l := &liveTerminal{
		t: t, refresh: make(chan any), drawing: make(chan struct{}, 1), screen: screen{width: width, height: height},
	}
	l.keyboard, l.terminal = openTerminal(t)
	size := [4]uint16{uint16(height), uint16(width)}
	control(t, l.terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	var names []string
	for i := range hosts {
		names = append(names, liveName(i))
	}
	l.liveRenderer = newLiveRenderer(l.terminal, named(names...), false, false, mpb.WithManualRefresh(l.refresh))
	l.now = func() time.Time {
		l.drawing <- struct{}{}
		return clock(10)
	}
	return l
}

func liveName(i int) string { return fmt.Sprintf("n%d", i+1) }

// redraw draws once, and returns what was written to the terminal since the last time.
func (l *liveTerminal) redraw() (written int) {
	l.t.Helper()
	over := make(chan error)
	go func() {
		text, err := l.read()
		written = len(text)
		over <- errors.Join(err, l.screen.write(text))
	}()
	l.refresh <- clock(10)
	<-l.drawing // the drawing has begun, and what is written next comes when it is done
	_, writeErr := l.progress.Write(nil)
	_, endErr := l.terminal.WriteString("\x00")
	if err := errors.Join(writeErr, endErr, <-over); err != nil {
		l.t.Fatal(err)
	}
	return written
}

// read reads what comes to the screen until the mark.
func (l *liveTerminal) read() (string, error) {
	var text bytes.Buffer
	buffer := make([]byte, 4096)
	for {
		n, err := l.keyboard.Read(buffer)
		text.Write(buffer[:n])
		if before, found := bytes.CutSuffix(text.Bytes(), []byte{0}); found || err != nil {
			return string(before), err
		}
	}
}

// happen passes events of one kind for some hosts.
func (l *liveTerminal) happen(kind event.Kind, title string, from, to int) {
	for i := from; i < to; i++ {
		l.event(event.Event{Kind: kind, Host: liveName(i), Step: liveName(i) + "/" + title, Title: title, Time: clock(5), Seconds: 2})
	}
}

// TestLiveScreens goes through a run of clusters of several sizes, on terminals of several.
func TestLiveScreens(t *testing.T) {
	for name, c := range map[string]struct{ hosts, width, height int }{
		"3":        {3, 80, 24},
		"60":       {60, 80, 24},
		"1000":     {1000, 80, 24},
		"1000-low": {1000, 40, 8},
		"3-low":    {3, 40, 3},
		"1000-big": {1000, 100, 60},
	} {
		t.Run(name, func(t *testing.T) {
			l, n := newLiveTerminal(t, c.hosts, c.width, c.height), c.hosts
			var screens strings.Builder
			shows := func(moment string) {
				t.Helper()
				l.redraw()
				screens.WriteString("=== " + moment + "\n" + l.screen.String())
			}
			l.event(event.Event{Kind: event.Observing, Message: "some hosts"})
			shows("all are asked")
			l.happen(event.Observed, "", 0, n-2)
			l.event(event.Event{Kind: event.Observed, Host: liveName(n - 1), Error: "connect to it: timeout"})
			shows("one has not answered yet, one will not")
			l.happen(event.Observed, "", n-2, n-1)
			l.happen(event.Planned, "prepare", 0, n-1)
			l.happen(event.Planned, "join", 0, n-1)
			shows("there is a plan")
			l.happen(event.Started, "prepare", 0, n-1)
			l.event(event.Event{Kind: event.Progress, Host: "n2", Step: "n2/prepare", Bytes: 3 << 20, Total: 9 << 20})
			l.happen(event.Started, "pull", 0, 1) // n1 was the first, and is now the last
			shows("all run")
			l.happen(event.Done, "pull", 0, 1)
			l.happen(event.Done, "prepare", 0, n/2)
			l.happen(event.Failed, "prepare", n/2, n/2+1)
			l.happen(event.Skipped, "join", n/2, n/2+1)
			l.happen(event.Started, "join", 0, n/4+1)
			l.event(event.Event{Kind: event.Started, Step: "cluster/dns", Title: "apply dns", Time: clock(9)})
			shows("half is prepared, one failed, a quarter joins")
			l.happen(event.Done, "prepare", n/2+1, n-1)
			l.happen(event.Started, "join", n/4+1, n/2)
			l.happen(event.Done, "join", 0, n/2-1)
			l.event(event.Event{Kind: event.Done, Step: "cluster/dns", Title: "apply dns", Seconds: 1})
			l.happen(event.Skipped, "join", n/2+1, n-1)
			shows("near the end")
			l.event(event.Event{Kind: event.Observing, Message: "some hosts"})
			shows("they are asked anew")
			golden(t, "live-screen-"+name+".txt", []byte(screens.String()))
			if most := liveRows * (c.width + len("…\r\n")); l.redraw() > most+len("\x1b[20A\x1b[J") {
				t.Errorf("a redraw writes more than %d bytes", most)
			}
		})
	}
}

// Whatever was drawn, only what is over stays.
func TestLiveScreenAtTheEnd(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	size := [4]uint16{24, 80}
	control(t, terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	r := newLiveRenderer(terminal, named("n1", "n2"), false, false)
	l := &liveTerminal{liveRenderer: r, t: t, keyboard: keyboard, terminal: terminal, screen: screen{width: 80, height: 24}}
	l.happen(event.Started, "join", 0, 2)
	l.happen(event.Done, "join", 0, 1)
	if err := r.close(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := terminal.WriteString("\x00"); err != nil {
		t.Fatal(err)
	}
	text, err := l.read()
	if err := errors.Join(err, l.screen.write(text)); err != nil {
		t.Fatal(err)
	}
	if got, want := l.screen.String(), "✓ n1       join  2.0s\n"; got != want {
		t.Errorf("the screen is\n%swant\n%s", got, want)
	}
}

// A question stays on the screen while somebody is asked, and lines move again below it afterwards.
func TestLiveScreenAroundAQuestion(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	size := [4]uint16{24, 80}
	control(t, terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	r := newLiveRenderer(terminal, named("n1", "n2"), false, false)
	l := &liveTerminal{liveRenderer: r, t: t, keyboard: keyboard, terminal: terminal, screen: screen{width: 80, height: 24}}
	v := newView(r, slog.New(slog.DiscardHandler), false)
	l.happen(event.Done, "look", 0, 1)
	if err := v.still(func() error {
		_, err := terminal.WriteString("Go on? yes\n")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	l.happen(event.Started, "reset", 0, 2)
	if r.progress == nil || r.settled {
		t.Error("no lines move any more")
	}
	l.happen(event.Done, "reset", 0, 1)
	if err := r.close(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := terminal.WriteString("\x00"); err != nil {
		t.Fatal(err)
	}
	text, err := l.read()
	if err := errors.Join(err, l.screen.write(text)); err != nil {
		t.Fatal(err)
	}
	if got, want := l.screen.String(), "✓ n1       look  2.0s\nGo on? yes\n✓ n1       reset  2.0s\n"; got != want {
		t.Errorf("the screen is\n%swant\n%s", got, want)
	}
}

// BenchmarkLiveLines is an event and a redraw, which take no longer when there are more hosts.
func BenchmarkLiveLines(b *testing.B) {
	for _, hosts := range []int{30, 1000, 30000} {
		var names []string
		for i := range hosts {
			names = append(names, liveName(i))
		}
		r := newLiveRenderer(&bytes.Buffer{}, named(names...), false, false)
		r.hosts.look()
		b.Run(strconv.Itoa(hosts), func(b *testing.B) {
			for i := range b.N {
				name := liveName(i % 8) // the others fill the screen
				r.hosts.advance(event.Event{Kind: event.Started, Host: name, Step: name + "/join", Title: "join"})
				r.lines(clock(10), 80, 24)
				r.hosts.advance(event.Event{Kind: event.Done, Host: name, Step: name + "/join", Title: "join"})
			}
		})
	}
}
