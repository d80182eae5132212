package object

import (
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
