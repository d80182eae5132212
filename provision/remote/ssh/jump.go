package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"fairlead/provision/remote"
)

// jumps are the connections to jump hosts: one for each way there, however many hosts are behind it.
type jumps struct {
	mu     sync.Mutex
	closed bool
	byWay  map[string]*jump
}

func newJumps() *jumps { return &jumps{byWay: map[string]*jump{}} }

// jump is a jump host. Its target's Jump is the way to it.
type jump struct {
	target Target
	turn   chan struct{} // holds a token while somebody dials it

	mu     sync.Mutex // guards what follows
	conn   *conn      // the last one, which may be over
	tries  int        // how often it was dialled to the end
	failed error      // what the last try came to
}

// to is the jump host at the end of a way.
func (j *jumps) to(way []Target) *jump {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := fmt.Sprintf("%+v", way)
	if j.byWay[key] == nil {
		last := len(way) - 1
		target := way[last]
		target.Jump, target.isJump = way[:last], true
		j.byWay[key] = &jump{target: target.withDefaults(), turn: make(chan struct{}, 1)}
	}
	return j.byWay[key]
}

// keep notes how dialling a jump host has ended. A connection that comes to stand only after close is closed.
func (j *jumps) keep(of *jump, c *conn, err error) error {
	j.mu.Lock()
	late := j.closed
	of.mu.Lock()
	before := of.conn
	of.tries++
	of.failed = err
	if c != nil && !late {
		of.conn = c
	}
	of.mu.Unlock()
	j.mu.Unlock()
	switch {
	case c == nil:
		return err
	case late:
		return errors.Join(errClosed, c.Close())
	case before != nil:
		return before.Close() // it was lost
	}
	return nil
}

// close ends all connections to jump hosts, those first that go through others. There will be no others.
func (j *jumps) close() error {
	j.mu.Lock()
	j.closed = true
	var all []*jump
	for _, one := range j.byWay {
		all = append(all, one)
	}
	j.mu.Unlock()
	slices.SortFunc(all, func(a, b *jump) int { return cmp.Compare(len(b.target.Jump), len(a.target.Jump)) })
	var errs []error
	for _, one := range all {
		one.mu.Lock()
		c := one.conn
		one.mu.Unlock()
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// state is the connection that stands, if one does, and how often the host was dialled.
func (j *jump) state() (c *conn, tries int, failed error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.conn != nil {
		select {
		case <-j.conn.done:
		default:
			c = j.conn
		}
	}
	return c, j.tries, j.failed
}

// jump returns the connection to the last of some jump hosts. It is made once for all who ask for it, and who waits for
// another's attempt gets what that comes to; one that was lost, or could not be made, is dialled again by who comes next.
func (d *Dialer) jump(ctx context.Context, way []Target) (*hop, error) {
	j := d.jumps.to(way)
	c, seen, _ := j.state()
	if c != nil {
		return &hop{j.target, c}, nil
	}
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	switch c, tries, failed := j.state(); {
	case c != nil:
		return &hop{j.target, c}, nil
	case tries != seen && failed != nil:
		return nil, failed
	}
	c, err := d.connect(ctx, j.target)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, cause // others have more patience
	}
	err = j.blamed(err)
	if err := d.jumps.keep(j, c, err); err != nil {
		return nil, err
	}
	return &hop{j.target, c}, nil
}

// blamed names the jump host that cannot be connected to, unless one before it is to blame.
func (j *jump) blamed(err error) error {
	if err == nil || errors.As(err, new(*JumpError)) {
		return err
	}
	var failed *remote.ConnectError
	if errors.As(err, &failed) {
		err = failed.Err // where that was is said of a jump host in other words
	}
	return &JumpError{Host: j.target, Err: err}
}

// DialThrough connects from the last of some jump hosts to an address, as the targets behind them do. With no jump hosts it
// connects to the address itself.
func (d *Dialer) DialThrough(ctx context.Context, way []Target, network, address string) (net.Conn, error) {
	if len(way) == 0 {
		return d.opts.DialNet(ctx, network, address)
	}
	through, err := d.jump(ctx, way)
	if err != nil {
		return nil, err
	}
	return through.open(ctx, address)
}

// open makes the connection over which a target is logged in to, and says through which jump host it goes.
func (d *Dialer) open(ctx context.Context, t Target) (raw net.Conn, via *hop, err error) {
	if len(t.Jump) > 0 {
		if via, err = d.jump(ctx, t.Jump); err != nil { // which has times of its own
			return nil, nil, err
		}
	}
	dialCtx, cancel := context.WithTimeout(ctx, d.opts.DialTimeout)
	defer cancel()
	switch {
	case via != nil:
		raw, err = via.open(dialCtx, t.addr())
	case t.ProxyCommand != "":
		raw, err = startProxy(t)
	default:
		raw, err = d.opts.DialNet(dialCtx, t.Network, t.addr())
	}
	if err == nil {
		return raw, via, nil
	}
	if dialCtx.Err() != nil {
		err = cmp.Or(via.lostWithin(ctx), err) // it may be the jump host that does not answer
	}
	switch cause := context.Cause(ctx); {
	case cause != nil:
		return nil, nil, cause
	case errors.As(err, new(*JumpError)) || errors.Is(err, remote.ErrUnreachable) || errors.Is(err, net.ErrClosed):
		return nil, nil, err
	}
	return nil, nil, fmt.Errorf("%w: %w", remote.ErrUnreachable, err)
}
