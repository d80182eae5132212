package connect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"fairlead/provision/remote"
)

const (
	// firstPause is the time until a host that could not be reached is tried again; each further pause is twice as long, up to
	// longestPause: a machine that starts is met within seconds, and hundreds of them are no load.
	firstPause   = time.Second
	longestPause = 5 * time.Second
	// jitter is the part of a pause by which it may be shorter, so that hosts that were dialled at once are not so ever after.
	jitter = 0.25
)

// Clock is what waiting goes by.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// Wait says how hosts are waited for that cannot be reached yet.
type Wait struct {
	// For is how long, from the first attempt to reach any host.
	For time.Duration
	// Clock is what that is measured by.
	Clock Clock
	// Tell gets why a host is tried again, and how long that has gone on.
	Tell func(host, reason string, since time.Duration)
}

// WaitForHosts has hosts tried again that cannot be reached (remote.ErrUnreachable): those that refuse the connection, are not
// there, or do not greet yet. A wrong host key, a refused login, and what cannot change by itself are errors at once. Who was
// reached once is not waited for any more. It is called before anything else.
func (c *Connections) WaitForHosts(w Wait) {
	c.waiting = &patience{Wait: w, met: map[string]bool{}}
}

// patience is a Wait, and how far it is. A nil one waits for nobody.
type patience struct {
	Wait

	mu    sync.Mutex
	begun time.Time
	met   map[string]bool // hosts that were reached
}

// reach tries to reach a host until that succeeds, the time is over, or it cannot succeed.
func (p *patience) reach(ctx context.Context, host string, try func() error) error {
	if p == nil {
		return try()
	}
	begun := p.begin()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := try()
		if err == nil || !mayCome(err) || p.knows(host) {
			p.note(host, err)
			return err
		}
		since := p.Clock.Now().Sub(begun)
		if since >= p.For {
			return fmt.Errorf("%w (waited %s for it)", err, Spelled(p.For))
		}
		p.Tell(host, why(err), since)
		select {
		case <-p.Clock.After(min(shaken(pause), p.For-since)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// begin is when the first attempt was made.
func (p *patience) begin() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun.IsZero() {
		p.begun = p.Clock.Now()
	}
	return p.begun
}

func (p *patience) knows(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.met[host]
}

// note takes down that a host was reached.
func (p *patience) note(host string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.met[host] = true
	}
}

// shaken is a pause, a little shorter by chance.
func shaken(pause time.Duration) time.Duration {
	return pause - time.Duration(rand.Float64()*jitter*float64(pause)) //nolint:gosec // no secret depends on it
}

// mayCome says that a host that was not reached may be reached later, though nobody mends anything. What this machine itself
// refuses stays refused.
func mayCome(err error) bool {
	if !errors.Is(err, remote.ErrUnreachable) {
		return false
	}
	for _, own := range []error{syscall.EINVAL, syscall.EAFNOSUPPORT, syscall.EACCES, syscall.EPERM} {
		if errors.Is(err, own) {
			return false
		}
	}
	return true
}

// why says in few words why a host was not reached.
func why(err error) string {
	var dns *net.DNSError
	var network *net.OpError
	var errno syscall.Errno
	switch {
	case errors.As(err, &dns):
		return "its name is not found"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &network) && network.Op == "dial" && network.Timeout():
		return "nothing answers"
	}
	return "no SSH server answers yet"
}

// Spelled writes a time for people, in whole seconds: 8 s, 10 min, 1 h 30 min.
func Spelled(d time.Duration) string {
	d = d.Round(time.Second)
	hours, minutes, seconds := d/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second
	text := ""
	for _, part := range []struct {
		n    time.Duration
		unit string
	}{{hours, "h"}, {minutes, "min"}, {seconds, "s"}} {
		if part.n > 0 {
			text += fmt.Sprintf(" %d %s", part.n, part.unit)
		}
	}
	if text == "" {
		return "0 s"
	}
	return text[1:]
}
