package apply

import (
	"context"
	"time"

	"fairlead/provision/plan"
)

// servingPatience is how long a kubelet may take to ask for its serving certificate and to
// get it: it asks once its node has addresses.
const servingPatience = 2 * time.Minute

func (s *stepRun) approveServing(ctx context.Context, a plan.ApproveServing) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, servingPatience)
	defer cancel()
	return client.WaitServing(ctx, a.Identity, s.waiting)
}
