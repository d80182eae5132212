package apply

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"fairlead/provision/etcd"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

// etcdPatience is how long it may take to look at etcd's members and to remove one.
const etcdPatience = time.Minute

// removeFormerMember asks the etcd of the control plane that the API server is reached through.
func (s *stepRun) removeFormerMember(ctx context.Context, a plan.RemoveFormerMember) error {
	client, via, err := s.etcd(ctx, a.Address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, etcdPatience)
	defer cancel()
	removed, err := client.RemoveFormer(ctx, a.Node, a.PeerURL())
	if err != nil {
		return fmt.Errorf("through %s: %w", via.Name(), err)
	}
	if removed {
		s.waiting("removed the etcd member that a former " + a.Node + " has left")
	}
	return nil
}

// etcd is a client of the etcd of the control plane that the API server is reached through; address is one of the cluster's.
func (s *stepRun) etcd(ctx context.Context, address netip.Addr) (*etcd.Client, *remote.Host, error) {
	_, via, err := s.connections.API(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, err := etcd.Through(ctx, via, address)
	return client, via, err
}
