package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/bundle"
	"fairlead/provision/kube"
	"fairlead/provision/remote"
	"fairlead/provision/remote/local"
	"fairlead/provision/remote/ssh"
)

// Options are what a Session needs beside the inventory.
type Options struct {
	// Log gets everything, with secrets masked; nil discards it.
	Log *slog.Logger
	// Events gets what happens, one event at a time; nil discards it.
	Events func(Event)
	// Sources complete the inventory with what lies elsewhere.
	Sources Sources
	// WithoutBundle leaves the bundle closed: it may be gone when a lab is taken down.
	WithoutBundle bool
}

// Session is one run of fairlead: its connections to the hosts and to the API server.
// It is safe for concurrent use; Close ends all connections.
type Session struct {
	wish   Wish
	whole  bool           // the wish is complete
	bundle *bundle.Bundle // nil without one
	log    *slog.Logger
	events *emitter
	dialer *ssh.Dialer

	mu     sync.Mutex
	hosts  map[string]*remote.Host
	client *kube.Client
	via    *remote.Host // whose connection and admin.conf the client uses
	join   *credentials
}

// credentials are what the joins of one run share. They never leave memory, but for the
// documents that kubeadm gets.
type credentials struct {
	token  pki.Token
	caHash string
}

// Open starts a run for the cluster and connects to nothing yet. With a bundle it can plan
// and build; without one (Options.WithoutBundle) it can reset and read.
func Open(ctx context.Context, cluster *inventory.Cluster, options Options) (*Session, error) {
	wish := Wish{Cluster: cluster}
	var b *bundle.Bundle
	if !options.WithoutBundle {
		var manifest bundle.Manifest
		var err error
		if cluster.Kubernetes.Bundle != "" {
			if b, err = bundle.Open(ctx, cluster.Kubernetes.Bundle); err != nil {
				return nil, err
			}
			manifest = b.Manifest
		}
		if wish, err = NewWish(ctx, cluster, manifest, options.Sources); err != nil {
			return nil, err
		}
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Events == nil {
		options.Events = func(Event) {}
	}
	return &Session{
		wish:   wish,
		whole:  !options.WithoutBundle,
		bundle: b,
		log:    options.Log,
		events: &emitter{now: time.Now, sink: options.Events},
		dialer: ssh.NewDialer(ssh.Options{Log: options.Log}),
		hosts:  map[string]*remote.Host{},
	}, nil
}

// Close ends all connections.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		s.client.Close()
	}
	var errs []error
	for _, host := range s.hosts {
		errs = append(errs, host.Close())
	}
	s.hosts, s.client, s.via = map[string]*remote.Host{}, nil, nil
	return errors.Join(append(errs, s.dialer.Close())...)
}

// connect returns the connection to a host. There is one for the whole run; only a lost
// one is dialled again.
func (s *Session) connect(ctx context.Context, host inventory.Host) (*remote.Host, error) {
	s.mu.Lock()
	connection := s.hosts[host.Name]
	s.mu.Unlock()
	if connection != nil && connection.Alive() == nil {
		return connection, nil
	}
	connection, err := s.dial(ctx, host)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.hosts[host.Name] = connection
	s.mu.Unlock()
	return connection, nil
}

// dial makes the connection to a host by the transport that the inventory says.
func (s *Session) dial(ctx context.Context, host inventory.Host) (*remote.Host, error) {
	if host.SSH.Transport == inventory.TransportLocal {
		return local.Open(local.Options{Name: host.Name, Log: s.log})
	}
	target := ssh.Target{
		Name: host.Name, Address: host.Address.String(), Port: host.SSH.Port, User: host.SSH.User,
		IdentityFile: host.SSH.IdentityFile, HostKey: host.SSH.HostKey,
	}
	if host.SSH.KnownHosts != "" {
		target.KnownHosts = []string{host.SSH.KnownHosts}
	}
	return s.dialer.Dial(ctx, target)
}

