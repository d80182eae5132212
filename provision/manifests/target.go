package manifests

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
)

// matches says that some object is a patch's target. kustomize itself passes over patches
// whose target is not there. Names, namespaces and kinds are regular expressions to it, for the
// whole of the value, and an object without a namespace is in the default one.
func matches(target types.Selector, objects []map[string]any) bool {
	for _, object := range objects {
		metadata, _ := object["metadata"].(map[string]any)
		apiVersion, _ := object["apiVersion"].(string)
		group, version, grouped := strings.Cut(apiVersion, "/")
		if !grouped {
			group, version = "", apiVersion
		}
		kind, _ := object["kind"].(string)
		named, _ := metadata["namespace"].(string)
		namespace := resid.NewResIdWithNamespace(resid.NewGvk(group, version, kind), "", named).EffectiveNamespace()
		if fits(target.Group, group) && fits(target.Version, version) && fits(target.Kind, kind) &&
			fits(target.Name, metadata["name"]) && fits(target.Namespace, namespace) &&
			selects(target.LabelSelector, metadata["labels"]) && selects(target.AnnotationSelector, metadata["annotations"]) {
			return true
		}
	}
	return false
}

func fits(pattern string, value any) bool {
	if pattern == "" {
		return true
	}
	text, _ := value.(string)
	matched, err := regexp.MatchString("^(?:"+pattern+")$", text)
	return matched || err != nil // kustomize reports a bad pattern
}

func selects(selector string, value any) bool {
	if selector == "" {
		return true
	}
	parsed, err := labels.Parse(selector)
	if err != nil {
		return true // kustomize reports it
	}
	fields, _ := value.(map[string]any)
	set := labels.Set{}
	for key, text := range fields {
		set[key], _ = text.(string)
	}
	return parsed.Matches(set)
}
