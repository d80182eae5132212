package templates

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory/nearest"
)

// FieldProblem says what is wrong with one field of the overrides.
type FieldProblem struct {
	// Path leads to the field: the kind, then field names and map keys; a list
	// element is its index from 0 in decimal.
	Path []string
	// Message says what is wrong and, where it is known, what to write instead.
	Message string
}

// Error gives the path joined by dots, and the message.
func (p FieldProblem) Error() string { return strings.Join(p.Path, ".") + ": " + p.Message }

// CheckOverrides compares overrides with the upstream types and returns every
// problem: unknown kinds and fields, values of a wrong type, a wrong apiVersion
// or kind, and fields that fairlead owns. Problems are ordered by path as it is
// walked with sorted names. No problem means that Init and JoinConfig accept the
// overrides; kubeadm may still refuse a value.
func CheckOverrides(o Overrides) []FieldProblem {
	c := &checker{}
	names := make([]string, 0, len(kinds()))
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	for _, name := range sortedKeys(o) {
		i := slices.Index(names, name)
		if i < 0 {
			c.report([]string{name}, "unknown kind%s; known are %s", didYouMean(name, names), strings.Join(names, ", "))
			continue
		}
		c.document(kinds()[i], o[name])
	}
	return c.problems
}

// checker walks values beside the upstream types and gathers problems.
type checker struct {
	owned    map[string]string // of the document that is walked
	problems []FieldProblem
}

func (c *checker) report(path []string, format string, args ...any) {
	c.problems = append(c.problems, FieldProblem{Path: slices.Clone(path), Message: fmt.Sprintf(format, args...)})
}

func (c *checker) document(k kind, fields map[string]any) {
	c.owned = ownedFields()[k.name]
	rest := map[string]any{}
	for _, key := range sortedKeys(fields) {
		want := map[string]string{"apiVersion": k.apiVersion, "kind": k.name}[key]
		switch {
		case want == "":
			rest[key] = fields[key]
		case fields[key] != want:
			c.report([]string{k.name, key}, "must be %s, or left out", want)
		}
	}
	c.structure(k.typ, rest, []string{k.name})
}

// value checks v against the type t.
func (c *checker) value(t reflect.Type, v any, path []string) {
	if v == nil {
		return // null removes what fairlead wrote
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if decodesItself(t) {
		c.custom(t, v, path)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.structure(t, v, path)
	case reflect.Map:
		c.mapping(t, v, path)
	case reflect.Slice:
		c.list(t, v, path)
	default:
		if !fits(t, v) {
			c.mismatch(typeName(t), v, path)
		}
	}
}

func (c *checker) structure(t reflect.Type, v any, path []string) {
	fields, ok := v.(map[string]any)
	if !ok {
		c.mismatch("a map", v, path)
		return
	}
	known := fieldTypes(t)
	for _, key := range sortedKeys(fields) {
		at := append(slices.Clone(path), key)
		if reason, ok := c.owned[strings.Join(at[1:], ".")]; ok {
			c.report(at, "%s", reason)
			continue
		}
		field, ok := known[key]
		if !ok {
			c.report(at, "unknown field%s%s", didYouMean(key, sortedKeys(known)), c.home(at))
			continue
		}
		c.value(field, fields[key], at)
	}
}

// home names the kinds that have a field which was written at the top of another.
func (c *checker) home(path []string) string {
	if len(path) != 2 {
		return ""
	}
	var homes []string
	for _, k := range kinds() {
		if _, ok := fieldTypes(k.typ)[path[1]]; ok {
			homes = append(homes, k.name)
		}
	}
	if len(homes) == 0 {
		return ""
	}
	return "; it is a field of " + strings.Join(homes, " and of ")
}

func (c *checker) mapping(t reflect.Type, v any, path []string) {
	entries, ok := v.(map[string]any)
	if !ok {
		c.mismatch("a map", v, path)
		return
	}
	for _, key := range sortedKeys(entries) {
		c.value(t.Elem(), entries[key], append(slices.Clone(path), key))
	}
}

func (c *checker) list(t reflect.Type, v any, path []string) {
	elements, ok := v.([]any)
	if !ok {
		c.mismatch("a list", v, path)
		return
	}
	for i, element := range elements {
		at := append(slices.Clone(path), strconv.Itoa(i))
		if element == nil {
			c.report(at, "the list element is empty")
			continue
		}
		c.value(t.Elem(), element, at)
		c.kubeletArg(element, at)
	}
}

// kubeletArg refuses the kubelet flags that fairlead sets.
func (c *checker) kubeletArg(element any, path []string) {
	if path[len(path)-2] != "kubeletExtraArgs" {
		return
	}
	name, _ := nameOf(element).(string)
	if reason, ok := ownedKubeletArgs()[name]; ok {
		c.report(path, "%s", reason)
	}
}

func (c *checker) mismatch(want string, v any, path []string) {
	hint := ""
	if want == "a string" {
		if _, scalar := scalarKind(v); scalar {
			hint = "; put it in quotes"
		}
	}
	c.report(path, "must be %s, not %s%s", want, describe(v), hint)
}

func didYouMean(word string, candidates []string) string {
	if near := nearest.Word(word, candidates); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	return ""
}
