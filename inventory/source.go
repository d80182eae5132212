package inventory

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// source is a file's text, with the places of lines, for editing.
type source struct {
	data    []byte
	lines   []span // one per line, without its line break
	newline string // what ends lines in this file
}

// span is a range of bytes.
type span struct{ start, end int }

// newSource splits text at the line breaks YAML counts: CR LF, CR, LF, NEL, LS, PS.
func newSource(data []byte) *source {
	s := &source{data: data, newline: "\n"}
	start := 0
	for i := 0; i < len(data); {
		n := breakLength(data[i:])
		if n == 0 {
			i++
			continue
		}
		if len(s.lines) == 0 && n == 2 && data[i] == '\r' {
			s.newline = "\r\n"
		}
		s.lines = append(s.lines, span{start, i})
		i += n
		start = i
	}
	s.lines = append(s.lines, span{start, len(data)})
	return s
}

// breakLength is the length of the line break data starts with, or 0.
func breakLength(data []byte) int {
	for _, b := range []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(data, []byte(b)) {
			return len(b)
		}
	}
	return 0
}

// text is a line's text, counted from 0.
func (s *source) text(line int) string {
	return string(s.data[s.lines[line].start:s.lines[line].end])
}

// next is the offset at which the line after this one starts.
func (s *source) next(line int) int {
	if line+1 < len(s.lines) {
		return s.lines[line+1].start
	}
	return len(s.data)
}

// lineAt is the line, counted from 0, that holds an offset.
func (s *source) lineAt(offset int) int {
	line := 0
	for line+1 < len(s.lines) && s.lines[line+1].start <= offset {
		line++
	}
	return line
}

// offset is where a node starts. YAML counts columns in characters.
func (s *source) offset(node *yaml.Node) (int, bool) {
	if node.Line < 1 || node.Line > len(s.lines) {
		return 0, false
	}
	line := s.lines[node.Line-1]
	at := line.start
	for range node.Column - 1 {
		if at >= line.end {
			return 0, false
		}
		_, size := utf8.DecodeRune(s.data[at:line.end])
		at += size
	}
	return at, true
}

// flow is the range of a flow collection, from its opening to behind its closing
// bracket.
func (s *source) flow(node *yaml.Node) (span, bool) {
	start, ok := s.offset(node)
	if !ok || start >= len(s.data) || strings.IndexByte("[{", s.data[start]) < 0 {
		return span{}, false
	}
	depth := 0
	for i := start; i < len(s.data); {
		if end := s.skip(i); end > i {
			i = end
			continue
		}
		switch s.data[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return span{start, i + 1}, true
			}
		}
		i++
	}
	return span{}, false
}

// skip is the offset behind the quoted string or comment that starts at i, or i.
func (s *source) skip(i int) int {
	switch c := s.data[i]; {
	case (c == '\'' || c == '"') && s.startsToken(i):
		return s.quoteEnd(i)
	case c == '#' && isBlank(s.data[i-1]):
		return s.lines[s.lineAt(i)].end
	}
	return i
}

// startsToken says whether a quote at i opens a string, rather than standing inside
// plain text.
func (s *source) startsToken(i int) bool {
	return isBlank(s.data[i-1]) || strings.IndexByte("[{,:", s.data[i-1]) >= 0
}

// quoteEnd is the offset behind the quoted string that starts at i.
func (s *source) quoteEnd(i int) int {
	quote := s.data[i]
	for i++; i < len(s.data); i++ {
		switch {
		case quote == '"' && s.data[i] == '\\':
			i++
		case s.data[i] == quote && quote == '\'' && i+1 < len(s.data) && s.data[i+1] == quote:
			i++
		case s.data[i] == quote:
			return i + 1
		}
	}
	return len(s.data)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// indent counts the spaces a line starts with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// blockEnd is the last line of the block that starts at a line and consists of the
// lines below that are indented deeper than its first character. Comments belong to
// it when they are indented so too and no blank line comes before.
func (s *source) blockEnd(first, column int) int {
	last, gap := first, false
	for i := first + 1; i < len(s.lines); i++ {
		line := s.text(i)
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			gap = true
		case trimmed[0] == '#':
			if !gap && indent(line) > column {
				last = i
			} else {
				gap = true
			}
		case indent(line) <= column:
			return last
		default:
			last, gap = i, false
		}
	}
	return last
}

// insertAfter puts whole lines after a line; text has no line break at its end.
func (s *source) insertAfter(line int, text string) edit {
	if line+1 < len(s.lines) {
		return edit{s.next(line), s.next(line), text + s.newline}
	}
	return edit{len(s.data), len(s.data), s.newline + text}
}

// removeLines removes whole lines, both ends included. When the last of them is the
// file's and has no line break, the one before the first goes instead.
func (s *source) removeLines(first, last int) edit {
	if last+1 >= len(s.lines) && first > 0 {
		return edit{s.lines[first-1].end, len(s.data), ""}
	}
	return edit{s.lines[first].start, s.next(last), ""}
}
