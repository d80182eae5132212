package provision

import (
	"context"
	"log/slog"
	"time"

	"fairlead/inventory"
	"fairlead/provision/apply"
	"fairlead/provision/bundle"
	"fairlead/provision/connect"
	"fairlead/provision/desired"
	"fairlead/provision/engine"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/lock"
	"fairlead/provision/observe"
	"fairlead/provision/plan"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
)

// Options are what a Session needs beside the inventory.
type Options struct {
	// Log gets everything, with secrets masked; nil discards it.
	Log *slog.Logger
	// Events gets what happens, one event at a time; nil discards it.
	Events func(event.Event)
	// Sources complete the inventory with what lies elsewhere.
	Sources desired.Sources
	// Concurrency is how many hosts may be logged in to at the same time; 0 for ssh.DefaultHandshakes.
	Concurrency int
	// Wait is how long hosts are waited for that cannot be reached yet, from the first attempt on; 0 for not at all.
	Wait time.Duration
	// Passphrase is ssh.Options' Passphrase.
	Passphrase func(ctx context.Context, file string) ([]byte, error)
	// WithoutRoot says that nobody becomes root on any host, so that nobody is asked for a password of sudo.
	WithoutRoot bool
	// WithoutBundle leaves the bundle closed: it may be gone when a lab is taken down.
	WithoutBundle bool
	// Leaving are the names of hosts that are going to be removed: nothing goes through them that can go through others.
	Leaving []string
	// Holder is who runs this, USER@MACHINE, for others who want to change the cluster at the same time.
	Holder string

	// Dial connects to the hosts; nil does as the inventory says.
	Dial connect.Dial

	clock lock.Clock // the system's, outside of tests
}

// Session is one run of fairlead: its connections to the hosts and to the API server.
// It is safe for concurrent use; Close ends all connections.
type Session struct {
	wish        desired.State
	bundle      *bundle.Bundle // nil without one
	events      *event.Emitter
	connections *connect.Connections
	observer    *observe.Observer
	applier     *apply.Applier
	locks       *lock.Set // that others hold, or this run while it changes something
	log         *slog.Logger
}

// Open starts a run for the cluster and connects to nothing yet. With a bundle it can plan
// and build; without one (Options.WithoutBundle) it can reset and read.
func Open(ctx context.Context, cluster *inventory.Cluster, options Options) (*Session, error) {
	passwords, err := sudoPasswords(ctx, cluster, options)
	if err != nil {
		return nil, err
	}
	cluster = cluster.WithLast(options.Leaving)
	wish := desired.State{Cluster: cluster}
	var b *bundle.Bundle
	if !options.WithoutBundle {
		var manifest bundle.Manifest
		if cluster.Kubernetes.Bundle != "" {
			if b, err = bundle.Open(ctx, cluster.Kubernetes.Bundle); err != nil {
				return nil, err
			}
			manifest = b.Manifest
		}
		if wish, err = desired.New(ctx, cluster, manifest, options.Sources); err != nil {
			return nil, err
		}
	}
	connections := connect.New(cluster, ssh.Options{Log: options.Log, Handshakes: options.Concurrency, Passphrase: options.Passphrase}, sshconfig.Options{Log: options.Log})
	if options.Dial != nil {
		connections = connect.NewWith(cluster, options.Dial)
	}
	connections.Passwords = passwords
	return newSession(wish, b, newRun(), options, connections), nil
}

// newSession is a run for a wish over some connections.
func newSession(wish desired.State, b *bundle.Bundle, run string, options Options, connections *connect.Connections) *Session {
	if options.Events == nil {
		options.Events = func(event.Event) {}
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	events := event.NewEmitter(time.Now, options.Events)
	if options.clock == nil {
		options.clock = lock.SystemClock{}
	}
	if options.Wait > 0 {
		connections.WaitForHosts(connect.Wait{For: options.Wait, Clock: options.clock, Tell: func(host, reason string, since time.Duration) {
			events.Emit(event.Event{Kind: event.Waiting, Host: host, Message: reason, Seconds: since.Seconds(), Limit: options.Wait.Seconds()})
		}})
	}
	locks := newLocks(options, run, events)
	observer := observe.New(wish, !options.WithoutBundle, plan.Asks(wish), connections, events)
	observer.Owns = locks.Owns
	return &Session{
		wish: wish, bundle: b, events: events, connections: connections, observer: observer, locks: locks, log: options.Log,
		applier: &apply.Applier{Connections: connections, Bundle: b, Events: events, Run: run, Allowed: locks.Check},
	}
}

// Close ends all connections.
func (s *Session) Close() error { return s.connections.Close() }

// Observe looks at all hosts at once, and at the API server through one of them. It
// changes nothing. A host that cannot be reached is a fact like any other; the error is
// only ctx's.
func (s *Session) Observe(ctx context.Context) (facts.Facts, error) { return s.observer.Observe(ctx) }

// apply runs a plan that was made from facts, and returns how many steps were done.
func (s *Session) apply(ctx context.Context, plan plan.Plan, facts facts.Facts) (int, []error) {
	ledgers := map[string][]ledger.Entry{}
	for name, host := range facts.Hosts {
		ledgers[name] = host.Ledger
	}
	done, errs := engine.Execute(ctx, plan.Steps, s.events, s.perform(s.applier.Perform(ledgers)))
	return done, saidOnce(errs)
}
