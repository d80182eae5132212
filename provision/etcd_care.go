package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"fairlead/provision/etcd"
	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// EtcdSnapshot writes a snapshot of the member that answers first, or of the one of a host, and proves that it is whole: an error says
// that what was written is not to be used. It needs no quorum.
func (s *Session) EtcdSnapshot(ctx context.Context, host string, w io.Writer) (etcd.SnapshotInfo, error) {
	found := Etcd{Via: host}
	if host == "" {
		var err error
		if found, err = s.Etcd(ctx); err != nil {
			return etcd.SnapshotInfo{}, err
		}
	}
	client, err := s.etcdOf(ctx, found.Via)
	var info etcd.SnapshotInfo
	if err == nil {
		info, err = client.Snapshot(ctx, w)
	}
	if err != nil {
		err = &event.StepError{Host: found.Via, Step: plan.StepID(found.Via, "snapshot"), Title: "take a snapshot of etcd", Err: err}
	}
	return info, err
}

// DefragmentEtcd has one member after another give free space back, the leader last, and takes back the alarms of those that had none. A
// member serves nobody meanwhile, so that the others have to be well. It tells of each member before and after.
func (s *Session) DefragmentEtcd(ctx context.Context, tell func(before, after EtcdMember)) error {
	defer s.release(ctx)
	seen, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	if err := s.take(ctx, seen); err != nil {
		return err
	}
	found, err := s.Etcd(ctx)
	if err != nil {
		return err
	}
	if err := found.canSpareOne(); err != nil {
		return err
	}
	client, err := s.etcdOf(ctx, found.Via)
	if err != nil {
		return err
	}
	members := slices.Clone(found.Members)
	slices.SortStableFunc(members, func(a, b EtcdMember) int { return cmp.Compare(btoi(a.Lead), btoi(b.Lead)) })
	for _, m := range members {
		after, err := s.defragment(ctx, client, m)
		if err != nil {
			return &event.StepError{Host: m.Host, Step: plan.StepID(m.Host, "defragment"), Title: "defragment etcd", Err: err}
		}
		tell(m, after)
	}
	return nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// canSpareOne says why no member may stop serving for a while.
func (e Etcd) canSpareOne() error {
	if e.NoQuorum {
		return errors.New("etcd has no quorum: nothing was changed")
	}
	for _, m := range e.Members {
		full := m.Status != nil && slices.Contains(m.Status.Alarms, "NOSPACE") // which is why one defragments
		if !m.Healthy && !full {
			return fmt.Errorf("the etcd member %s is not well: while another one is defragmented the rest may have no quorum; nothing was changed", cmp.Or(m.Name, m.Number()))
		}
	}
	return nil
}

func (s *Session) defragment(ctx context.Context, client *etcd.Client, m EtcdMember) (EtcdMember, error) {
	if err := client.Defragment(ctx, m.Member); err != nil {
		return m, err
	}
	if m.Status != nil && slices.Contains(m.Status.Alarms, "NOSPACE") {
		if err := client.Disarm(ctx, m.Member, "NOSPACE"); err != nil {
			return m, err
		}
	}
	now := client.Look(ctx, []etcd.Member{m.Member})[0]
	if !now.Healthy {
		return m, errors.New("it was defragmented and is not healthy; the others were left alone")
	}
	return EtcdMember{Seen: now, Host: m.Host, Lead: m.Lead}, nil
}
