package inventory

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Problem is one thing wrong, or doubtful, in a cluster file.
type Problem struct {
	Path    []string // keys and list indexes from the top; empty: the whole file
	Message string   // lower case, says what to write instead where that is known
	Line    int      // 1-based; 0 in a Check's answer means: the line of Path
	Warning bool     // the file can be used all the same
}

// In writes the problem as one line, "file:line: path: message"; an empty file
// name gives "line N: path: message".
func (p Problem) In(file string) string {
	where := fmt.Sprintf("line %d", p.Line)
	if file != "" {
		where = fmt.Sprintf("%s:%d", file, p.Line)
	}
	if len(p.Path) == 0 {
		return where + ": " + p.Message
	}
	return where + ": " + p.Where() + ": " + p.Message
}

// Where writes the path as in controlPlane.hosts[0].labels["a.b/c"]; empty: the whole file.
func (p Problem) Where() string { return pathString(p.Path) }

// Invalid is the error for a file that cannot be used. Problems holds all that is
// wrong with it, sorted by line, without the warnings.
type Invalid struct {
	File     string
	Problems []Problem
}

// Error gives one line per problem.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.In(e.File)
	}
	return strings.Join(lines, "\n")
}

// sortProblems orders by line and keeps the order of finding within a line.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}

// pathString writes a path as in controlPlane.hosts[0].labels["a.b/c"].
func pathString(path []string) string {
	plain := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	var b strings.Builder
	for _, element := range path {
		switch _, err := strconv.ParseUint(element, 10, 31); {
		case err == nil:
			b.WriteString("[" + element + "]")
		case !plain.MatchString(element):
			b.WriteString("[" + strconv.Quote(element) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(element)
		}
	}
	return b.String()
}

// at extends a path by one or more elements without touching the original.
func at(path []string, elements ...string) []string {
	return slices.Concat(path, elements)
}

// index extends a path by a list index.
func index(path []string, i int) []string { return at(path, strconv.Itoa(i)) }

// lineOf finds the line of a path, or of its nearest ancestor that exists.
func lineOf(root *yaml.Node, path []string) int {
	line, node := 1, root
	if root.Line > 0 {
		line = root.Line
	}
	for _, element := range path {
		next, at := child(node, element)
		if next == nil {
			break
		}
		node, line = next, at
	}
	return line
}

// child finds the value under one path element, and the line it starts at: that
// of the key in a mapping, that of the item in a list.
func child(node *yaml.Node, element string) (*yaml.Node, int) {
	node = target(node)
	switch node.Kind {
	case yaml.MappingNode:
		if key, value := lookup(node, element); value != nil {
			return value, key.Line
		}
		for _, source := range mergeSources(node) {
			if key, value := lookup(source, element); value != nil {
				return value, key.Line
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(element); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i].Line
		}
	}
	return nil, 0
}

// lookup finds a key written in the mapping itself.
func lookup(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if k := target(mapping.Content[i]); k.Kind == yaml.ScalarNode && k.Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// mergeSources lists the mappings merged in directly by << keys.
func mergeSources(mapping *yaml.Node) []*yaml.Node {
	_, value := lookup(mapping, "<<")
	if value == nil {
		return nil
	}
	value = target(value)
	switch value.Kind {
	case yaml.MappingNode:
		return []*yaml.Node{value}
	case yaml.SequenceNode:
		sources := make([]*yaml.Node, 0, len(value.Content))
		for _, item := range value.Content {
			if item = target(item); item.Kind == yaml.MappingNode {
				sources = append(sources, item)
			}
		}
		return sources
	}
	return nil
}

// target is the node an alias stands for, or the node itself.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}
