package apply

import (
	"context"
	"fmt"
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
	if err := client.Drain(ctx, a.Name, kube.DrainOptions{Timeout: drainPatience, Report: s.waiting}); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

func (s *stepRun) deleteNode(ctx context.Context, a plan.DeleteNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	if err := client.DeleteNode(ctx, a.Name); err != nil {
		return fmt.Errorf("delete node: %w", err)
	}
	return nil
}
