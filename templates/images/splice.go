package images

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

var errNotFound = errors.New("the value is not where the parser says")

// edit replaces the bytes of a scalar's value from start to end.
type edit struct {
	start, end int
	to         string
}

// change is what is replaced in a scalar. The edits do not touch.
type change struct {
	node  *yaml.Node
	edits []edit
}

// value is the scalar's value after the change. Line breaks at the end of a block
// scalar stay.
func (c change) value() string {
	var spans []span
	for _, e := range c.inOrder() {
		spans = append(spans, span{e.start, e.end, e.to})
	}
	return string(splice([]byte(c.node.Value), spans))
}

// from is what is replaced, for messages.
func (c change) from() string {
	var all []string
	for _, e := range c.inOrder() {
		all = append(all, c.node.Value[e.start:e.end])
	}
	return strings.Join(all, ", ")
}

func (c change) inOrder() []edit {
	return slices.SortedFunc(slices.Values(c.edits), func(a, b edit) int { return cmp.Compare(a.start, b.start) })
}

// withoutBreaks is the value of a scalar without the line breaks that end a block.
func withoutBreaks(n *yaml.Node) string {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return n.Value
	}
	return strings.TrimRight(n.Value, "\n")
}

// span is the text that takes the place of the bytes from start to end.
type span struct {
	start, end int
	text       string
}

// spans are the bytes of the text that are to be replaced for all changes, in order.
func (e *editor) spans() ([]span, error) {
	nodes := slices.Collect(maps.Keys(e.changes))
	slices.SortFunc(nodes, func(a, b *yaml.Node) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	var all []span
	for _, n := range nodes {
		c := e.changes[n]
		spans, err := e.lines.locate(c)
		if err != nil {
			return nil, fmt.Errorf("line %d: replace %s: %w: write it in one line", n.Line, c.from(), err)
		}
		all = append(all, spans...)
	}
	return all, nil
}

// locate says which bytes are to be replaced for a change.
func (l *lines) locate(c change) ([]span, error) {
	at, ok := l.spelling(c.node)
	if !ok {
		return nil, errNotFound
	}
	plain := c.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	var spans []span
	for _, e := range c.inOrder() {
		text := e.to
		switch {
		case plain && strings.ContainsAny(text, "[]"): // an IPv6 host
			text, err := quote(c.value())
			return []span{{at[0], at[len(at)-1], text}}, err
		case c.node.Style&yaml.DoubleQuotedStyle != 0:
			quoted, err := quote(text)
			if err != nil {
				return nil, err
			}
			text = quoted[1 : len(quoted)-1]
		case c.node.Style&yaml.SingleQuotedStyle != 0:
			text = strings.ReplaceAll(text, "'", "''")
		}
		spans = append(spans, span{at[e.start], at[e.end], text})
	}
	return spans, nil
}

// skipProperties is where a scalar itself starts, behind its anchor and tag.
func skipProperties(text []byte, at int) int {
	for at < len(text) {
		rest := text[at:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t':
			at++
		case lineBreak(rest) > 0:
			at += lineBreak(rest)
		case rest[0] == '#':
			at += until(rest, func(b []byte) bool { return lineBreak(b) > 0 })
		case rest[0] == '&' || rest[0] == '!':
			at += until(rest, func(b []byte) bool { return b[0] == ' ' || b[0] == '\t' || lineBreak(b) > 0 })
		default:
			return at
		}
	}
	return at
}

// until counts the bytes before the first place where stop holds.
func until(b []byte, stop func([]byte) bool) int {
	for i := range b {
		if stop(b[i:]) {
			return i
		}
	}
	return len(b)
}

// quote writes a value between double quotes, valid for JSON and YAML alike.
func quote(value string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return "", fmt.Errorf("quote %q: %w", value, err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// splice replaces spans, which are in order and do not touch.
func splice(text []byte, spans []span) []byte {
	var out []byte
	last := 0
	for _, s := range spans {
		out = append(append(out, text[last:s.start]...), s.text...)
		last = s.end
	}
	return append(out, text[last:]...)
}
