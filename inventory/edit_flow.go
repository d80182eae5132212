package inventory

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
)

// addFlowItem adds an item to a flow list, behind the last one.
func (s *source) addFlowItem(list *yaml.Node, item string) ([]edit, bool) {
	flow, ok := s.flow(list)
	if !ok {
		return nil, false
	}
	if len(list.Content) == 0 {
		return []edit{{flow.start + 1, flow.start + 1, item}}, true
	}
	last, ok := s.flow(list.Content[len(list.Content)-1])
	if !ok {
		return nil, false
	}
	separator := ", "
	line := s.lines[s.lineAt(last.start)]
	if before := string(s.data[line.start:last.start]); strings.TrimSpace(before) == "" {
		separator = "," + s.newline + before
	}
	return []edit{{last.end, last.end, separator + item}}, true
}

// addEntry adds a key to a flow mapping, behind the last one.
func (s *source) addEntry(mapping *yaml.Node, text string) ([]edit, bool) {
	flow, ok := s.flow(mapping)
	if !ok {
		return nil, false
	}
	at := flow.end - 1
	inside := s.data[flow.start+1 : at]
	if len(mapping.Content) == 0 {
		return []edit{{flow.start + 1, flow.start + 1, text}}, true
	}
	trimmed := bytes.TrimRight(inside, " \t\r\n")
	lastLine := trimmed[bytes.LastIndexByte(trimmed, '\n')+1:]
	separator := ", "
	if !bytes.ContainsRune(lastLine, '#') {
		at = flow.start + 1 + len(trimmed)
		first, _ := s.offset(mapping.Content[len(mapping.Content)-2])
		line := s.lines[s.lineAt(first)]
		if before := string(s.data[line.start:first]); strings.TrimSpace(before) == "" {
			separator = "," + s.newline + before
		}
	}
	if bytes.HasSuffix(trimmed, []byte(",")) {
		separator = strings.TrimPrefix(separator, ",")
	}
	return []edit{{at, at, separator + text}}, true
}

// removeHost finds the edits that remove the host at an index of its role's list;
// false when the text does not allow it.
func (s *source) removeHost(doc *document, role Role, i int) ([]edit, bool) {
	_, value := lookup(doc.root, section(role))
	if value == nil || value.Kind != yaml.MappingNode {
		return nil, false
	}
	key, list := lookup(value, "hosts")
	if list == nil || list.Kind != yaml.SequenceNode || i >= len(list.Content) {
		return nil, false
	}
	if list.Style&yaml.FlowStyle != 0 {
		return s.removeFlowItem(list, i)
	}
	dash, ok := s.dash(list, i)
	if !ok {
		return nil, false
	}
	end, ok := s.itemEnd(list.Content[i], dash)
	if !ok {
		return nil, false
	}
	edits := []edit{s.removeLines(dash, end)}
	if len(list.Content) > 1 {
		return edits, true
	}
	start, ok := s.offset(key)
	colon := bytes.IndexByte(s.data[start:], ':')
	if !ok || colon < 0 {
		return nil, false
	}
	return append(edits, edit{start + colon + 1, start + colon + 1, " []"}), true
}

// removeFlowItem removes an item and one comma next to it. Where a comment stands
// between two items, the comment stays.
func (s *source) removeFlowItem(list *yaml.Node, i int) ([]edit, bool) {
	whole, ok := s.flow(list)
	if !ok {
		return nil, false
	}
	item, ok := s.flow(list.Content[i])
	if !ok {
		return nil, false
	}
	if i > 0 {
		before, ok := s.flow(list.Content[i-1])
		if !ok {
			return nil, false
		}
		if !bytes.ContainsRune(s.data[before.end:item.start], '#') {
			return []edit{{before.end, item.end, ""}}, true
		}
	}
	behind := s.data[item.end:whole.end]
	if rest := bytes.TrimLeft(behind, " \t\r\n"); len(rest) > 0 && rest[0] == ',' {
		item.end += len(behind) - len(rest) + 1
		for i == 0 && item.end < whole.end && s.data[item.end] == ' ' {
			item.end++
		}
	}
	return []edit{{item.start, item.end, ""}}, true
}
