package apply

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"fairlead/provision/etcd"
	"fairlead/provision/kube"
	"fairlead/provision/object"
	"fairlead/provision/plan"
)

// drainPatience is how long a node may take to drain before reset goes on without.
const drainPatience = 5 * time.Minute

// forcePatience is how long pods may take to end that are deleted past their budgets, and detachPatience how long it may take until
// a machine that is off has nothing any more: the attach-detach controller alone may wait six minutes where it is not told.
const (
	forcePatience  = 2 * time.Minute
	detachPatience = 7 * time.Minute
)

func (s *stepRun) drainNode(ctx context.Context, a plan.DrainNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	limit := cmp.Or(a.Limit, drainPatience)
	if a.Force > 0 {
		limit = max(limit, a.Force+forcePatience)
	}
	return client.Drain(ctx, a.Name, kube.DrainOptions{Timeout: limit, Force: a.Force, Report: s.waiting})
}

func (s *stepRun) deleteNode(ctx context.Context, a plan.DeleteNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.DeleteNode(ctx, a.Name)
}

func (s *stepRun) forgetNode(ctx context.Context, a plan.ForgetNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.ForgetNode(ctx, a.Name)
}

func (s *stepRun) awaitDetached(ctx context.Context, a plan.AwaitDetached) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, detachPatience)
	defer cancel()
	return client.WaitDetached(ctx, a.Name, s.waiting)
}

func (s *stepRun) markRemoved(ctx context.Context, a plan.MarkRemoved) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	removed := object.Removed{Node: a.Node, MachineID: a.MachineID, Since: time.Now().UTC().Truncate(time.Second)}
	if a.Address.IsValid() {
		removed.Address = a.Address.String()
	}
	if a.ControlPlane {
		err = s.withEtcd(ctx, a.Member, func(ctx context.Context, etcd *etcd.Client) (err error) {
			removed.Member, err = etcd.Member(ctx, leaving(a.Member))
			return err
		})
	}
	if err != nil {
		return err
	}
	return client.MarkRemoved(ctx, removed)
}

func (s *stepRun) forgetRemoved(ctx context.Context, a plan.ForgetRemoved) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.ForgetRemoved(ctx, a.Node)
}

func (s *stepRun) checkQuorum(ctx context.Context, a plan.CheckQuorum) error {
	return s.withEtcd(ctx, a.Member, func(ctx context.Context, etcd *etcd.Client) error { return etcd.CheckLeaving(ctx, leaving(a.Member)) })
}

func (s *stepRun) removeMember(ctx context.Context, a plan.RemoveMember) error {
	return s.withEtcd(ctx, a.Member, func(ctx context.Context, etcd *etcd.Client) error {
		removed, err := etcd.RemoveLeaving(ctx, leaving(a.Member))
		if removed {
			s.waiting("removed the etcd member of " + a.Node)
		}
		return err
	})
}

func leaving(m plan.Member) etcd.Leaving {
	return etcd.Leaving{Name: m.Node, PeerURL: m.PeerURL(), Dead: m.Dead}
}

// withEtcd does something with the etcd of a control plane that stays.
func (s *stepRun) withEtcd(ctx context.Context, m plan.Member, do func(context.Context, *etcd.Client) error) error {
	client, via, err := s.etcd(ctx, m.Address)
	if err != nil {
		return err
	}
	if via.Name() == m.Host {
		return fmt.Errorf("no control plane answers but that of %s, which is to leave", m.Host)
	}
	ctx, cancel := context.WithTimeout(ctx, etcdPatience)
	defer cancel()
	if err := do(ctx, client); err != nil {
		return fmt.Errorf("through %s: %w", via.Name(), err)
	}
	return nil
}
