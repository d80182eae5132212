package images

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// use is one place at which a scalar is used. An anchored scalar has several.
type use struct {
	node   *yaml.Node
	at     place
	object object
	role   role
	key    bool // of a mapping
	// parts are those of an image in several fields, of which this is one; within says that another
	// of them leads.
	parts  *parts
	within bool
}

// place is where in an object something is.
type place struct {
	path   string // spec.containers[0].image
	form   string // spec.containers[].image
	parent string // the form of what holds it
	field  string // the nearest key, or the name that stands beside it in a list of names and values
	holder string // the key above that
	keys   []string
	line   int
}

func (p place) key(name string) place {
	next := place{path: name, form: name, parent: p.form, field: name, holder: p.field, keys: append(slices.Clip(p.keys), name)}
	if name == "" || strings.ContainsAny(name, ".[]* \n") {
		next.path = "[" + strconv.Quote(name) + "]"
		next.form = next.path
	}
	if p.path != "" {
		if next.path[0] != '[' {
			next.path = "." + next.path
		}
		next.path, next.form = p.path+next.path, p.form+"."+next.form
	}
	return next
}

func (p place) index(i int) place {
	return place{path: fmt.Sprintf("%s[%d]", p.path, i), form: p.form + "[]", parent: p.form, field: p.field, holder: p.holder, keys: p.keys}
}

// walker collects the uses of all scalars, through aliases and merge keys.
type walker struct {
	tables tables
	role   role // that of the text
	uses   []use
	active map[*yaml.Node]bool // what the walk is within
	merged map[*yaml.Node][]pair
	parts  map[*yaml.Node]*parts // by each of their nodes
	budget int                   // of nodes that may still be visited: aliases can multiply without end
}

// visits limits how often aliases may repeat what a text holds.
const visits = 20

func newWalker(text []byte) *walker {
	return &walker{tables: newTables(), active: map[*yaml.Node]bool{}, merged: map[*yaml.Node][]pair{}, parts: map[*yaml.Node]*parts{}, budget: visits * (len(text) + 1)}
}

// document collects what a document holds.
func (w *walker) document(doc *yaml.Node) error {
	for _, n := range doc.Content {
		if err := w.object(n, object{}, 0); err != nil {
			return err
		}
	}
	return nil
}

// object walks an object. In a typed list it may leave out its type, which is then
// that of outer.
func (w *walker) object(n *yaml.Node, outer object, depth int) error {
	o := w.identify(resolve(n), outer)
	return w.node(n, place{}, scope{object: o, table: w.tables.of(o), role: w.role, depth: depth})
}

// items walks the objects of a list.
func (w *walker) items(items *yaml.Node, list scope) error {
	outer := object{apiVersion: list.object.apiVersion, kind: strings.TrimSuffix(list.object.kind, "List")}
	for _, n := range items.Content {
		if err := w.object(n, outer, list.depth); err != nil {
			return err
		}
	}
	return nil
}

// scope is the object that is walked.
type scope struct {
	object object
	table  table
	role   role // of what has none in the table: a text within a text is what that is
	depth  int
}

// inMetadata says that a place is below an object's metadata.
func inMetadata(at place) bool { return len(at.keys) > 0 && at.keys[0] == "metadata" }

// node walks one node and what is below it.
func (w *walker) node(n *yaml.Node, at place, in scope) error {
	at.line = n.Line
	n = resolve(n)
	w.budget--
	in.depth++
	switch {
	case w.active[n]:
		return fmt.Errorf("line %d: an anchor holds an alias of itself", at.line)
	case w.budget < 0:
		return fmt.Errorf("line %d: aliases repeat the text more than %d times", at.line, visits)
	case in.depth > maxDepth:
		return fmt.Errorf("line %d: %w", at.line, errTooDeep)
	case n.Kind == yaml.ScalarNode:
		w.uses = append(w.uses, w.use(n, at, in))
		return nil
	}
	w.active[n] = true
	defer delete(w.active, n)
	if n.Kind == yaml.MappingNode {
		return w.mapping(n, at, in)
	}
	for i, child := range n.Content {
		if err := w.node(child, at.index(i), in); err != nil {
			return err
		}
	}
	return nil
}

