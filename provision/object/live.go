package object

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Live is an object in the cluster.
type Live struct {
	// Object is without its managed fields.
	Object map[string]any `json:"object,omitzero"`
	// Yielded are the paths of fields that another controller writes through a subresource
	// made for that, such as the replicas that an autoscaler writes through "scale".
	Yielded [][]string `json:"yielded,omitzero"`
	// Withheld are the paths of fields that are not in the JSON from which this was read, because
	// they are secret. Nothing is known of them.
	Withheld [][]string `json:"withheld,omitzero"`
}

// MarshalJSON implements json.Marshaler. It leaves out what a Secret holds.
func (l Live) MarshalJSON() ([]byte, error) {
	if l.Object["kind"] == "Secret" {
		l = l.withoutData()
	}
	type fields Live // without this method
	return json.Marshal(fields(l))
}

// withoutData is a Secret without its data, wherever it stands in it: as it is, as text, and in
// kubectl's copy of the whole.
func (l Live) withoutData() Live {
	u := (&unstructured.Unstructured{Object: l.Object}).DeepCopy()
	l.Withheld = nil
	for _, path := range [][]string{
		{"data"}, {"stringData"}, {"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"},
	} {
		unstructured.RemoveNestedField(u.Object, path...)
		l.Withheld = append(l.Withheld, path)
	}
	l.Object = u.Object
	return l
}

// UnmarshalJSON implements json.Unmarshaler. Whole numbers are int64, as in what an API server
// said.
func (l *Live) UnmarshalJSON(from []byte) error {
	var text struct {
		Object   json.RawMessage `json:"object"`
		Yielded  [][]string      `json:"yielded"`
		Withheld [][]string      `json:"withheld"`
	}
	decoder := json.NewDecoder(bytes.NewReader(from))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&text); err != nil {
		return err
	}
	*l = Live{Yielded: text.Yielded, Withheld: text.Withheld}
	if len(text.Object) == 0 {
		return nil
	}
	return utiljson.Unmarshal(text.Object, &l.Object)
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
