package apply

import (
	"context"
	"time"

	"fairlead/provision/object"
	"fairlead/provision/plan"
)

// objectPatience is how long an add-on may take to become ready: its images may have to be
// pulled first. It is as well how long an object may take to be gone.
const objectPatience = 5 * time.Minute

func (s *stepRun) applyObject(ctx context.Context, a plan.ApplyObject) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	if !a.Replace {
		return client.Apply(ctx, a.Object)
	}
	ctx, cancel := context.WithTimeout(ctx, objectPatience)
	defer cancel()
	return client.Replace(ctx, a.Object, s.waiting)
}

func (s *stepRun) awaitObject(ctx context.Context, a plan.AwaitObject) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, objectPatience)
	defer cancel()
	return client.WaitObject(ctx, a.Object, s.waiting)
}

func (s *stepRun) recordApplied(ctx context.Context, a plan.RecordApplied) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.RecordApplied(ctx, a.Set, a.Objects)
}

func (s *stepRun) pruneObjects(ctx context.Context, a plan.PruneObjects) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, objectPatience)
	defer cancel()
	for _, item := range a.Objects {
		kept, err := client.Prune(ctx, item, object.Owner{Label: object.LabelAddon, Value: a.Set}, s.waiting)
		if err != nil {
			return err
		}
		if kept != "" {
			s.output(object.Key(item.Object()) + " stays: " + kept)
		}
	}
	return nil
}
