package pki

import (
	"cmp"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// entry builds one item of a kubeconfig's lists: {name: NAME, KEY: VALUE}.
func entry(key, name string, value *yaml.Node) *yaml.Node {
	return mapping("name", scalar(name), key, value)
}

// putEntry puts an entry into the list root[list] in place of the first one with its name,
// or at the end, and drops later ones with the same name, which no reader sees.
func putEntry(root *yaml.Node, list string, item *yaml.Node) error {
	items := resolve(field(root, list))
	if items == nil || items.Tag == "!!null" {
		items = &yaml.Node{Kind: yaml.SequenceNode}
		set(root, list, items)
	}
	if items.Kind != yaml.SequenceNode {
		return fmt.Errorf("its %s is not a list", list)
	}
	if len(items.Content) == 0 {
		items.Style = 0
	}
	name := field(item, "name").Value
	at := slices.IndexFunc(items.Content, func(n *yaml.Node) bool { return named(n, name) })
	if at < 0 {
		items.Content = append(items.Content, item)
		return nil
	}
	old := items.Content[at]
	item.HeadComment, item.FootComment = old.HeadComment, old.FootComment
	items.Content[at] = item
	rest := slices.DeleteFunc(slices.Clone(items.Content[at+1:]), func(n *yaml.Node) bool { return named(n, name) })
	items.Content = append(items.Content[:at+1], rest...)
	return nil
}

// find returns the first item of a list that has the name, or nil.
func find(list *yaml.Node, name string) *yaml.Node {
	list = resolve(list)
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range list.Content {
		if named(item, name) {
			return resolve(item)
		}
	}
	return nil
}

func named(item *yaml.Node, name string) bool {
	n := field(item, "name")
	return n != nil && n.Kind == yaml.ScalarNode && n.Value == name
}

// field returns the value of a mapping's key, or nil where there is none.
func field(m *yaml.Node, key string) *yaml.Node {
	m = resolve(m)
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return resolve(m.Content[i+1])
		}
	}
	return nil
}

// set gives a mapping's key a value, in its place or at the end. A comment beside the former
// value stays.
func set(m *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			beside := value
			if value.Kind != yaml.ScalarNode {
				beside = m.Content[i] // a list starts on the next line
			}
			beside.LineComment = cmp.Or(beside.LineComment, m.Content[i+1].LineComment)
			m.Content[i+1] = value
			return
		}
	}
	if len(m.Content) == 0 {
		m.Style = 0
	}
	m.Content = append(m.Content, scalar(key), value)
}

// mapping builds a mapping from two pairs of key and value.
func mapping(key1 string, value1 *yaml.Node, key2 string, value2 *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar(key1), value1, scalar(key2), value2}}
}

// scalar builds a string, quoted by the encoder where it would read as something else.
func scalar(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

func resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
