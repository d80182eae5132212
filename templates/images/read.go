package images

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// read parses a stream of YAML or of JSON documents. The nodes' positions count as
// the YAML scanner does; lines translates them.
func read(text []byte) ([]*yaml.Node, error) {
	body := bytes.TrimPrefix(text, byteOrderMark())
	if bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff")) {
		return nil, errors.New("line 1: the text is UTF-16: save it as UTF-8")
	}
	start := bytes.TrimLeft(body, " \t\r\n")
	if len(start) == 0 || start[0] != '{' {
		return readYAML(text)
	}
	docs, errJSON := readJSON(text)
	if errJSON == nil {
		return docs, nil
	}
	docs, err := readYAML(text) // flow style starts like JSON
	if err != nil {
		return nil, fmt.Errorf("%w (as JSON: %w)", err, errJSON)
	}
	return docs, nil
}

func readYAML(text []byte) ([]*yaml.Node, error) {
	var docs []*yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		switch err := dec.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return nil, syntaxError(err)
		}
		docs = append(docs, &doc)
	}
}

// syntaxError puts the parser's complaint into the form of the others, "line N: …". yaml.v3
// counts lines from 1 in what its scanner finds and from 0 in what its parser finds, told
// apart by the text; it leaves the number out where that is 0.
func syntaxError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("not valid YAML: %s", text)
	}
	line, err := strconv.Atoi(m[1])
	if err == nil && regexp.MustCompile(`^did not find expected (<|node|'|key)`).MatchString(m[2]) {
		line++
	}
	return fmt.Errorf("line %d: not valid YAML: %s", line, m[2])
}

func byteOrderMark() []byte { return []byte("\xef\xbb\xbf") }

// lines translates between positions of the YAML scanner (lines and characters
// from 1) and offsets in bytes.
type lines struct {
	text   []byte
	starts []int
	last   mark // of the node that was looked for last, so that a long line is not read for each
}

func newLines(text []byte) *lines {
	l := &lines{text: text, starts: []int{len(text) - len(bytes.TrimPrefix(text, byteOrderMark()))}}
	for i := l.starts[0]; i < len(text); {
		if n := lineBreak(text[i:]); n > 0 {
			i += n
			l.starts = append(l.starts, i)
			continue
		}
		i++
	}
	return l
}

// lineBreak is the length of the line break that b starts with, or 0. The breaks
// are those of YAML 1.1: CR LF, CR, LF, NEL, LS and PS.
func lineBreak(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	case b[0] == '\r' || b[0] == '\n':
		return 1
	case b[0] < utf8.RuneSelf:
		return 0
	}
	r, size := utf8.DecodeRune(b)
	if r == '\u0085' || r == '\u2028' || r == '\u2029' {
		return size
	}
	return 0
}

// offset is where a node's text starts, its anchor and tag included. Nodes are best asked for in
// their order.
func (l *lines) offset(n *yaml.Node) (int, bool) {
	if n.Line < 1 || n.Line > len(l.starts) {
		return 0, false
	}
	if l.last.line != n.Line || l.last.column > n.Column {
		l.last = mark{l.starts[n.Line-1], n.Line, 1}
	}
	for l.last.column < n.Column {
		if l.last.offset >= len(l.text) {
			return 0, false
		}
		_, size := utf8.DecodeRune(l.text[l.last.offset:])
		l.last.offset += size
		l.last.column++
	}
	return l.last.offset, true
}

// lineIn is the line at which a part of a scalar stands that follows before.
func (l *lines) lineIn(u use, before string) int {
	return l.lineOf(u, 1+strings.Count(before, "\n"))
}

// lineOf is the line of a line of a scalar's value. Between quotes only the first is known.
func (l *lines) lineOf(u use, line int) int {
	if u.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return u.at.line
	}
	return u.node.Line + line // below the header
}

// mark is a position that is known both ways.
type mark struct{ offset, line, column int }

func (l *lines) first() mark { return mark{l.starts[0], 1, 1} }

// advance is the mark of an offset that is not before m.
func (l *lines) advance(m mark, offset int) mark {
	for m.line < len(l.starts) && l.starts[m.line] <= offset {
		m = mark{l.starts[m.line], m.line + 1, 1}
	}
	return mark{offset, m.line, m.column + utf8.RuneCount(l.text[m.offset:offset])}
}
