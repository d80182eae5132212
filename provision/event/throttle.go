package event

import (
	"sync"
	"time"
)

// progressInterval is the least time between two reports of bytes on their way.
const progressInterval = 100 * time.Millisecond

// Throttle thins out the reports of bytes on their way, of which each write makes one. It is safe
// for concurrent use; report is called once at a time.
type Throttle struct {
	now    func() time.Time
	report func(sent, total int64)

	mu          sync.Mutex
	last        time.Time
	held        bool // sent and total were not reported
	sent, total int64
}

// Add reports the counts, or holds them until the next time.
func (p *Throttle) Add(sent, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held, p.sent, p.total = true, sent, total
	if now := p.now(); now.Sub(p.last) >= progressInterval {
		p.last = now
		p.pass()
	}
}

// Flush reports the last counts, if that was not done.
func (p *Throttle) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
}

func (p *Throttle) pass() {
	if p.held {
		p.held = false
		p.report(p.sent, p.total)
	}
}

// Throttle thins out the progress of transfers for one who emits events.
func (e *Emitter) Throttle(emit func(Event)) *Throttle {
	return &Throttle{now: e.Now, report: func(sent, total int64) {
		emit(Event{Kind: Progress, Bytes: sent, Total: max(sent, total)})
	}}
}
