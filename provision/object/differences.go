package object

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Differences returns the paths of the fields in want whose live value differs, sorted, for
// example "spec.template.spec.containers[name=flannel].image". Both are objects as decoded
// from JSON or YAML. No value is part of a path.
//
// Fields that only live has are left alone: the API server's defaults, status, what other
// writers own. A field of want that is empty (null, "", 0, false, {}, []) equals an absent one,
// as the API server drops such fields. Lists of objects that Kubernetes merges by a key are
// compared by that key; other lists are one value, so that one item more is a difference.
// Quantities compare by amount, a number equals the text that spells it, and a Secret's
// stringData is compared as the data it becomes.
func Differences(want, live map[string]any) []string {
	want = maps.Clone(want)
	delete(want, "status") // written by controllers, ignored by the API server on apply
	encodeStringData(want)
	var d differences
	d.compareMaps("", want, live, false)
	slices.Sort(d.paths)
	return slices.Compact(d.paths)
}

// differences collects paths. quantity says that the compared values are resource quantities.
type differences struct{ paths []string }

func (d *differences) compare(path string, want, live any, quantity bool) {
	if empty(want) && empty(live) {
		return
	}
	switch want := want.(type) {
	case map[string]any:
		if liveMap, ok := live.(map[string]any); ok {
			d.compareMaps(path, want, liveMap, quantity)
			return
		}
	case []any:
		if liveList, ok := live.([]any); ok {
			d.compareLists(path, want, liveList, quantity)
			return
		}
	default:
		if sameScalar(want, live) || (quantity && sameQuantity(want, live)) {
			return
		}
	}
	d.paths = append(d.paths, path)
}

func (d *differences) compareMaps(path string, want, live map[string]any, quantity bool) {
	for key, value := range want {
		at := key
		switch {
		case strings.ContainsAny(key, "./"):
			at = path + "[" + key + "]"
		case path != "":
			at = path + "." + key
		}
		d.compare(at, value, live[key], quantity || holdsQuantities(key))
	}
}

func (d *differences) compareLists(path string, want, live []any, quantity bool) {
	field := path[strings.LastIndexByte(path, '.')+1:]
	if field == "finalizers" {
		d.compareSets(path, want, live)
		return
	}
	for _, keys := range mergeKeys(field) {
		wantItems, ok := byKey(want, keys)
		if !ok {
			continue
		}
		liveItems, ok := byKey(live, keys)
		if !ok {
			continue
		}
		for key, item := range wantItems {
			d.compare(path+"["+key+"]", item, liveItems[key], quantity)
		}
		return
	}
	if len(want) != len(live) {
		d.paths = append(d.paths, path)
		return
	}
	for i := range want {
		d.compare(path+"["+strconv.Itoa(i)+"]", want[i], live[i], quantity)
	}
}

func (d *differences) compareSets(path string, want, live []any) {
	for _, item := range want {
		if !slices.ContainsFunc(live, func(other any) bool { return sameScalar(item, other) }) {
			d.paths = append(d.paths, path)
			return
		}
	}
}

// mergeKeys returns the sets of fields that tell the items of a list apart, as the API types
// of k8s.io/api declare them (+listMapKey, patchMergeKey). Lists that are not named here are
// atomic in the API.
func mergeKeys(field string) [][]string {
	switch field {
	case "containers", "initContainers", "ephemeralContainers", "volumes", "env", "imagePullSecrets",
		"secrets", "claims", "resourceClaims", "webhooks", "validations", "matchConditions":
		return [][]string{{"name"}}
	case "ports":
		return [][]string{{"containerPort", "protocol"}, {"port", "protocol"}}
	case "volumeMounts":
		return [][]string{{"mountPath"}}
	case "volumeDevices":
		return [][]string{{"devicePath"}}
	case "hostAliases":
		return [][]string{{"ip"}}
	case "topologySpreadConstraints":
		return [][]string{{"topologyKey", "whenUnsatisfiable"}}
	case "ownerReferences":
		return [][]string{{"uid"}}
	case "conditions":
		return [][]string{{"type"}}
	}
	return nil
}

// byKey indexes a list's items by the values of their key fields, in the form they have in a
// path. It fails if an item is no object, lacks a key field, or equals another in all of them.
func byKey(list []any, keys []string) (map[string]any, bool) {
	items := make(map[string]any, len(list))
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		parts := make([]string, len(keys))
		for i, key := range keys {
			value, ok := scalarText(object[key])
			if !ok && key == "protocol" {
				value, ok = "TCP", true // the API server's default
			}
			if !ok {
				return nil, false
			}
			parts[i] = key + "=" + value
		}
		name := strings.Join(parts, ",")
		if _, twice := items[name]; twice {
			return nil, false
		}
		items[name] = object
	}
	return items, true
}

// encodeStringData does to a Secret what the API server does when it is written: the texts of
// stringData become part of data. want is changed, its maps are not.
func encodeStringData(want map[string]any) {
	texts, ok := want["stringData"].(map[string]any)
	if !ok || want["kind"] != "Secret" {
		return
	}
	data, _ := want["data"].(map[string]any)
	encoded := make(map[string]any, len(data)+len(texts))
	maps.Copy(encoded, data)
	for key, value := range texts {
		if text, ok := value.(string); ok {
			value = base64.StdEncoding.EncodeToString([]byte(text))
		}
		encoded[key] = value
	}
	want["data"] = encoded
	delete(want, "stringData")
}
