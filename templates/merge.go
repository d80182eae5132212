package templates

import (
	"maps"
	"reflect"
	"slices"
)

// Overrides is what a user adds to or changes in the documents that fairlead
// writes: the upstream kind, then fields spelled as upstream spells them, in the
// plain values that a YAML or JSON decoder yields.
//
// Maps are merged field by field. A null removes what fairlead wrote, so that
// the upstream default applies. A list replaces the list of the document, with
// two exceptions:
//   - extraArgs, kubeletExtraArgs, extraEnvs and extraVolumes are merged by
//     name: the entries of a name replace all entries of that name, and come
//     after the others in the given order;
//   - certSANs and ignorePreflightErrors are added to those of the document.
//
// InitConfiguration applies to the first control plane only, JoinConfiguration
// to every node that joins, ClusterConfiguration, KubeletConfiguration and
// KubeProxyConfiguration to the whole cluster.
type Overrides map[string]map[string]any

// mergeFields returns base with over merged over it, as Overrides describes.
// It may reuse parts of both.
func mergeFields(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range over {
		switch value := value.(type) {
		case nil:
			delete(out, key)
		case map[string]any:
			inner, _ := out[key].(map[string]any)
			out[key] = mergeFields(inner, value)
		case []any:
			list, _ := out[key].([]any)
			out[key] = mergeList(key, list, value)
		default:
			out[key] = value
		}
	}
	return out
}

func mergeList(key string, base, over []any) []any {
	switch key {
	case "extraArgs", "kubeletExtraArgs", "extraEnvs", "extraVolumes":
		return mergeNamed(base, over)
	case "certSANs", "ignorePreflightErrors":
		return mergeUnion(base, over)
	default:
		return over
	}
}

func mergeNamed(base, over []any) []any {
	kept := slices.DeleteFunc(slices.Clone(base), func(b any) bool {
		return slices.ContainsFunc(over, func(o any) bool { return nameOf(o) == nameOf(b) })
	})
	return append(kept, over...)
}

func mergeUnion(base, over []any) []any {
	out := slices.Clone(base)
	for _, o := range over {
		if !slices.ContainsFunc(out, func(b any) bool { return reflect.DeepEqual(b, o) }) {
			out = append(out, o)
		}
	}
	return out
}

// nameOf is the name field of a list element, nil when it has none.
func nameOf(element any) any {
	fields, _ := element.(map[string]any)
	return fields["name"]
}
