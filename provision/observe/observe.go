package observe

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/connect"
	"fairlead/provision/desired"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/object"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// apiTimeout is how long an observation waits for the API server: one that is well
// answers within milliseconds.
const apiTimeout = 5 * time.Second

const (
	// probeStart is how long a host that is asked may take from the login to the begin of the probe. A host that is well takes some
	// milliseconds, and one whose start-up files wait for a slow resolver or a mount five seconds.
	probeStart = 10 * time.Second
	// probeSilence is how long it may say nothing afterwards, before it is given up, so that one that hangs does not hold up the
	// others. It counts from the last that was heard, as a slow host may well take longer for the whole; the longest single
	// thing it does is to read and hash a program of a hundred megabytes from a slow disk.
	probeSilence = 15 * time.Second
)

// otherSessions are those that a connection has beside its commands: one for files, and one that ends a cancelled command.
const otherSessions = 2

// Observer looks at the hosts and at the cluster. It changes nothing.
type Observer struct {
	wish  desired.State
	query facts.Query // what every host is asked
	// Owns says that what a run has left is this one's to take away; nil owns nothing.
	Owns func(run string) bool

	complete    bool // neither settings nor add-ons are wished for without
	connections *connect.Connections
	events      *event.Emitter
}

// New looks at the hosts of a wish. One that is not complete knows of no software,
// settings and add-ons: it is enough for a reset.
func New(wish desired.State, complete bool, query facts.Query, connections *connect.Connections, events *event.Emitter) *Observer {
	return &Observer{wish: wish, complete: complete, query: query, connections: connections, events: events}
}

// Observe looks at all hosts at once, and at the API server through one of them. It
// changes nothing. A host that cannot be reached is a fact like any other; the error is
// only ctx's.
func (o *Observer) Observe(ctx context.Context) (facts.Facts, error) {
	o.events.Emit(event.Event{Kind: event.Observing, Message: fmt.Sprintf("%d hosts", len(o.wish.Cluster.Hosts()))})
	hosts := o.wish.Cluster.Hosts()
	answers := make([]facts.Host, len(hosts))
	var group sync.WaitGroup
	for i, host := range hosts {
		group.Add(1)
		go func() {
			defer group.Done()
			answers[i] = o.ObserveHost(ctx, host)
		}()
	}
	group.Wait()
	facts := facts.Facts{Hosts: map[string]facts.Host{}}
	for i, host := range hosts {
		facts.Hosts[host.Name] = answers[i]
	}
	if err := ctx.Err(); err != nil {
		return facts, err
	}
	facts.API = o.observeAPI(ctx, facts)
	facts.API.Etcd = o.observeEtcd(ctx, facts)
	if facts.API.Err != nil {
		o.observeForwarding(ctx, facts)
	}
	facts.ImageProblems = o.observeImages(ctx, facts)
	facts.ObservedAt = time.Now()
	return facts, ctx.Err()
}

// observeForwarding tries whether the API servers of control-plane hosts can be reached once they run. Where one has answered,
// nobody needs to know.
func (o *Observer) observeForwarding(ctx context.Context, seen facts.Facts) {
	hosts := o.wish.Cluster.ControlPlane.Hosts
	errs := make([]error, len(hosts))
	var group sync.WaitGroup
	for i, host := range hosts {
		if seen.Hosts[host.Name].Unreachable == nil {
			group.Go(func() { errs[i] = o.connections.Reaches(ctx, host.Name) })
		}
	}
	group.Wait()
	for i, host := range hosts {
		if errors.Is(errs[i], remote.ErrForwarding) {
			is := seen.Hosts[host.Name]
			is.Forwarding = facts.NewProblem(facts.HostForwards, errs[i])
			seen.Hosts[host.Name] = is
		}
	}
}

// ObserveHost asks one host everything in one round trip, and reports that it was observed.
func (o *Observer) ObserveHost(ctx context.Context, host inventory.Host, also ...facts.Query) facts.Host {
	begin := time.Now()
	query := o.query
	if len(also) > 0 { // what all are asked was joined once
		query = facts.Ask(append([]facts.Query{query}, also...)...)
	}
	seen, err := o.probe(ctx, host, query)
	event := event.Event{Kind: event.Observed, Host: host.Name, Seconds: time.Since(begin).Seconds()}
	if err != nil {
		seen = facts.Host{Unreachable: hostProblem(err)}
		event.Error = err.Error()
	}
	o.events.Emit(event)
	return seen
}

