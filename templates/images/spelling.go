package images

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// spelling says where in the text each byte of a scalar's value stands, and where the value ends.
// Bytes of one escape stand where that begins. Values whose spelling folds lines are not found.
// Line breaks that end a block scalar are not part of it.
func (l *lines) spelling(n *yaml.Node) ([]int, bool) {
	start, ok := l.offset(n)
	if ok {
		start = skipProperties(l.text, start)
	}
	if !ok || start >= len(l.text) {
		return nil, false
	}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return l.doubleQuoted(n.Value, start)
	case n.Style&yaml.SingleQuotedStyle != 0:
		return l.singleQuoted(n.Value, start)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		value := withoutBreaks(n)
		return l.block(value, start)
	}
	if !bytes.HasPrefix(l.text[start:], []byte(n.Value)) {
		return nil, false
	}
	at := make([]int, len(n.Value)+1)
	for i := range at {
		at[i] = start + i
	}
	return at, true
}

// writable says that parts of a scalar can be replaced.
func (l *lines) writable(n *yaml.Node) bool {
	_, ok := l.spelling(n)
	return ok
}

func (l *lines) singleQuoted(value string, start int) ([]int, bool) {
	if l.text[start] != '\'' {
		return nil, false
	}
	at, pos := make([]int, 0, len(value)+1), start+1
	for i := range len(value) {
		if pos >= len(l.text) || l.text[pos] != value[i] {
			return nil, false
		}
		at = append(at, pos)
		if pos++; value[i] == '\'' {
			pos++ // it stands there twice
		}
	}
	return append(at, pos), pos < len(l.text) && l.text[pos] == '\''
}

func (l *lines) doubleQuoted(value string, start int) ([]int, bool) {
	if l.text[start] != '"' {
		return nil, false
	}
	at, pos := make([]int, 0, len(value)+1), start+1
	for i := 0; i < len(value); {
		pos += continuation(l.text[pos:])
		piece, size := unescape(l.text[pos:])
		if size == 0 || !strings.HasPrefix(value[i:], piece) {
			return nil, false
		}
		for range len(piece) {
			at = append(at, pos)
		}
		i, pos = i+len(piece), pos+size
	}
	pos += continuation(l.text[pos:])
	return append(at, pos), pos < len(l.text) && l.text[pos] == '"'
}

// continuation is the length of escaped line breaks, with the blanks that begin the next lines.
func continuation(text []byte) int {
	at := 0
	for at+1 < len(text) && text[at] == '\\' && lineBreak(text[at+1:]) > 0 {
		at += 1 + lineBreak(text[at+1:])
		at += until(text[at:], func(b []byte) bool { return b[0] != ' ' && b[0] != '\t' })
	}
	return at
}

// unescape reads one character between double quotes, by the rules of YAML, which has those of
// JSON, and says how long it is in the text; 0: it is none.
func unescape(text []byte) (value string, size int) {
	if len(text) == 0 || text[0] == '"' || lineBreak(text) > 0 {
		return "", 0
	}
	if text[0] != '\\' {
		_, size := utf8.DecodeRune(text)
		return string(text[:size]), size
	}
	if len(text) < 2 {
		return "", 0
	}
	if digits, ok := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]; ok {
		return unescapeCode(text, digits)
	}
	value, ok := map[byte]string{
		'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
		' ': " ", '"': "\"", '/': "/", '\\': "\\", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
	}[text[1]]
	if !ok {
		return "", 0
	}
	return value, 2
}

// unescapeCode reads the code of a character; JSON writes those of high codes as pairs.
func unescapeCode(text []byte, digits int) (value string, size int) {
	code := func(at int) (rune, bool) {
		if at+2+digits > len(text) || text[at] != '\\' || text[at+1] != text[1] {
			return 0, false
		}
		n, err := strconv.ParseUint(string(text[at+2:at+2+digits]), 16, 32)
		return rune(n), err == nil //nolint:gosec // what is no rune is refused below
	}
	first, ok := code(0)
	if !ok {
		return "", 0
	}
	size = 2 + digits
	if 0xd800 <= first && first < 0xdc00 {
		if second, ok := code(size); ok && 0xdc00 <= second && second < 0xe000 {
			return string((first-0xd800)<<10 + (second - 0xdc00) + 0x10000), 2 * size
		}
	}
	return string(first), size
}

// block finds a literal scalar, or a folded one of one line, below its header.
func (l *lines) block(value string, start int) ([]int, bool) {
	isBreak := func(b []byte) bool { return lineBreak(b) > 0 }
	pos := start + until(l.text[start:], isBreak)
	indent, at := -1, make([]int, 0, len(value)+1)
	for k, line := range strings.Split(value, "\n") {
		if k > 0 {
			at = append(at, pos) // the break before this line is a byte of the value
		}
		pos += lineBreak(l.text[pos:])
		length := until(l.text[pos:], isBreak)
		if indent < 0 && line != "" {
			indent = length - len(line)
		}
		if line != "" {
			if indent < 0 || length != indent+len(line) || string(l.text[pos+indent:pos+length]) != line {
				return nil, false
			}
			for i := range len(line) {
				at = append(at, pos+indent+i)
			}
		}
		pos += length
	}
	return append(at, pos), true
}
