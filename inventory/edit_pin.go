package inventory

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// SetHostKey gives a host that has none an ssh.hostKey, and keeps every other byte of the file. The result is a file that Parse
// accepts and that differs from the former by just this key. Errors are as AddHost's.
func SetHostKey(data []byte, name, hostKey string) ([]byte, error) {
	doc, err := readSound(data)
	if err != nil {
		return nil, fmt.Errorf("set the host key of %s: %w", name, err)
	}
	h, found := doc.cluster.Host(name)
	switch {
	case !found:
		return nil, fmt.Errorf("set the host key of %s: the file has no host of this name", name)
	case h.SSH.HostKey != "":
		return nil, fmt.Errorf("set the host key of %s: the file has an ssh.hostKey for it already", name)
	}
	mending := fmt.Errorf("set the host key of %s: %w; add hostKey: %s to its ssh by hand", name, ErrShape, quoteText(hostKey, true))
	i := slices.IndexFunc(doc.list(h.Role), func(h Host) bool { return h.Name == name })
	text := newSource(data)
	edits, ok := text.setHostKey(doc, h.Role, i, hostKey)
	if !ok {
		return nil, mending
	}
	out := text.apply(edits)
	hosts := slices.Clone(doc.list(h.Role))
	hosts[i].SSH.HostKey = hostKey
	after, err := read("", out)
	if err != nil || !reflect.DeepEqual(doc.replaced(h.Role, hosts), after.cluster) {
		return nil, mending
	}
	if _, _, err := Parse("", out); err != nil {
		return nil, fmt.Errorf("set the host key of %s: %w", name, err)
	}
	return out, nil
}

// setHostKey finds the edits that give the host at an index of its role's list a key; false when the text does not allow it.
func (s *source) setHostKey(doc *document, role Role, i int, hostKey string) ([]edit, bool) {
	host := hostNode(doc.root, role, i)
	if host == nil {
		return nil, false
	}
	quoted := doc.root.Style&yaml.FlowStyle != 0
	pin := quoteKey("hostKey", quoted) + ": " + quoteText(hostKey, true)
	key, ssh := lookup(host, "ssh")
	switch {
	case ssh == nil:
		return s.addKey(host, quoteKey("ssh", quoted)+": {"+pin+"}")
	case isNull(ssh) && host.Style&yaml.FlowStyle == 0:
		return s.addBelow(key, ssh, pin)
	case ssh.Kind != yaml.MappingNode || len(ssh.Content) == 0 && ssh.Style&yaml.FlowStyle == 0:
		return nil, false
	}
	return s.addKey(ssh, pin)
}

// hostNode is the mapping of the host at an index of its role's list, nil where that is none.
func hostNode(root *yaml.Node, role Role, i int) *yaml.Node {
	_, value := lookup(root, section(role))
	if value == nil || value.Kind != yaml.MappingNode {
		return nil
	}
	_, list := lookup(value, "hosts")
	if list == nil || list.Kind != yaml.SequenceNode || i < 0 || i >= len(list.Content) {
		return nil
	}
	if host := list.Content[i]; host.Kind == yaml.MappingNode && len(host.Content) > 0 {
		return host
	}
	return nil
}

// addKey adds a key at the end of a mapping, in its style.
func (s *source) addKey(mapping *yaml.Node, text string) ([]edit, bool) {
	if mapping.Style&yaml.FlowStyle != 0 {
		return s.addEntry(mapping, text)
	}
	first := mapping.Content[0]
	last := mapping.Content[len(mapping.Content)-2]
	if first.Line < 1 || last.Line < first.Line || last.Line > len(s.lines) || first.Column < 1 {
		return nil, false
	}
	end, ok := s.valueEnd(last, mapping.Content[len(mapping.Content)-1])
	if !ok {
		return nil, false
	}
	return []edit{s.insertAfter(end, strings.Repeat(" ", first.Column-1)+text)}, true
}

// valueEnd is the last line of a block mapping's value. Comments that are indented as its key are left for what follows.
func (s *source) valueEnd(key, value *yaml.Node) (int, bool) {
	end := s.blockEnd(key.Line-1, key.Column-1)
	if value.Kind&(yaml.MappingNode|yaml.SequenceNode) != 0 && value.Style&yaml.FlowStyle != 0 {
		flow, ok := s.flow(value)
		if !ok {
			return 0, false
		}
		end = max(end, s.lineAt(flow.end-1))
	}
	return end, true
}
