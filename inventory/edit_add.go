package inventory

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// addHost finds the edits that add h; false when the text has no place for it.
func (s *source) addHost(doc *document, h Host) ([]edit, bool) {
	root, defaults := doc.root, doc.ssh
	inFlow := root.Style&yaml.FlowStyle != 0
	item := "{" + hostText(h, defaults, inFlow) + "}"
	name := section(h.Role)
	key, value := lookup(root, name)
	switch {
	case value == nil && inFlow:
		return s.addEntry(root, quoteKey(name, true)+": {"+quoteKey("hosts", true)+": ["+item+"]}")
	case value == nil:
		return s.addSection(root, name, item)
	case isNull(value) && !inFlow:
		return s.addBelow(key, value, "hosts:\n  - "+item)
	case value.Kind != yaml.MappingNode:
		return nil, false
	}
	return s.addToSection(value, h, defaults, inFlow)
}

// addToSection finds the edits that add h below controlPlane or workers; quoted is
// as in hostText.
func (s *source) addToSection(section *yaml.Node, h Host, defaults SSH, quoted bool) ([]edit, bool) {
	item := "{" + hostText(h, defaults, quoted) + "}"
	listKey, list := lookup(section, "hosts")
	flowSection := section.Style&yaml.FlowStyle != 0
	switch {
	case list == nil && flowSection:
		return s.addEntry(section, quoteKey("hosts", quoted)+": ["+item+"]")
	case list == nil:
		return nil, false // a section with other keys but without hosts does not parse
	case isNull(list) && !flowSection:
		return s.addBelow(listKey, list, "- "+item)
	case list.Kind != yaml.SequenceNode:
		return nil, false
	case list.Style&yaml.FlowStyle == 0:
		return s.addBlockItem(list, h, defaults)
	case len(list.Content) == 0 && !flowSection:
		return s.unfold(listKey, list, item)
	}
	return s.addFlowItem(list, item)
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" && node.Anchor == ""
}

// addSection adds a top-level key with one host after the other section.
func (s *source) addSection(root *yaml.Node, name, item string) ([]edit, bool) {
	other, value := lookup(root, section(RoleControlPlane))
	if other == nil || other.Line < 1 || other.Line > len(s.lines) {
		return nil, false
	}
	column := indent(s.text(other.Line - 1))
	last := s.blockEnd(other.Line-1, column)
	if value.Style&yaml.FlowStyle != 0 {
		flow, ok := s.flow(value)
		if !ok {
			return nil, false
		}
		last = max(last, s.lineAt(flow.end-1))
	}
	lines := []string{name + ":", "  hosts:", "    - " + item}
	margin := strings.Repeat(" ", column)
	return []edit{s.insertAfter(last, margin+strings.Join(lines, s.newline+margin))}, true
}

// addBelow gives a key without a value the lines of text as its value.
func (s *source) addBelow(key, value *yaml.Node, text string) ([]edit, bool) {
	at, ok := s.offset(key)
	if !ok || strings.TrimSpace(string(s.data[s.lines[key.Line-1].start:at])) != "" {
		return nil, false
	}
	var edits []edit
	if value.Value != "" { // null or ~
		start, ok := s.offset(value)
		if !ok || value.Line != key.Line || !strings.HasPrefix(string(s.data[start:]), value.Value) {
			return nil, false
		}
		edits = append(edits, s.cut(span{start, start + len(value.Value)}))
	}
	margin := strings.Repeat(" ", indent(s.text(key.Line-1))+2)
	text = margin + strings.ReplaceAll(text, "\n", s.newline+margin)
	return append(edits, s.insertAfter(key.Line-1, text)), true
}

// cut removes a range and one space before it.
func (s *source) cut(r span) edit {
	if r.start > 0 && s.data[r.start-1] == ' ' {
		r.start--
	}
	return edit{r.start, r.end, ""}
}

// unfold turns an empty flow list into a block list of one item. With anything but
// spaces between the brackets the item goes there instead.
func (s *source) unfold(key, list *yaml.Node, item string) ([]edit, bool) {
	flow, ok := s.flow(list)
	if !ok {
		return nil, false
	}
	inside := s.data[flow.start+1 : flow.end-1]
	rest := strings.TrimSpace(string(s.data[flow.end:s.lines[s.lineAt(flow.end-1)].end]))
	if list.Line != key.Line || strings.Trim(string(inside), " ") != "" || (rest != "" && rest[0] != '#') {
		return s.addFlowItem(list, item)
	}
	below, ok := s.addBelow(key, &yaml.Node{}, "- "+item)
	return append([]edit{s.cut(flow)}, below...), ok
}

// addBlockItem adds an item after the last of a block list, in its style.
func (s *source) addBlockItem(list *yaml.Node, h Host, defaults SSH) ([]edit, bool) {
	last := list.Content[len(list.Content)-1]
	dash, ok := s.dash(list, len(list.Content)-1)
	if !ok {
		return nil, false
	}
	end, ok := s.itemEnd(last, dash)
	if !ok {
		return nil, false
	}
	line := s.text(dash)
	column := indent(line)
	margin, gap := line[:column], 1
	if last.Line-1 == dash {
		gap = len(line[column+1:]) - len(strings.TrimLeft(line[column+1:], " "))
	}
	text := margin + "-" + strings.Repeat(" ", gap)
	if last.Kind == yaml.MappingNode && last.Style&yaml.FlowStyle == 0 {
		inner := s.newline + strings.Repeat(" ", column+1+gap)
		return []edit{s.insertAfter(end, text+strings.Join(hostFieldTexts(h, defaults, false), inner))}, true
	}
	return []edit{s.insertAfter(end, text+"{"+hostText(h, defaults, false)+"}")}, true
}

// dash is the line of the dash of a block list's item.
func (s *source) dash(list *yaml.Node, i int) (int, bool) {
	for line := list.Content[i].Line - 1; line >= 0 && line < len(s.lines); line-- {
		switch text := strings.TrimLeft(s.text(line), " "); {
		case text == "-" || strings.HasPrefix(text, "- "):
			return line, !strings.HasPrefix(strings.TrimLeft(text[1:], " "), "- ")
		case text != "" && text[0] != '#' && line != list.Content[i].Line-1:
			return 0, false
		}
	}
	return 0, false
}

// itemEnd is the last line of a block list's item whose dash is on the given line.
func (s *source) itemEnd(item *yaml.Node, dash int) (int, bool) {
	end := s.blockEnd(dash, indent(s.text(dash)))
	if item.Kind == yaml.MappingNode && item.Style&yaml.FlowStyle != 0 {
		flow, ok := s.flow(item)
		if !ok {
			return 0, false
		}
		end = max(end, s.lineAt(flow.end-1))
	}
	return end, true
}
