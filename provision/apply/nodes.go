package apply

import (
	"context"
	"time"

	"fairlead/provision/kube"
	"fairlead/provision/plan"
)

// drainPatience is how long a node may take to drain before reset goes on without.
const drainPatience = 5 * time.Minute

func (s *stepRun) drainNode(ctx context.Context, a plan.DrainNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.Drain(ctx, a.Name, kube.DrainOptions{Timeout: drainPatience, Report: s.waiting})
}

func (s *stepRun) deleteNode(ctx context.Context, a plan.DeleteNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.DeleteNode(ctx, a.Name)
}
