package container

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fairlead/provision/remote"
)

// Options tune a Dialer. The zero value is ready for use.
type Options struct {
	// Log gets one debug record per command and file; nil discards them.
	Log *slog.Logger
	// StopGrace is remote.Settings' StopGrace.
	StopGrace time.Duration
	// Path is where the client is looked for; empty means as this process does.
	Path string
	// Beat is the time between two questions whether the container is still there; default 5 s.
	Beat time.Duration
}

// Target says which container is a host.
type Target struct {
	// Name is how messages call the host.
	Name string
	// Engine is one of Engines.
	Engine string
	// Container is a container's name or ID.
	Container string
	// Context is where the client finds it, in the engine's words: a context, a connection, a namespace. Empty means the client's own.
	Context string
}

// Dialer opens containers as hosts, and knows those that it has opened. Its methods may be called from several goroutines.
type Dialer struct {
	options Options

	mu    sync.Mutex
	known map[Target]string // IDs
}

// NewDialer knows no container yet.
func NewDialer(o Options) *Dialer {
	o.Beat = cmp.Or(max(o.Beat, 0), beat)
	return &Dialer{options: o, known: map[Target]string{}}
}

// Dial opens a container that runs. What keeps it from that is an *Error; another container than the one that had the name when it was
// dialled before is remote.ErrHostKey.
func (d *Dialer) Dial(ctx context.Context, t Target) (*remote.Host, error) {
	c := client{engine: t.Engine, context: t.Context, path: d.options.Path}
	found, err := c.inspect(ctx, t.Container)
	if err != nil {
		return nil, err
	}
	is := found[0]
	if err := c.usable(t.Container, is); err != nil {
		return nil, err
	}
	if err := d.same(t, is); err != nil {
		return nil, err
	}
	w := newWay(ctx, c, t.Container, is, d.options.Beat)
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	return remote.New(w, remote.Settings{Name: t.Name, User: "root", Log: d.options.Log, StopGrace: d.options.StopGrace}), nil
}

// usable refuses a container in which nothing can be started.
func (c client) usable(name string, is Container) error {
	e := &Error{Engine: c.engine, Container: name, kind: remote.ErrUnreachable}
	switch {
	case is.Paused:
		e.Problem, e.Mending = "it is paused", "let it go on: "+remote.Quote(c.argv("unpause", name))
	case !is.Running:
		e.Problem, e.Mending = "it does not run ("+is.Status+")", "start it: "+remote.Quote(c.argv("start", name))
	default:
		return nil
	}
	return e
}

// same remembers the container that is a host, and refuses another one.
func (d *Dialer) same(t Target, is Container) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	known, dialled := d.known[t]
	if dialled && known != is.ID {
		return &Error{
			Engine: t.Engine, Container: t.Container, Problem: fmt.Sprintf("it is %s now, and was %s before: another container has taken its name", short(is.ID), short(known)),
			Mending: "if that is meant, run the same command again", kind: remote.ErrHostKey,
		}
	}
	d.known[t] = is.ID
	return nil
}

// short is an ID as people know it.
func short(id string) string { return id[:min(len(id), 12)] }
