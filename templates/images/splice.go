package images

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

var errNotFound = errors.New("the value is not where the parser says")

// change replaces the end of a scalar, from, by to. What precedes it stays.
type change struct {
	node     *yaml.Node
	from, to string
}

// value is the scalar's value after the change. Line breaks at the end of a block
// scalar stay.
func (c change) value() string {
	kept, breaks := trimBreaks(c.node)
	return strings.TrimSuffix(kept, c.from) + c.to + breaks
}

// trimBreaks is the value of a scalar without the line breaks that end a block.
func trimBreaks(n *yaml.Node) (value, breaks string) {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return n.Value, ""
	}
	value = strings.TrimRight(n.Value, "\n")
	return value, n.Value[len(value):]
}

// span is the text that takes the place of the bytes from start to end.
type span struct {
	start, end int
	text       string
}

// locate says which bytes are to be replaced for a change.
func (l lines) locate(c change) (span, error) {
	at, ok := l.offset(c.node)
	if ok {
		at = skipProperties(l.text, at)
	}
	if !ok || at >= len(l.text) {
		return span{}, errNotFound
	}
	switch {
	case c.node.Style&yaml.DoubleQuotedStyle != 0:
		return l.quoted(c, at, '"')
	case c.node.Style&yaml.SingleQuotedStyle != 0:
		return l.quoted(c, at, '\'')
	case c.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return l.block(c, at)
	}
	return l.plain(c, at)
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

// plain replaces within an unquoted scalar. Such a value has no blanks here, so it
// stands in the text as it is. It is quoted when the new value must be.
func (l lines) plain(c change, at int) (span, error) {
	if !bytes.HasPrefix(l.text[at:], []byte(c.node.Value)) {
		return span{}, errNotFound
	}
	end := at + len(c.node.Value)
	if strings.ContainsAny(c.to, "[]") { // an IPv6 host
		text, err := quote(c.value())
		return span{at, end, text}, err
	}
	return span{end - len(c.from), end, c.to}, nil
}

// quoted replaces within the quotes: only the image's bytes when they stand there
// as they are, else, where escapes are among them, the whole value.
func (l lines) quoted(c change, at int, mark byte) (span, error) {
	end, ok := closing(l.text, at, mark)
	if !ok {
		return span{}, errNotFound
	}
	if bytes.HasSuffix(l.text[at+1:end], []byte(c.from)) {
		return span{end - len(c.from), end, c.to}, nil
	}
	if mark != '"' {
		return span{}, errNotFound
	}
	text, err := quote(c.value())
	return span{at, end + 1, text}, err
}

// closing finds the quote that ends the one at a place.
func closing(text []byte, at int, mark byte) (int, bool) {
	if text[at] != mark {
		return 0, false
	}
	for i := at + 1; i < len(text); i++ {
		switch {
		case mark == '"' && text[i] == '\\':
			i++
		case text[i] != mark:
		case mark == '\'' && i+1 < len(text) && text[i+1] == mark:
			i++
		default:
			return i, true
		}
	}
	return 0, false
}

// block replaces within a literal or folded scalar, whose value here is one line
// below the header.
func (l lines) block(c change, at int) (span, error) {
	isBreak := func(b []byte) bool { return lineBreak(b) > 0 }
	at += until(l.text[at:], isBreak)
	at += lineBreak(l.text[at:])
	at += until(l.text[at:], func(b []byte) bool { return b[0] != ' ' })
	value, _ := trimBreaks(c.node)
	end := at + until(l.text[at:], isBreak)
	if string(l.text[at:end]) != value {
		return span{}, errNotFound
	}
	return span{end - len(c.from), end, c.to}, nil
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
