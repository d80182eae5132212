package remote

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
)

const (
	// maxNoise is how much may be heard before a command begins, and noiseKept how much of that is kept for its error.
	maxNoise  = 1 << 20
	noiseKept = 8 << 10
	// maxLine is how much of one line is handed out as it comes.
	maxLine = 16 << 10
)

// errGone is what a stream says to output that nobody waits for any more.
var errGone = errors.New("nobody listens any more")

// allowance is how much may be heard; both outputs of a process share one.
type allowance struct {
	mu       sync.Mutex
	left     int64
	exceeded func() // called once
}

// take returns how many of the next n bytes are within the allowance.
func (a *allowance) take(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left < 0 {
		return 0
	}
	granted := min(int64(n), a.left)
	if a.left -= int64(n); a.left < 0 {
		a.exceeded()
	}
	return int(granted)
}

// stream is one output of a process: what comes before the gate is open is noise, of which the end is kept; the rest is kept
// and handed out by lines, or goes to a sink as it comes. It takes no more memory than its allowances, and time in proportion
// to what it hears.
type stream struct {
	gate        *gate
	noise, text *allowance
	lines       *lineTaker // nil when nobody listens
	onWrite     func()     // nil when nobody listens
	sink        io.Writer  // nil when the text is kept

	mu      sync.Mutex
	over    bool
	before  []byte // the end of the noise
	line    []byte // the beginning of the noise's last line
	kept    []byte
	partial []byte // the line to be handed out next
	cut     bool   // of which there was more
}

// lineTaker calls one function from several streams, one call at a time.
type lineTaker struct {
	mu   sync.Mutex
	take func(string)
}

func (l *lineTaker) call(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(strings.TrimSuffix(string(line), "\r"))
}

// Write takes output of the process. It fails when nobody waits for it any more, so that its source stops, too.
func (s *stream) Write(p []byte) (int, error) {
	rest, err := s.keep(p)
	if err == nil && s.sink != nil && len(rest) > 0 {
		_, err = s.sink.Write(rest)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// keep takes output, and returns what is for the sink.
func (s *stream) keep(p []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, errGone
	}
	if !s.gate.isOpen() {
		p = s.skip(p)
	}
	if s.onWrite != nil && len(p) > 0 {
		s.onWrite()
	}
	if s.sink != nil {
		return p, nil
	}
	p = p[:s.text.take(len(p))]
	s.kept = append(s.kept, p...)
	if s.lines != nil {
		s.splitLines(p)
	}
	return nil, nil
}

// skip takes noise line by line, and returns what follows the mark that opens the gate.
func (s *stream) skip(p []byte) []byte {
	for len(p) > 0 {
		piece, rest, whole := bytes.Cut(p, []byte("\n"))
		s.line = append(s.line, piece[:min(len(piece), s.gate.longest()+1-len(s.line))]...)
		s.note(p[:len(p)-len(rest)])
		if p = rest; !whole {
			break
		}
		mark := s.gate.found(s.line, s)
		s.line = s.line[:0]
		if mark && s.gate.isOpen() {
			return p
		}
	}
	return nil
}

// note keeps the end of the noise.
func (s *stream) note(p []byte) {
	s.noise.take(len(p))
	s.before = append(s.before, p[max(0, len(p)-noiseKept):]...)
	if extra := len(s.before) - noiseKept; extra > noiseKept {
		s.before = append(s.before[:0], s.before[extra:]...)
	}
}

func (s *stream) splitLines(p []byte) {
	for {
		piece, rest, whole := bytes.Cut(p, []byte("\n"))
		room := maxLine - len(s.partial)
		s.cut = s.cut || len(piece) > room
		s.partial = append(s.partial, piece[:min(len(piece), room)]...)
		if !whole {
			return
		}
		s.handOut()
		p = rest
	}
}

func (s *stream) handOut() {
	if s.cut {
		s.partial = append(s.partial, " …"...)
	}
	s.lines.call(s.partial)
	s.partial, s.cut = s.partial[:0], false
}

// said is the end of the noise, without marks and prompts.
func (s *stream) said() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text []byte
	for line := range bytes.Lines(s.before) {
		if !bytes.HasPrefix(line, []byte(s.gate.mark)) && !bytes.HasPrefix(line, []byte(s.gate.prompt)) {
			text = append(text, line...)
		}
	}
	return text
}

// cutOff says that the command's first words complained of its input. They may have done so before the other output's mark came.
func (s *stream) cutOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	complaint := []byte(s.gate.mark + " cut")
	for _, said := range [][]byte{s.before, s.kept} {
		if bytes.HasSuffix(bytes.TrimRight(said, "\r\n"), complaint) {
			return true
		}
	}
	return false
}

// finish hands out a last line without newline, and returns all output. What comes afterwards is refused.
func (s *stream) finish() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines != nil && len(s.partial) > 0 {
		s.handOut()
	}
	s.over = true
	return s.kept
}
