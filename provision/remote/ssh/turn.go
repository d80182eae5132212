package ssh

import (
	"context"
	"net"
	"sync"
	"time"
)

// turnTime is the longest that one handshake keeps its turn. What takes longer waits for the host and computes nothing, or
// waits for round trips over a long line.
const turnTime = 250 * time.Millisecond

// turn is the right of a handshake to compute. It is taken when the server has greeted, so that addresses where nobody
// answers take none, and given back when the handshake is over or has become slow.
type turn struct {
	compute chan struct{}
	once    sync.Once
	timer   *time.Timer
}

// take waits for a turn.
func (d *Dialer) take(ctx context.Context) (*turn, error) {
	select {
	case d.compute <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	t := &turn{compute: d.compute}
	t.timer = time.AfterFunc(d.turnTime, t.free)
	return t, nil
}

func (t *turn) free() { t.once.Do(func() { <-t.compute }) }

// over gives the turn back.
func (t *turn) over() {
	if t != nil {
		t.timer.Stop()
		t.free()
	}
}

// greeted is a connection that calls onGreeting before it delivers the first that the peer says.
type greeted struct {
	net.Conn
	onGreeting func() error
	spoken     bool
}

// Read implements io.Reader.
func (g *greeted) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n > 0 && !g.spoken {
		g.spoken = true
		if greet := g.onGreeting(); err == nil {
			err = greet
		}
	}
	return n, err
}
