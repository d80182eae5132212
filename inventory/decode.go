package inventory

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

const (
	// maxNodes bounds how many nodes a file may have once its aliases are followed.
	maxNodes = 200_000
	// maxDepth bounds how deep a file may nest; an alias to its own parent hits it.
	maxDepth = 64
)

// decoder walks YAML nodes and collects every problem it meets.
type decoder struct {
	problems []Problem
	folder   string // what paths in the file are relative to
	ssh      SSH    // the file's top-level ssh over the defaults
	nodes    int    // nodes seen so far
	stopped  bool   // a bound was hit; what follows in the file is not read
	// known records, for each mapping met, the keys it may have.
	known map[string][]string
}

func newDecoder(file string) decoder {
	return decoder{folder: filepath.Dir(file), known: map[string][]string{}}
}

// fault adds a problem at a path.
func (d *decoder) fault(path []string, format string, args ...any) {
	d.problems = append(d.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// faultOn adds a problem at a path that belongs to the line of a node.
func (d *decoder) faultOn(node *yaml.Node, path []string, format string, args ...any) {
	d.problems = append(d.problems, Problem{Path: path, Line: node.Line, Message: fmt.Sprintf(format, args...)})
}

// field reads the value of one key into a T.
type field[T any] struct {
	key      string
	required bool
	read     func(d *decoder, node *yaml.Node, path []string, into *T)
}

// mapping reads a mapping with a fixed set of keys.
func mapping[T any](d *decoder, node *yaml.Node, path []string, into *T, fields []field[T]) {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	d.known[pathPattern(path)] = keys
	entries, ok := d.entries(node, path)
	if !ok {
		return
	}
	given := map[string]bool{}
	for _, e := range entries {
		given[e.key] = true
		i := slices.Index(keys, e.key)
		if i < 0 {
			d.faultOn(e.node, at(path, e.key), "%s", unknownKey(e.key, keys))
			continue
		}
		fields[i].read(d, e.value, at(path, e.key), into)
	}
	for _, f := range fields {
		if f.required && !given[f.key] {
			d.fault(at(path, f.key), "is required")
		}
	}
}

// pathPattern writes a path with every list index as [].
func pathPattern(path []string) string {
	var b strings.Builder
	for _, element := range path {
		if unicode.IsDigit(rune(element[0])) {
			b.WriteString("[]")
		} else {
			b.WriteString("." + element)
		}
	}
	return b.String()
}

// entry is one key of a mapping, written there or merged in.
type entry struct {
	key   string
	node  *yaml.Node // the key's node
	value *yaml.Node
}

// entries lists the keys of a mapping: its own in file order, then merged ones it
// does not have itself. An empty value counts as an empty mapping.
func (d *decoder) entries(node *yaml.Node, path []string) ([]entry, bool) {
	node, ok := d.enter(node, path, yaml.MappingNode)
	if !ok || node == nil {
		return nil, ok
	}
	return d.collect(node, path, 0)
}

// collect lists a mapping's entries; depth counts nested merges.
func (d *decoder) collect(node *yaml.Node, path []string, depth int) ([]entry, bool) {
	if depth > maxDepth {
		d.stop(path, fmt.Sprintf("merges more than %d levels deep", maxDepth))
		return nil, false
	}
	if !d.count(path, len(node.Content)+1) {
		return nil, false
	}
	var own, merged []entry
	seen := map[string]int{} // key to line
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := target(node.Content[i]), node.Content[i+1]
		switch {
		case key.ShortTag() == "!!merge":
			merged = append(merged, d.merge(value, path, depth)...)
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" || key.Value == "":
			d.faultOn(node.Content[i], path, "has a key that is not text: %s", describe(key))
		case seen[key.Value] > 0:
			d.faultOn(node.Content[i], at(path, key.Value), "is given twice, first on line %d", seen[key.Value])
		default:
			seen[key.Value] = node.Content[i].Line
			own = append(own, entry{key: key.Value, node: node.Content[i], value: value})
		}
	}
	// Of several merged mappings that have a key, the first wins.
	for _, e := range merged {
		if seen[e.key] == 0 {
			seen[e.key] = e.node.Line
			own = append(own, e)
		}
	}
	return own, true
}

// merge lists the entries a << key brings in.
func (d *decoder) merge(value *yaml.Node, path []string, depth int) []entry {
	node := target(value)
	sources := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		sources = node.Content
	}
	var all []entry
	for _, source := range sources {
		source = target(source)
		if source.Kind != yaml.MappingNode {
			d.faultOn(value, at(path, "<<"), "must merge mappings, got %s", describe(source))
			continue
		}
		entries, _ := d.collect(source, path, depth+1)
		all = append(all, entries...)
	}
	return all
}

// items lists the items of a list. An empty value counts as an empty list.
func (d *decoder) items(node *yaml.Node, path []string) []*yaml.Node {
	node, ok := d.enter(node, path, yaml.SequenceNode)
	if !ok || node == nil || !d.count(path, len(node.Content)+1) {
		return nil
	}
	return node.Content
}

// list reads a list of mappings with a fixed set of keys; example is such a mapping.
// One that cannot be read keeps its place, so that list indexes stay those of the
// file.
func list[T any](d *decoder, node *yaml.Node, path []string, example string, fields []field[T]) []T {
	var all []T
	for i, item := range d.items(node, path) {
		var value T
		if target(item).Kind == yaml.ScalarNode {
			d.fault(index(path, i), "must be a mapping such as %s, got %s", example, describe(target(item)))
		} else {
			mapping(d, item, index(path, i), &value, fields)
		}
		all = append(all, value)
	}
	return all
}

// enter follows an alias and checks that the node is a mapping or a list as asked.
// It answers nil, true for an empty value.
func (d *decoder) enter(node *yaml.Node, path []string, kind yaml.Kind) (*yaml.Node, bool) {
	node = target(node)
	want, tag := "a mapping (key: value)", "!!map"
	if kind == yaml.SequenceNode {
		want, tag = "a list", "!!seq"
	}
	switch {
	case len(path) > maxDepth:
		d.stop(path, fmt.Sprintf("nests more than %d levels deep", maxDepth))
		return nil, false
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null":
		return nil, true
	case node.Kind != kind:
		d.fault(path, "must be %s, got %s", want, describe(node))
		return nil, false
	case node.ShortTag() != tag:
		d.fault(path, "has the tag %s, which is not supported", node.ShortTag())
		return nil, false
	}
	return node, true
}

// count adds to the nodes seen; false when they are too many.
func (d *decoder) count(path []string, n int) bool {
	if d.nodes += n; d.nodes > maxNodes {
		d.stop(path, fmt.Sprintf("the file has more than %d values once its aliases are followed", maxNodes))
	}
	return !d.stopped
}

// stop reports, once, why the rest of the file is not looked at.
func (d *decoder) stop(path []string, message string) {
	if !d.stopped {
		d.fault(path[:min(len(path), 6)], "%s", message)
	}
	d.stopped = true
}

// describe names a node in a message.
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	value := clip(node.Value)
	switch node.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + value
	case "!!bool":
		return "the boolean " + value
	case "!!timestamp":
		return "the date " + value
	}
	return fmt.Sprintf("%q", value)
}

// clip shortens a value for a message.
func clip(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
