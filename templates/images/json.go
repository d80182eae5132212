package images

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// maxDepth is how deep values may be nested. Objects of Kubernetes stay far below.
const maxDepth = 500

var errTooDeep = errors.New("values are nested too deeply")

// jsonReader makes YAML nodes of JSON values. The YAML parser is not asked,
// because it knows neither values without a separator between them nor surrogate
// pairs in escapes.
type jsonReader struct {
	dec   *json.Decoder
	text  []byte
	start int // of the decoder's input in text
	lines *lines
	last  mark // of the value that was read last
}

// readJSON reads concatenated JSON values. The error names the line of the last
// value that was begun.
func readJSON(text []byte) ([]*yaml.Node, error) {
	l := newLines(text)
	r := &jsonReader{text: text, start: l.starts[0], lines: l, last: l.first()}
	r.dec = json.NewDecoder(bytes.NewReader(text[r.start:]))
	r.dec.UseNumber()
	var docs []*yaml.Node
	for {
		n, err := r.value(0)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", r.last.line, err)
		}
		docs = append(docs, &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{n}, Line: n.Line, Column: n.Column})
	}
}

// value reads one value. The error is io.EOF when there is none.
func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	before := r.start + int(r.dec.InputOffset())
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	at := before + len(r.text[before:]) - len(bytes.TrimLeft(r.text[before:], " \t\r\n,:"))
	r.last = r.lines.advance(r.last, at)
	n := &yaml.Node{Line: r.last.line, Column: r.last.column}
	switch t := token.(type) {
	case json.Delim:
		n.Kind, n.Tag, n.Style = yaml.SequenceNode, "!!seq", yaml.FlowStyle
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		return n, r.children(n, depth)
	case string:
		n.Kind, n.Tag, n.Style, n.Value = yaml.ScalarNode, "!!str", yaml.DoubleQuotedStyle, t
	default:
		n.Kind, n.Value = yaml.ScalarNode, string(r.text[at:r.start+int(r.dec.InputOffset())])
		n.Tag = n.ShortTag()
	}
	return n, nil
}

// children reads what a list or an object holds: keys and values in turn.
func (r *jsonReader) children(n *yaml.Node, depth int) error {
	for r.dec.More() {
		child, err := r.value(depth + 1)
		if err != nil {
			return unfinished(err)
		}
		n.Content = append(n.Content, child)
	}
	_, err := r.dec.Token()
	return unfinished(err)
}

// unfinished keeps the end of the text within a value from passing for its end.
func unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
