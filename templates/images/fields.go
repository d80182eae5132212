package images

import (
	"fmt"
	"strings"
)

// Field names a field of objects whose value is an image, as kustomize's field specs do: the path
// has / between its keys (a / in a key is \/), goes through lists by itself, with or without [],
// and * stands for any key. An empty group, version or kind is any.
type Field struct{ Group, Version, Kind, Path string }

// String is the field as the inventory has it.
func (f Field) String() string {
	var known []string
	for _, part := range [][2]string{{"group", f.Group}, {"version", f.Version}, {"kind", f.Kind}, {"path", f.Path}} {
		if part[1] != "" {
			known = append(known, part[0]+": "+part[1])
		}
	}
	return "{" + strings.Join(known, ", ") + "}"
}

// fieldPath are the keys of a path.
func fieldPath(path string) []string {
	const slash = "\x00"
	var keys []string
	for key := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(path, "/"), `\/`, slash), "/") {
		if key = strings.TrimSuffix(key, "[]"); key != "" {
			keys = append(keys, strings.ReplaceAll(key, slash, "/"))
		}
	}
	return keys
}

// names says that the field is at a place of an object.
func (f Field) names(o object, at place) bool {
	group, version, hasGroup := strings.Cut(o.apiVersion, "/")
	if !hasGroup {
		group, version = "", o.apiVersion
	}
	if f.Group != "" && f.Group != group || f.Version != "" && f.Version != version || f.Kind != "" && f.Kind != o.kind {
		return false
	}
	keys := fieldPath(f.Path)
	if len(keys) != len(at.keys) {
		return false
	}
	for i, key := range keys {
		if key != "*" && key != at.keys[i] {
			return false
		}
	}
	return true
}

// asField is a field that names the place of a use.
func (u use) asField() Field {
	keys := make([]string, len(u.at.keys))
	for i, key := range u.at.keys {
		keys[i] = strings.ReplaceAll(key, "/", `\/`)
	}
	return Field{Kind: u.object.kind, Path: strings.Join(keys, "/")}
}

// named says that one of the fields is where the use is, or the mapping of which it is a part.
func (o Options) named(u use) bool {
	for _, field := range o.Fields {
		if field.names(u.object, u.at) || u.parts != nil && field.names(u.object, u.parts.at) {
			return true
		}
	}
	return false
}

// errNoImage says what a field would have to hold.
func errNoImage(value string) error {
	return fmt.Errorf("images.extra names this field, and %q is no image: want registry/repository:tag, a text that holds such, or repository and tag in fields of their own", value)
}
