package plan

import (
	"fmt"
	"maps"
	"strings"

	"fairlead/provision/object"

	"sigs.k8s.io/yaml"
)

// ApplyObject applies one object by server-side apply.
type ApplyObject struct {
	Object map[string]any
	Before map[string]any // the live object, nil when there is none
	// Replace deletes the object first: it differs in what cannot be changed.
	Replace bool
}

// Describe implements Action.
func (a ApplyObject) Describe() string {
	if a.Replace {
		return "delete and apply " + object.Key(a.Object)
	}
	return "apply " + object.Key(a.Object)
}

// Diff implements Differ: of a live object it shows the fields that the wanted one has.
func (a ApplyObject) Diff() (path string, before, after []byte) {
	return object.Key(a.Object), objectText(restrict(a.Object, a.Before)), objectText(a.Object)
}

// restrict is what live has of the fields of want.
func restrict(want, live any) any {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return live
		}
		same := map[string]any{}
		for key, value := range w {
			if is, exists := l[key]; exists {
				same[key] = restrict(value, is)
			}
		}
		return same
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(w) {
			return live
		}
		same := make([]any, len(l))
		for i := range l {
			same[i] = restrict(w[i], l[i])
		}
		return same
	}
	return live
}

// objectText is an object as YAML; what is in a Secret is not shown.
func objectText(object any) []byte {
	fields, ok := object.(map[string]any)
	if !ok || fields == nil {
		return nil
	}
	if fields["kind"] == "Secret" {
		fields = maps.Clone(fields)
		for _, key := range []string{"data", "stringData"} {
			if _, exists := fields[key]; exists {
				fields[key] = "(secret)"
			}
		}
	}
	text, err := yaml.Marshal(fields)
	if err != nil {
		return []byte(err.Error())
	}
	return text
}

// AwaitObject waits until an object is as it should be: rolled out, established, available.
type AwaitObject struct{ Object map[string]any }

// Describe implements Action.
func (a AwaitObject) Describe() string { return "wait for " + object.Key(a.Object) }

// Waits implements Waiter.
func (AwaitObject) Waits() {}

// RecordApplied writes into the cluster which objects a set consists of; none ends the set.
type RecordApplied struct {
	Set     string
	Objects []object.Applied
}

// Describe implements Action.
func (a RecordApplied) Describe() string {
	return fmt.Sprintf("record %s of %s", Counted(len(a.Objects), "object"), a.Set)
}

// PruneObjects deletes objects of a set that are wished for no longer, in the given order.
// What does not bear the set's label is not fairlead's and stays, and so does a namespace
// or a definition of a kind as long as others keep something in it.
type PruneObjects struct {
	Set     string
	Objects []object.Applied
}

// Describe implements Action.
func (a PruneObjects) Describe() string {
	var keys []string
	for _, item := range a.Objects {
		keys = append(keys, object.Key(item.Object()))
	}
	return "delete " + strings.Join(keys, ", ")
}
