package remote

import (
	"bytes"
	"strings"
	"sync"
)

// stream is one output of a command: what comes before the mark is set aside, the rest is kept and handed out by lines.
type stream struct {
	mark  []byte
	lines *lineTaker // nil when nobody listens

	mu      sync.Mutex
	started bool
	before  []byte // until started
	text    []byte // since
	partial []byte
	group   string
	onStart func(group string)
	onWrite func() // nil when nobody listens
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

// Write takes output of the command; it never fails.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	if s.onWrite != nil {
		s.onWrite()
	}
	if !s.started {
		s.before = append(s.before, p...)
		if p = s.findMark(); !s.started {
			return n, nil
		}
	}
	s.text = append(s.text, p...)
	if s.lines != nil {
		s.splitLines(p)
	}
	return n, nil
}

// findMark looks for "mark group\n" and returns what follows it.
func (s *stream) findMark() []byte {
	i := bytes.Index(s.before, s.mark)
	if i < 0 {
		return nil
	}
	rest := s.before[i+len(s.mark):]
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		return nil
	}
	s.started, s.group = true, string(bytes.TrimSpace(rest[:end]))
	s.before = s.before[:i]
	if s.onStart != nil {
		s.onStart(s.group)
	}
	return rest[end+1:]
}

func (s *stream) splitLines(p []byte) {
	s.partial = append(s.partial, p...)
	for {
		end := bytes.IndexByte(s.partial, '\n')
		if end < 0 {
			return
		}
		s.lines.call(s.partial[:end])
		s.partial = s.partial[end+1:]
	}
}

// finish hands out a last line without newline and returns all output, and whether the command had started.
func (s *stream) finish() (text []byte, started bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines != nil && len(s.partial) > 0 {
		s.lines.call(s.partial)
		s.partial = nil
	}
	if !s.started {
		return s.before, false
	}
	return s.text, true
}