// connectAPI makes the client that reaches the API server through host's connection,
// with that host's admin.conf.
func (s *Session) connectAPI(ctx context.Context, host *remote.Host) (*kube.Client, error) {
	s.mu.Lock()
	client, via := s.client, s.via
	s.mu.Unlock()
	if client != nil && via == host {
		return client, nil
	}
	kubeconfig, err := host.ReadFile(ctx, adminConf)
	if err != nil {
		return nil, fmt.Errorf("read %s on %s: %w", adminConf, host.Name(), err)
	}
	client, err = kube.New(kubeconfig, tunnel(host))
	if err != nil {
		return nil, fmt.Errorf("use %s of %s: %w", adminConf, host.Name(), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client, s.via = client, host
	return client, nil
}

// tunnel dials through the connection to a host. When that is lost, dialling again is
// hopeless, and kube is told so.
func tunnel(host *remote.Host) kube.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := host.DialContext(ctx, network, address)
		if errors.Is(err, remote.ErrLost) {
			return nil, fmt.Errorf("%w: %w", kube.ErrTunnelClosed, err)
		}
		return conn, err
	}
}

// api returns the client for the API server, and the control-plane host behind it.
func (s *Session) api(ctx context.Context) (*kube.Client, *remote.Host, error) {
	s.mu.Lock()
	client, via := s.client, s.via
	s.mu.Unlock()
	if client != nil && via.Alive() == nil {
		return client, via, nil
	}
	var errs []error
	for _, host := range s.wish.Cluster.ControlPlane.Hosts {
		connection, err := s.connect(ctx, host)
		if err == nil {
			client, err = s.connectAPI(ctx, connection)
		}
		if err == nil {
			return client, connection, nil
		}
		errs = append(errs, err)
	}
	return nil, nil, fmt.Errorf("reach the API server: %w", errors.Join(errs...))
}

// forgetAPI drops the client of an API server that is gone.
func (s *Session) forgetAPI() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		s.client.Close()
	}
	s.client, s.via = nil, nil
}

func (s *Session) credentials() *credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.join
}

func (s *Session) setCredentials(c *credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.join = c
}

// stepRun is what an action may use while its step runs.
type stepRun struct {
	session *Session
	step    Step
	host    *remote.Host // nil for steps on the API server
	sending *pace
}

func (s *Session) newRun(step Step) *stepRun {
	run := &stepRun{session: s, step: step}
	run.sending = &pace{now: s.events.now, report: func(sent, total int64) {
		run.event(Event{Kind: Progress, Bytes: sent, Total: max(sent, total)})
	}}
	return run
}

func (s *stepRun) event(e Event) {
	e.Host, e.Step, e.Title = s.step.Host, s.step.ID, s.step.Title
	s.session.events.emit(e)
}

// output reports a line that a program on the host printed.
func (s *stepRun) output(line string) { s.event(Event{Kind: Output, Message: line}) }

// waiting reports what the step waits for.
func (s *stepRun) waiting(reason string) { s.event(Event{Kind: Progress, Message: reason}) }

// transferred reports the bytes sent so far.
func (s *stepRun) transferred(sent, total int64) { s.sending.add(sent, total) }

// perform runs the actions of a step, after the host's ledger holds what they touch.
func (s *Session) perform(ledgers map[string][]LedgerEntry) func(context.Context, Step) error {
	return func(ctx context.Context, step Step) error {
		run := s.newRun(step)
		if step.Host != "" {
			host, ok := s.wish.Cluster.Host(step.Host)
			if !ok {
				return fmt.Errorf("host %s is not in the inventory", step.Host)
			}
			connection, err := s.connect(ctx, host)
			if err != nil {
				return err
			}
			run.host = connection
			if err := run.record(ctx, unrecorded(step.touches(), ledgers[step.Host])); err != nil {
				return err
			}
		}
		for _, action := range step.Actions {
			err := action.apply(ctx, run)
			run.sending.flush()
			if err != nil {
				return err
			}
		}
		return nil
	}
}
