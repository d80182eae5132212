package convert

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// maxDepth bounds how deep groups may be below one another.
const maxDepth = 32

// readAnsibleYAML reads an inventory as Ansible's yaml plugin does (docs.ansible.com, "ansible.builtin.yaml"), and what
// `ansible-inventory --list` prints, which is JSON with lists of hosts and all variables below _meta.
func readAnsibleYAML(r *reading, data []byte) {
	top, ok := r.parse(data)
	if !ok {
		return
	}
	a := newAnsible()
	a.whole = top.in("_meta").node != nil || fileOf(r.draft.Source) == StandardInput
	b := ansibleTree{r: r, a: a}
	names, groups := top.entries()
	for i, name := range names {
		if name != "_meta" {
			b.group(name, groups[i], 1)
		}
	}
	about, values := top.in("_meta").entries()
	for i, key := range about {
		if key != "hostvars" {
			r.draft.AddNote(values[i].line, "_meta."+clip(key), "is about the inventory, not about hosts")
		}
	}
	hosts, vars := top.in("_meta", "hostvars").entries()
	for i, name := range hosts {
		h := a.host(name, vars[i].line)
		h.vars = append(h.vars, b.vars(vars[i])...)
	}
	if len(r.problems) == 0 {
		a.mean(r)
	}
}

// ansibleTree reads groups from YAML.
type ansibleTree struct {
	r     *reading
	a     *ansible
	count int
}

func (b *ansibleTree) group(name string, t tree, depth int) {
	g := b.a.group(name, t.line)
	if b.count++; b.count > maxItems || depth > maxDepth {
		if len(b.r.problems) == 0 {
			b.r.fault(t.line, "%s: the groups are more than %d, or more than %d levels deep", clip(name), maxItems, maxDepth)
		}
		return
	}
	if t.node == nil {
		return
	}
	keys, values := t.entries()
	for i, key := range keys {
		switch v := values[i]; key {
		case "hosts":
			b.hosts(g, v)
		case "children":
			b.children(g, v, depth)
		case "vars":
			g.vars = append(g.vars, b.vars(v)...)
		default:
			b.r.draft.AddNote(v.line, clip(v.path), "is no key of a group in an inventory")
		}
	}
}

// hosts reads a mapping to variables, or a list of names.
func (b *ansibleTree) hosts(g *ansibleGroup, t tree) {
	if t.node != nil && t.node.Kind == yaml.SequenceNode {
		for _, item := range t.node.Content {
			b.a.addHosts(b.r, g.name, target(item).Value, item.Line, nil)
		}
		return
	}
	names, vars := t.entries()
	for i, name := range names {
		if b.count++; b.count > maxItems {
			b.r.fault(vars[i].line, "names more than %d hosts", maxItems)
			return
		}
		b.a.addHosts(b.r, g.name, name, vars[i].line, b.vars(vars[i]))
	}
}

func (b *ansibleTree) children(g *ansibleGroup, t tree, depth int) {
	if t.node != nil && t.node.Kind == yaml.SequenceNode {
		for _, item := range t.node.Content {
			g.addChild(target(item).Value)
			b.a.group(target(item).Value, item.Line)
		}
		return
	}
	names, groups := t.entries()
	for i, name := range names {
		g.addChild(name)
		b.group(name, groups[i], depth+1)
	}
}

func (b *ansibleTree) vars(t tree) []variable {
	if t.node == nil {
		return nil
	}
	var all []variable
	keys, values := t.entries()
	for i, key := range keys {
		v := variable{key: key, line: values[i].line}
		switch n := values[i].node; {
		case n == nil:
		case n.Tag == "!vault":
			v.vault = true
		case n.Kind == yaml.ScalarNode:
			v.value, v.vault = strings.TrimSpace(n.Value), strings.HasPrefix(n.Value, "$ANSIBLE_VAULT;")
		default:
			v.node = n
		}
		all = append(all, v)
	}
	return all
}
