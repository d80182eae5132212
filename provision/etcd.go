package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"fairlead/provision/etcd"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// RecoverOrder is how an etcd that has lost its quorum is recovered.
type RecoverOrder struct {
	// From is the host of the member that is left.
	From string
	// Confirm is asked before anything is changed, with what is given up; its error ends the recovery.
	Confirm func(context.Context, plan.Loss) error
	// Keep is given what takes a snapshot of the survivor, before anything is changed; its error ends the recovery.
	Keep func(ctx context.Context, take func(context.Context, io.Writer) error) error
}

// RecoverEtcd makes a cluster of the etcd member that is left, where the others are gone for good. Hosts of the others join anew by Up.
func (s *Session) RecoverEtcd(ctx context.Context, order RecoverOrder) (steps int, err error) {
	begin := time.Now()
	steps, err = s.recoverEtcd(ctx, order)
	s.finish(ctx, begin, steps, err)
	return steps, err
}

func (s *Session) recoverEtcd(ctx context.Context, order RecoverOrder) (int, error) {
	defer s.release(ctx)
	made, seen, err := s.plannedRecovery(ctx, order)
	if err == nil {
		// From here on nobody else changes what a person is asked about, and what the plan is of.
		if err = s.take(ctx, seen); err == nil {
			made, seen, err = s.plannedRecovery(ctx, order)
		}
	}
	undone := 0
	if err == nil && made.Again {
		if undone, err = s.carryOut(ctx, made, seen); err == nil {
			made, seen, err = s.plannedAnew(ctx, order)
		}
	}
	if err == nil && !made.Half { // one that is finished was agreed to before
		err = s.agreeAndKeep(ctx, order, made.Loss)
	}
	if err != nil {
		return undone, err
	}
	done, err := s.carryOut(ctx, made, seen)
	return undone + done, err
}

// agreeAndKeep asks, and then has the survivor's data kept here.
func (s *Session) agreeAndKeep(ctx context.Context, order RecoverOrder, loss plan.Loss) error {
	if err := order.Confirm(ctx, loss); err != nil {
		return err
	}
	return order.Keep(ctx, func(ctx context.Context, w io.Writer) error { return s.snapshot(ctx, order.From, w) })
}

// plannedAnew is for when one that had only begun was undone.
func (s *Session) plannedAnew(ctx context.Context, order RecoverOrder) (plan.Recovery, facts.Facts, error) {
	made, seen, err := s.plannedRecovery(ctx, order)
	if err == nil && made.Again {
		err = errors.New("an earlier recovery was undone, and its mark is there again")
	}
	return made, seen, err
}

func (s *Session) carryOut(ctx context.Context, made plan.Recovery, seen facts.Facts) (int, error) {
	s.announce(made.Plan)
	done, errs := s.apply(ctx, made.Plan, seen)
	return done, errors.Join(append(errs, ctx.Err())...)
}

func (s *Session) plannedRecovery(ctx context.Context, order RecoverOrder) (plan.Recovery, facts.Facts, error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return plan.Recovery{}, seen, err
	}
	made, err := plan.MakeRecovery(s.wish, seen, order.From)
	if err != nil {
		err = &event.StepError{Host: order.From, Step: plan.StepID(order.From, "recover"), Title: "recover etcd", Err: err}
	}
	return made, seen, err
}

// snapshot takes one of the member of a host.
func (s *Session) snapshot(ctx context.Context, host string, w io.Writer) error {
	client, err := s.etcdOf(ctx, host)
	if err != nil {
		return err
	}
	info, err := client.Snapshot(ctx, w)
	if err == nil {
		s.log.Info("snapshot of etcd", "host", host, "bytes", info.Size, "revision", info.Revision, "version", info.Version)
	}
	return err
}

// etcdOf asks the member of a host.
func (s *Session) etcdOf(ctx context.Context, name string) (*etcd.Client, error) {
	host, known := s.wish.Cluster.Host(name)
	if !known {
		return nil, fmt.Errorf("host %s is not in the inventory", name)
	}
	connection, err := s.connections.Host(ctx, name)
	if err != nil {
		return nil, err
	}
	return etcd.Through(ctx, connection, host.Address)
}

// EtcdMember is a member of the cluster's etcd, with all that it says of itself.
type EtcdMember struct {
	etcd.Seen
	Host string // of the inventory; empty for a member that none has
	Lead bool
}

// Etcd is what the cluster's etcd says of itself.
type Etcd struct {
	Via      string // the host whose member was asked
	NoQuorum bool
	Members  []EtcdMember
}

// Etcd asks the first control plane whose member answers. Nothing is changed.
func (s *Session) Etcd(ctx context.Context) (Etcd, error) {
	var errs []error
	var lone *Etcd // one that knows of no quorum: another may
	for _, host := range s.wish.Cluster.ControlPlane.Hosts {
		found, err := s.askEtcd(ctx, host.Name)
		switch {
		case err != nil:
			errs = append(errs, &event.StepError{Host: host.Name, Step: plan.StepID(host.Name, "etcd"), Title: "ask etcd", Err: err})
		case !found.NoQuorum:
			return found, nil
		case lone == nil:
			lone = &found
		}
		if ctx.Err() != nil {
			return Etcd{}, ctx.Err()
		}
	}
	if lone != nil {
		return *lone, nil
	}
	return Etcd{}, errors.Join(errs...)
}

func (s *Session) askEtcd(ctx context.Context, host string) (Etcd, error) {
	client, err := s.etcdOf(ctx, host)
	if err != nil {
		return Etcd{}, err
	}
	all, quorum, err := client.Survey(ctx)
	if err != nil {
		return Etcd{}, err
	}
	found := Etcd{Via: host, NoQuorum: !quorum}
	for _, seen := range all {
		member := EtcdMember{Seen: seen, Lead: seen.Leads()}
		for _, host := range s.wish.Cluster.ControlPlane.Hosts {
			if slices.Contains(seen.PeerURLs, templates.EtcdPeerURL(host.Address)) {
				member.Host = host.Name
			}
		}
		found.Members = append(found.Members, member)
	}
	return found, nil
}
