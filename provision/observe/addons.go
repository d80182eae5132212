package observe

import (
	"context"
	"maps"
	"slices"
	"sync"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/object"

	"golang.org/x/sync/errgroup"
)

// parallelReads bounds how many objects are read at the same time.
const parallelReads = 8

// readAddons reads the live add-on objects, the record of what was applied, and what is left
// of sets and objects that are wished for no longer.
func (o *Observer) readAddons(ctx context.Context, client *kube.Client, api *facts.API) error {
	var err error
	if api.Applied, err = client.Applied(ctx); err != nil {
		return err
	}
	if err := o.readServing(ctx, client, api); err != nil {
		return err
	}
	var mu sync.Mutex
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	wished := map[string]bool{}
	for _, set := range o.wish.Addons {
		for _, item := range set.Objects {
			wished[object.Key(item)] = true
			group.Go(func() error {
				live, exists, err := client.Look(reading, item)
				if err != nil || !exists {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				api.Objects[object.Key(item)] = live
				if reason := object.Unready(live.Object); reason != "" {
					api.Unready[object.Key(item)] = reason
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return o.readStrays(ctx, client, wished, api)
}

// readStrays looks for recorded objects that are in no set any more.
func (o *Observer) readStrays(ctx context.Context, client *kube.Client, wished map[string]bool, api *facts.API) error {
	for _, set := range slices.Sorted(maps.Keys(api.Applied)) {
		for _, item := range api.Applied[set] {
			if wished[object.Key(item.Object())] {
				continue
			}
			live, exists, err := client.Look(ctx, item.Object())
			if err != nil {
				return err
			}
			if exists && (object.Owner{Label: object.LabelAddon, Value: set}).Owns(live.Object) {
				api.Orphans[set] = append(api.Orphans[set], item)
			}
		}
	}
	return nil
}

// readServing reads what concerns the kubelets' serving certificates.
func (o *Observer) readServing(ctx context.Context, client *kube.Client, api *facts.API) error {
	if !desired.VerifiedMetrics(o.wish.Cluster) {
		return nil
	}
	var err error
	api.Serving, err = client.ServingRequests(ctx)
	return err
}
