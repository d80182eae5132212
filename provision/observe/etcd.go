package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairlead/inventory"
	"fairlead/provision/etcd"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// etcdTimeout is how long one control plane may take to say all of etcd. A member without a quorum takes five seconds to be given up
// with what needs one, and those that are gone as long again.
const etcdTimeout = 20 * time.Second

// observeEtcd asks the etcd of the control plane that the API server was reached through. Where that knows of no quorum, or there
// is no API server, it asks those of all others: one that was cut off from the rest is no proof of anything.
func (o *Observer) observeEtcd(ctx context.Context, seen facts.Facts) facts.Etcd {
	hosts := slices.DeleteFunc(slices.Clone(o.wish.Cluster.ControlPlane.Hosts), func(h inventory.Host) bool {
		f := seen.Hosts[h.Name]
		return f.Unreachable != nil || !slices.Contains(f.Manifests, templates.ComponentEtcd+".yaml")
	})
	if len(hosts) == 0 {
		return facts.Etcd{}
	}
	slices.SortStableFunc(hosts, func(a, b inventory.Host) int {
		return compareTrue(a.Name == seen.API.Via, b.Name == seen.API.Via)
	})
	answers := make([]facts.Etcd, len(hosts))
	if answers[0] = o.askEtcd(ctx, hosts[0]); answers[0].Problem == nil && !answers[0].NoQuorum {
		return answers[0]
	}
	var group sync.WaitGroup
	for i, host := range hosts[1:] {
		group.Go(func() { answers[i+1] = o.askEtcd(ctx, host) })
	}
	group.Wait()
	return bestOf(answers)
}

// compareTrue sorts what is true first.
func compareTrue(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// bestOf is the answer that knows most: one with a quorum, else one at all, else why there is none.
func bestOf(answers []facts.Etcd) facts.Etcd {
	var errs []error
	best := -1
	for i, answer := range answers {
		switch {
		case answer.Problem != nil:
			errs = append(errs, answer.Problem)
		case !answer.NoQuorum:
			return answer
		case best < 0:
			best = i
		}
	}
	if best >= 0 {
		return answers[best]
	}
	return facts.Etcd{Problem: facts.NewProblem(facts.EtcdNoAnswer, errors.Join(errs...))}
}

// askEtcd asks one member of all. The credentials are read on its host and forgotten.
func (o *Observer) askEtcd(ctx context.Context, host inventory.Host) facts.Etcd {
	ctx, cancel := context.WithTimeout(ctx, etcdTimeout)
	defer cancel()
	answer, err := o.readEtcd(ctx, host)
	if err != nil {
		return facts.Etcd{Problem: facts.NewProblem(facts.EtcdNoAnswer, fmt.Errorf("%s: %w", host.Name, err))}
	}
	return answer
}

func (o *Observer) readEtcd(ctx context.Context, host inventory.Host) (facts.Etcd, error) {
	connection, err := o.connections.Host(ctx, host.Name)
	if err != nil {
		return facts.Etcd{}, err
	}
	client, err := etcd.Through(ctx, connection, host.Address)
	if err != nil {
		return facts.Etcd{}, err
	}
	all, quorum, err := client.Survey(ctx)
	if err != nil {
		return facts.Etcd{}, err
	}
	answer := facts.Etcd{Via: host.Name, NoQuorum: !quorum}
	for _, seen := range all {
		answer.Members = append(answer.Members, memberOf(seen, answer.NoQuorum))
	}
	return answer, nil
}

func memberOf(seen etcd.Seen, revision bool) facts.EtcdMember {
	member := facts.EtcdMember{
		ID: seen.Number(), Name: seen.Name, PeerURLs: seen.PeerURLs, ClientURLs: seen.ClientURLs,
		Learner: seen.Learner, Started: seen.Started(), Listens: seen.Listens, Healthy: seen.Healthy, Leader: seen.Leads(),
	}
	if status := seen.Status; status != nil {
		member.Version, member.Alarms = status.Version, status.Alarms
		if revision {
			member.Revision = status.Revision
		}
	}
	return member
}