func (o *Observer) probe(ctx context.Context, host inventory.Host, query facts.Query) (facts.Host, error) {
	connection, err := o.connections.Host(ctx, host.Name)
	if err != nil {
		return facts.Host{}, err
	}
	sent := time.Now()
	result, err := connection.Run(ctx, remote.Command{
		Script: templates.ScriptProbe.Text(), Argv: query.Arguments(), Root: true, StartWithin: probeStart, Silence: probeSilence,
	})
	var exit *remote.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("run the probe: %w", err) // else it is about the host, not about the probe
	}
	if err != nil {
		return facts.Host{}, err
	}
	seen, err := parseProbe(result.Stdout, sent, time.Now())
	if err != nil {
		return facts.Host{}, fmt.Errorf("read the probe's answer: %w", err)
	}
	if host.SSH.Transport == inventory.TransportLocal || host.SSH.InContainer() {
		seen.SSHSessions = 0 // of an sshd that nobody goes through
	}
	if seen.SSHSessions > 0 {
		connection.Limit(seen.SSHSessions - otherSessions)
	}
	seen.Asked = query
	nameVersions(o.wish.Bundle, seen)
	return seen, nil
}

// nameVersions adds the versions of programs that are those of the bundle; the probe asks
// only the others.
func nameVersions(manifest bundle.Manifest, seen facts.Host) {
	for _, component := range manifest.Components {
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				if seen.Files[file.Path].SHA256 == file.Digest.Encoded() {
					seen.Versions[path.Base(file.Path)] = facts.Version{Path: file.Path, Version: component.Version}
				}
			}
		}
	}
}

// observeAPI asks the first control plane that answers.
func (o *Observer) observeAPI(ctx context.Context, seen facts.Facts) facts.API {
	var errs []error
	for _, host := range o.wish.Cluster.ControlPlane.Hosts {
		f := seen.Hosts[host.Name]
		if f.Unreachable != nil || !f.Kubeconfigs["admin.conf"] {
			continue
		}
		api, err := o.askAPI(ctx, host, f.ClockOffset)
		if err == nil {
			return api
		}
		errs = append(errs, fmt.Errorf("%s: %w", host.Name, err))
	}
	if len(errs) > 0 {
		return facts.API{Err: problem(errors.Join(errs...), facts.APINoAnswer, []meaning{{kube.ErrRefused, facts.APIRefuses}})}
	}
	for _, host := range o.wish.Cluster.ControlPlane.Hosts {
		if facts.HasControlPlane(seen.Hosts[host.Name]) {
			return facts.API{Err: facts.NewProblem(facts.APINoKubeconfig, fmt.Errorf("%s has no %s", host.Name, templates.AdminConf))}
		}
	}
	return facts.API{Err: facts.NoCluster()}
}

// askAPI gives an API server little time to say that it is ready; to read all from one that
// is may take longer.
func (o *Observer) askAPI(ctx context.Context, host inventory.Host, offset time.Duration) (facts.API, error) {
	soon, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	connection, err := o.connections.Host(soon, host.Name)
	if err != nil {
		return facts.API{}, err
	}
	client, err := o.connections.Through(soon, connection)
	if err != nil {
		return facts.API{}, err
	}
	if err := client.Ready(soon); err != nil {
		return facts.API{}, err
	}
	return o.readCluster(ctx, client, host.Name, offset)
}

// readCluster reads all that the plan wants to know from an API server that answers.
func (o *Observer) readCluster(ctx context.Context, client *kube.Client, via string, offset time.Duration) (facts.API, error) {
	api := facts.API{
		Via: via, Nodes: map[string]object.Node{}, Objects: map[string]object.Live{},
		Unready: map[string]string{}, Orphans: map[string][]object.Applied{},
	}
	var err error
	if api.ServerVersion, err = client.ServerVersion(ctx); err != nil {
		return api, err
	}
	if api.Missing, err = client.InitComplete(ctx); err != nil {
		return api, err
	}
	nodes, err := client.Nodes(ctx)
	if err != nil {
		return api, err
	}
	for _, node := range nodes {
		api.Nodes[node.Name] = node
	}
	if err := o.readTokens(ctx, client, &api, offset); err != nil {
		return api, err
	}
	if api.Removed, err = client.Removed(ctx); err != nil {
		return api, err
	}
	if !o.complete {
		return api, nil // neither settings nor add-ons can be wished for
	}
	if err := o.readSettings(ctx, client, &api); err != nil {
		return api, err
	}
	err = o.readAddons(ctx, client, &api)
	return api, err
}
