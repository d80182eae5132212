package templates

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/util/json"
)

// SettingChange is one field in which two documents differ.
type SettingChange struct {
	Path string // controllerManager.extraArgs[horizontal-pod-autoscaler-sync-period]
	From string // as JSON; empty where the field is not there
	To   string // the same
}

// String is for people: "maxPods is 110, want 200".
func (c SettingChange) String() string {
	from, to := c.From, ", want "+c.To
	if from == "" {
		from = "absent"
	}
	if c.To == "" {
		to = " and no longer wanted"
	}
	return fmt.Sprintf("%s is %s%s", c.Path, from, to)
}

// SettingChanges are the fields in which two documents differ, in order of their paths. What
// is empty equals what is absent. Lists of objects with names are compared by name.
func SettingChanges(from, to Fields) []SettingChange {
	var changes []SettingChange
	compareSettings("", from, to, &changes)
	return changes
}

func compareSettings(path string, from, to any, changes *[]SettingChange) {
	if nothing(from) && nothing(to) || reflect.DeepEqual(from, to) {
		return
	}
	fromFields, toFields, ok := bothFields(from, to)
	if !ok {
		*changes = append(*changes, SettingChange{Path: path, From: settingText(from), To: settingText(to)})
		return
	}
	keys := maps.Clone(fromFields)
	if keys == nil {
		keys = Fields{}
	}
	maps.Copy(keys, toFields)
	_, list := from.([]any)
	if !list {
		_, list = to.([]any)
	}
	for _, key := range sortedKeys(keys) {
		at := key
		switch {
		case list:
			at = path + "[" + key + "]"
		case path != "":
			at = path + "." + key
		}
		compareSettings(at, fromFields[key], toFields[key], changes)
	}
}

// bothFields gives both values as fields, if that is how they are to be compared: objects,
// and lists of objects with names.
func bothFields(from, to any) (a, b Fields, ok bool) {
	a, okA := byName(from)
	b, okB := byName(to)
	return a, b, okA && okB && (from != nil || to != nil)
}

// byName gives an object as it is, and a list of objects with names by these: what kubeadm
// calls Arg is then its value, and of a name that stands there more than once all values.
func byName(value any) (Fields, bool) {
	switch value := value.(type) {
	case nil:
		return nil, true
	case Fields:
		return value, true
	case []any:
		if len(value) > 0 && !Named(value) {
			return nil, false
		}
		out := Fields{}
		for _, item := range value {
			fields, _ := item.(Fields)
			var content any = fields
			if is, isArg := fields["value"]; isArg && len(fields) == 2 {
				content = is
			}
			name := fmt.Sprint(fields["name"])
			if earlier, twice := out[name]; twice {
				all, isList := earlier.([]any)
				if !isList {
					all = []any{earlier}
				}
				content = append(slices.Clone(all), content)
			}
			out[name] = content
		}
		return out, true
	}
	return nil, false
}

// nothing says that a value is that of a field that is not there.
func nothing(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case Fields:
		return !slices.ContainsFunc(slices.Collect(maps.Values(value)), func(v any) bool { return !nothing(v) })
	case []any:
		return len(value) == 0
	case string:
		return value == ""
	}
	return false
}

func settingText(value any) string {
	if value == nil {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
