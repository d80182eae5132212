package convert

import (
	"strings"

	"fairlead/inventory"

	"gopkg.in/yaml.v3"
)

// tree is a place in a YAML file. Reading a value records that it was read. The zero node is a place that the file does not have;
// what is below it is not there either.
type tree struct {
	r    *reading
	node *yaml.Node
	path string // with [] for the items of lists
	line int
}

// maxItems bounds the items of all lists of a file that is read, aliases followed.
const maxItems = 100_000

// in goes down by keys.
func (t tree) in(keys ...string) tree {
	for _, key := range keys {
		t.path = join(t.path, key)
		if t.node == nil {
			continue
		}
		k, v := lookup(t.node, key)
		t = t.to(k, v)
	}
	return t
}

// to goes to a value, which a key without one is not.
func (t tree) to(key, value *yaml.Node) tree {
	t.node = nil
	if value == nil {
		return t
	}
	t.line = key.Line
	if value = target(value); value.Kind != yaml.ScalarNode || value.ShortTag() != "!!null" {
		t.node = value
	}
	return t
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// mapping faults a place that is there and no mapping.
func (t tree) mapping() bool {
	if t.node == nil || t.node.Kind == yaml.MappingNode {
		return t.node != nil
	}
	t.r.fault(t.line, "%s: must be a mapping", t.path)
	return false
}

// get reads the single value of a key.
func (t tree) get(key string) Setting {
	if t.node != nil && t.node.Kind != yaml.MappingNode {
		t.r.fault(t.line, "%s: must be a mapping", t.path)
		return Setting{}
	}
	return t.in(key).value()
}

// value reads a single value. One that stands for another that only its tool knows is left out with a note.
func (t tree) value() Setting {
	if t.node == nil {
		return Setting{}
	}
	t.r.seen[t.node] = true
	if t.node.Kind != yaml.ScalarNode {
		t.r.fault(t.line, "%s: must be a single value", t.path)
		return Setting{}
	}
	switch tag := t.node.ShortTag(); tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
	default:
		t.r.draft.AddNote(t.line, t.path, "has the tag "+tag+", which is not read")
		return Setting{}
	}
	if isTemplate(t.node.Value) {
		t.r.draft.AddNote(t.line, t.path, "stands for a value that is not in the file; left out")
		return Setting{}
	}
	return Setting{Value: strings.TrimSpace(t.node.Value), Key: t.path, Line: t.line}
}

// isTemplate says whether a value has a part that its tool replaces: Jinja's, or a variable of the environment.
func isTemplate(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "${")
}

// items gives the items of the list at a key.
func (t tree) items(key string) []tree {
	list := t.in(key)
	if list.node == nil {
		return nil
	}
	if list.node.Kind != yaml.SequenceNode {
		t.r.fault(list.line, "%s: must be a list", list.path)
		return nil
	}
	if len(list.node.Content) > maxItems {
		t.r.fault(list.line, "%s: has more than %d items", list.path, maxItems)
		return nil
	}
	var all []tree
	for _, item := range list.node.Content {
		all = append(all, tree{r: t.r, node: target(item), path: list.path + "[]", line: item.Line})
	}
	return all
}

// values reads the list of single values at a key; one value alone is a list, too.
func (t tree) values(key string) []Setting {
	if only := t.in(key); only.node != nil && only.node.Kind == yaml.ScalarNode {
		return []Setting{only.value()}
	}
	var all []Setting
	for _, item := range t.items(key) {
		if s := item.value(); s.Value != "" {
			all = append(all, s)
		}
	}
	return all
}

// entries gives what is below the keys of a mapping, in the file's order.
func (t tree) entries() ([]string, []tree) {
	if !t.mapping() {
		return nil, nil
	}
	var keys []string
	var all []tree
	for i := 0; i+1 < len(t.node.Content); i += 2 {
		key := target(t.node.Content[i])
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			continue
		}
		below := t.to(t.node.Content[i], t.node.Content[i+1])
		below.path = join(t.path, key.Value)
		keys = append(keys, key.Value)
		all = append(all, below)
	}
	return keys, all
}

// labels reads a mapping of texts.
func (t tree) labels() map[string]string {
	labels := map[string]string{}
	keys, values := t.entries()
	for i, key := range keys {
		if values[i].node != nil {
			labels[key] = values[i].value().Value
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// taints reads a list of mappings with key, value and effect.
func (t tree) taints(key string) []inventory.Taint {
	var taints []inventory.Taint
	for _, item := range t.items(key) {
		taint := inventory.Taint{Key: item.get("key").Value, Value: item.get("value").Value, Effect: item.get("effect").Value}
		if !ofControlPlane(taint) {
			taints = append(taints, taint)
		}
	}
	return taints
}

// ofControlPlane says whether a taint is what controlPlane.schedulable says.
func ofControlPlane(t inventory.Taint) bool {
	switch t.Key {
	case "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "node-role.kubernetes.io/controlplane":
		return true
	}
	return false
}

// rest notes what was not read below a node: the highest places of which nothing was.
func (r *reading) rest(node *yaml.Node, path string, used map[*yaml.Node]bool) {
	if used[node] {
		return // an alias that was gone through already
	}
	used[node] = true
	below := func(value *yaml.Node, line int, path string) {
		value = target(value)
		switch {
		case r.seen[value] || empty(value):
		case !r.wasRead(value, map[*yaml.Node]bool{}):
			r.draft.AddNote(line, path, r.why(path))
		default:
			r.rest(value, path, used)
		}
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := target(node.Content[i])
			if key.ShortTag() == "!!merge" {
				r.rest(target(node.Content[i+1]), path, used)
				continue
			}
			below(node.Content[i+1], node.Content[i].Line, join(path, clip(key.Value)))
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			below(item, item.Line, path+"[]")
		}
	}
}

// wasRead says whether a value, or one below it, was read.
func (r *reading) wasRead(node *yaml.Node, gone map[*yaml.Node]bool) bool {
	node = target(node)
	if r.seen[node] {
		return true
	}
	if gone[node] {
		return false
	}
	gone[node] = true
	for _, child := range node.Content {
		if r.wasRead(child, gone) {
			return true
		}
	}
	return false
}

// empty says whether a value says nothing.
func empty(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && (node.ShortTag() == "!!null" || node.Value == "") || node.Kind != yaml.ScalarNode && len(node.Content) == 0
}

// lookup finds a key of a mapping: its own, else one of a mapping that is merged in.
func lookup(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	return lookupIn(mapping, name, map[*yaml.Node]bool{})
}

func lookupIn(mapping *yaml.Node, name string, gone map[*yaml.Node]bool) (key, value *yaml.Node) {
	if mapping.Kind != yaml.MappingNode || gone[mapping] {
		return nil, nil
	}
	gone[mapping] = true
	var sources []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		k, v := target(mapping.Content[i]), target(mapping.Content[i+1])
		switch {
		case k.ShortTag() == "!!merge" && v.Kind == yaml.SequenceNode:
			sources = append(sources, v.Content...)
		case k.ShortTag() == "!!merge":
			sources = append(sources, v)
		case k.Kind == yaml.ScalarNode && k.Value == name:
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	for _, source := range sources {
		if k, v := lookupIn(target(source), name, gone); v != nil {
			return k, v
		}
	}
	return nil, nil
}

// target is the node an alias stands for, or the node itself.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}