// use is a scalar at its place.
func (w *walker) use(n *yaml.Node, at place, in scope) use {
	u := use{node: n, at: at, object: in.object, role: in.table.role(at)}
	if in.role != roleOther && u.role == roleOther {
		u.role = in.role
	}
	if in.object.kind == "CustomResourceDefinition" && at.field == "description" {
		u.role = roleMetadata
	}
	if parts := w.parts[n]; parts != nil && parts.holder == at.parent {
		u.parts, u.within = parts, parts.lead != n
	}
	return u
}

func (w *walker) mapping(n *yaml.Node, at place, in scope) error {
	name := w.scalar(n, "name")
	w.noteParts(n, at)
	for _, p := range w.pairs(n) {
		key, value := resolve(p.key), resolve(p.value)
		below := at.key(key.Value)
		if key.Kind == yaml.ScalarNode {
			below.line = p.key.Line
			w.uses = append(w.uses, use{node: key, at: below, object: in.object, key: true})
		} else if err := w.node(p.key, below, in); err != nil {
			return err
		}
		if key.Value == "value" && name != "" {
			below.field = name
		}
		walk := func() error { return w.node(p.value, below, in) }
		if at.path == "" && isList(in.object) && key.Value == "items" && value.Kind == yaml.SequenceNode {
			walk = func() error { return w.items(value, in) }
		}
		if err := walk(); err != nil {
			return err
		}
	}
	return nil
}

// pair is a key with its value.
type pair struct{ key, value *yaml.Node }

// pairs are the pairs of a mapping, with those that merge keys bring in and that it
// does not have itself.
func (w *walker) pairs(n *yaml.Node) []pair {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	if known, ok := w.merged[n]; ok {
		return known
	}
	w.merged[n] = nil // against a mapping that merges itself
	var all []pair
	var sources []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			sources = append(sources, mergeSources(n.Content[i+1])...)
		} else {
			all = append(all, pair{n.Content[i], n.Content[i+1]})
		}
	}
	taken := map[string]bool{}
	for _, p := range all {
		taken[resolve(p.key).Value] = true
	}
	for _, source := range sources {
		for _, p := range w.pairs(source) {
			w.budget--
			if name := resolve(p.key).Value; !taken[name] && w.budget > 0 {
				taken[name] = true
				all = append(all, p)
			}
		}
	}
	w.merged[n] = all
	return all
}

// mergeSources are the mappings that the value of a merge key names, the more
// important ones first.
func mergeSources(n *yaml.Node) []*yaml.Node {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}
	}
	var sources []*yaml.Node
	for _, source := range n.Content {
		sources = append(sources, resolve(source))
	}
	return sources
}

// resolve is what a node stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// scalar is the text of a mapping's field, or "".
func (w *walker) scalar(n *yaml.Node, field string) string {
	for _, p := range w.pairs(n) {
		if value := resolve(p.value); resolve(p.key).Value == field && value.Kind == yaml.ScalarNode {
			return value.Value
		}
	}
	return ""
}

func (w *walker) identify(n *yaml.Node, outer object) object {
	o := object{apiVersion: w.scalar(n, "apiVersion"), kind: w.scalar(n, "kind")}
	if o.kind == "" {
		o.apiVersion, o.kind = outer.apiVersion, outer.kind
	}
	for _, p := range w.pairs(n) {
		if resolve(p.key).Value == "metadata" {
			metadata := resolve(p.value)
			o.namespace, o.name = w.scalar(metadata, "namespace"), w.scalar(metadata, "name")
			if o.name == "" {
				o.name = w.scalar(metadata, "generateName")
			}
		}
	}
	return o
}
