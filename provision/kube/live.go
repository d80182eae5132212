package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/object"
)

// Look returns the live object that has the apiVersion, kind, namespace and name of object,
// and whether it exists. It does not where the cluster does not know the kind.
func (c *Client) Look(ctx context.Context, item map[string]any) (object.Live, bool, error) {
	u, err := c.get(ctx, item)
	if err != nil || u == nil {
		return object.Live{}, false, err
	}
	live := object.Live{}
	for _, entry := range u.GetManagedFields() {
		// A person's kubectl scale is a change like any other, and is put back.
		if entry.Subresource != "scale" || strings.HasPrefix(entry.Manager, "kubectl") || entry.FieldsV1 == nil {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return live, true, fmt.Errorf("read the managed fields of %s: %w", describe(u), err)
		}
		live.Yielded = append(live.Yielded, leaves(nil, fields)...)
	}
	u.SetManagedFields(nil)
	live.Object = u.Object
	return live, true, nil
}

// leaves are the paths of the fields in a set of managed fields (structured-merge-diff: "f:NAME"
// is a field). Items of lists are left out: nothing writes them through a subresource.
func leaves(path []string, fields map[string]any) [][]string {
	var all [][]string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		name, isField := strings.CutPrefix(key, "f:")
		if !isField {
			continue
		}
		below, _ := fields[key].(map[string]any)
		at := append(slices.Clone(path), name)
		if len(below) == 0 {
			all = append(all, at)
			continue
		}
		all = append(all, leaves(at, below)...)
	}
	return all
}
