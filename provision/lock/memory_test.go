package lock

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// memory is a Store that a test can spoil.
type memory struct {
	mu       sync.Mutex
	name     string
	record   *Record
	version  int
	broken   error // of all that is asked
	forgets  bool  // the next write is done, and its answer lost
	onRead   func(*memory)
	released bool
}

func (m *memory) String() string { return m.name }

func (m *memory) Read(context.Context) (*Record, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.onRead != nil {
		m.onRead(m)
	}
	if m.broken != nil || m.record == nil {
		return nil, "", m.broken
	}
	is := *m.record
	return &is, strconv.Itoa(m.version), nil
}

func (m *memory) Write(_ context.Context, record *Record, version string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	is := ""
	if m.record != nil {
		is = strconv.Itoa(m.version)
	}
	switch {
	case m.broken != nil:
		return "", m.broken
	case version != is:
		return "", ErrChanged
	}
	m.put(record)
	if m.forgets {
		m.forgets = false
		return "", errors.New("the answer was lost")
	}
	return strconv.Itoa(m.version), nil
}

// put is what somebody writes.
func (m *memory) put(record *Record) {
	m.version++
	m.record, m.released = record, record == nil
}

func (m *memory) holder() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.record == nil {
		return ""
	}
	return m.record.Run
}

func (m *memory) change(change func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

// hands is a clock that a test moves on. Who waits for a second is let go on at once if it runs by itself, as if that had passed.
type hands struct {
	mu     sync.Mutex
	now    time.Time
	alone  bool
	timers []timer
	asked  chan time.Duration // gets what is waited for
}

type timer struct {
	at time.Time
	to chan time.Time
}

func newClock() *hands {
	return &hands{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), alone: true, asked: make(chan time.Duration, 1000)}
}

func (c *hands) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After lets who watches go on at once, and who renews when the test has moved the clock that far.
func (c *hands) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	to := make(chan time.Time, 1)
	if c.alone && d == watch {
		c.now = c.now.Add(d)
		to <- c.now
	} else {
		c.timers = append(c.timers, timer{c.now.Add(d), to})
	}
	c.asked <- d
	return to
}

// pass moves the clock on.
func (c *hands) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		if t.at.After(c.now) {
			return false
		}
		t.to <- c.now
		return true
	})
}

// beats waits until somebody waits for his next renewal.
func (c *hands) beats(t *testing.T) {
	t.Helper()
	for {
		select {
		case d := <-c.asked:
			if d == beat {
				return
			}
		case <-t.Context().Done():
			t.Fatal("nobody renews anything")
		}
	}
}

// said are the texts that a Set has told.
type said struct {
	mu    sync.Mutex
	texts []string
}

func (s *said) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, text)
}

func (s *said) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.texts)
}
