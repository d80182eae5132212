package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Live is an object in the cluster.
type Live struct {
	// Object is without its managed fields.
	Object map[string]any
	// Yielded are the paths of fields that another controller writes through a subresource
	// made for that, such as the replicas that an autoscaler writes through "scale".
	Yielded [][]string
}

// Look returns the live object that has the apiVersion, kind, namespace and name of object,
// and whether it exists. It does not where the cluster does not know the kind.
func (c *Client) Look(ctx context.Context, object map[string]any) (Live, bool, error) {
	u, err := c.get(ctx, object)
	if err != nil || u == nil {
		return Live{}, false, err
	}
	live := Live{}
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

// Yield is want without the fields that others write. want stays as it is.
func Yield(want map[string]any, yielded [][]string) map[string]any {
	if len(yielded) == 0 {
		return want
	}
	u := (&unstructured.Unstructured{Object: want}).DeepCopy()
	for _, path := range yielded {
		unstructured.RemoveNestedField(u.Object, path...)
	}
	return u.Object
}

// Immutable says that an object with differences in these paths cannot be changed, only be made
// anew: a Job's pods are fixed when it is made (pkg/apis/batch/validation ValidateJobUpdate).
func Immutable(object map[string]any, paths []string) bool {
	if object["kind"] != "Job" {
		return false
	}
	mutable := []string{"spec.parallelism", "spec.suspend", "spec.activeDeadlineSeconds", "spec.backoffLimit", "spec.ttlSecondsAfterFinished"}
	return slices.ContainsFunc(paths, func(path string) bool {
		return strings.HasPrefix(path, "spec.") && !slices.Contains(mutable, path)
	})
}

// DeletesItself says that an object goes away when it has done its work.
func DeletesItself(object map[string]any) bool {
	_, limited, err := unstructured.NestedFieldNoCopy(object, "spec", "ttlSecondsAfterFinished")
	return object["kind"] == "Job" && limited && err == nil
}
