package apply

import (
	"context"
	"fmt"
	"time"

	"fairlead/provision/etcd"
	"fairlead/provision/plan"
)

// etcdPatience is how long it may take to look at etcd's members and to remove one.
const etcdPatience = time.Minute

// removeFormerMember asks the etcd of the control plane that the API server is reached through.
func (s *stepRun) removeFormerMember(ctx context.Context, a plan.RemoveFormerMember) error {
	_, via, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	client, err := etcd.Through(ctx, via, a.Address)
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
