package inventory

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSourceLines(t *testing.T) {
	for _, c := range []struct {
		text, newline string
		lines         []string
	}{
		{"", "\n", []string{""}},
		{"a", "\n", []string{"a"}},
		{"a\n", "\n", []string{"a", ""}},
		{"a\r\nb\r\n", "\r\n", []string{"a", "b", ""}},
		{"a\nb\r\nc", "\n", []string{"a", "b", "c"}},
		{"a\r\nb\nc", "\r\n", []string{"a", "b", "c"}},
		{"a\rb\u0085c\u2028d\u2029e", "\n", []string{"a", "b", "c", "d", "e"}},
		{"ä\u2027ö", "\n", []string{"ä\u2027ö"}},
		{"\u2028\n", "\n", []string{"", "", ""}},
	} {
		s := newSource([]byte(c.text))
		var lines []string
		for i := range s.lines {
			lines = append(lines, s.text(i))
		}
		if !slices.Equal(lines, c.lines) || s.newline != c.newline {
			t.Errorf("%q: lines %q that end in %q", c.text, lines, s.newline)
		}
		for i := range s.lines {
			want := len(c.text)
			if i+1 < len(s.lines) {
				want = s.lines[i+1].start
			}
			if s.next(i) != want || s.lineAt(s.lines[i].start) != i || s.lineAt(s.lines[i].end) != i {
				t.Errorf("%q: line %d goes to %d and holds %d, %d", c.text, i, s.next(i), s.lineAt(s.lines[i].start), s.lineAt(s.lines[i].end))
			}
		}
	}
}

func TestOffset(t *testing.T) {
	s := newSource([]byte("ab\näö→x\n"))
	for _, c := range []struct{ line, column, want int }{
		{1, 1, 0}, {1, 2, 1}, {1, 3, 2}, {2, 1, 3}, {2, 2, 5}, {2, 4, 10}, {2, 5, 11}, {3, 1, 12}, // at the end of a line, too
		{0, 1, -1}, {4, 1, -1}, {1, 4, -1}, {2, 6, -1}, {3, 2, -1},
	} {
		got, ok := s.offset(&yaml.Node{Line: c.line, Column: c.column})
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("line %d, column %d: at %d, want %d", c.line, c.column, got, c.want)
		}
	}
}

// TestFlow marks with « the node and with » the end of its flow collection.
func TestFlow(t *testing.T) {
	for _, marked := range []string{
		"«[]»", "«{}» # }", "a: «{b: [c, {d: e}]}»\n", "a: [«{b: c}», {d: e}]", "«[\n]»",
		`«{a: "]}"}»`, `«{a: ']}'}»`, `«{a: 'it''s ]'}»`, `«{a: ''}»`, `«{a: '''}'}»`, `«{a: "\"}"}»`, `«{a: "\\"}» "}`, `«{"a}":"b}"}»`, `«["}",'}']»`,
		"«{a: b # }\n}»", "«[a#, b]» # ]", "«{a: b's, c: d}» 's}", `«{a: b"s}» "}`, "«{a: b\t# }\n}»", "«{a: 'b\n}'}»", "«[[],\n[]]»]",
	} {
		start, end := strings.Index(marked, "«"), strings.Index(marked, "»")-len("«")
		text := strings.NewReplacer("«", "", "»", "").Replace(marked)
		s := newSource([]byte(text))
		line := s.lineAt(start)
		got, ok := s.flow(&yaml.Node{Line: line + 1, Column: start - s.lines[line].start + 1})
		if !ok || got != (span{start, end}) {
			t.Errorf("%s: %+v, %v, want %d to %d", marked, got, ok, start, end)
		}
	}
	for _, text := range []string{"", "a", "\"[]\"", "[", "{a: [}", "{a: 'b}", `{a: "b\}`, "[ # ]", "[']"} {
		if got, ok := newSource([]byte(text)).flow(&yaml.Node{Line: 1, Column: 1}); ok {
			t.Errorf("%q: ends at %+v", text, got)
		}
	}
	if got, ok := newSource([]byte("[]")).flow(&yaml.Node{Line: 2, Column: 1}); ok {
		t.Errorf("beyond the file: %+v", got)
	}
}

// TestBlockEnd marks each line of a block but the first with a bar.
func TestBlockEnd(t *testing.T) {
	for name, marked := range map[string]string{
		"to the end":                     "- a\n|  b\n|  c",
		"one line":                       "- a\n- b",
		"less indented":                  "  - a\n|    b\nc",
		"blank lines inside":             "- a\n|\n|  b\n- c",
		"blank lines behind":             "- a\n|  b\n\n- c",
		"comment inside":                 "- a\n|  # b\n- c",
		"comment of the next":            "- a\n# b\n- c",
		"comment behind a blank line":    "- a\n|  b\n\n  # c\n- d",
		"comment, blank line, more":      "- a\n|  # b\n|\n|  c\n- d",
		"comment left, then one inside":  "- a\n# b\n  # c\n- d",
		"comment left, then more":        "- a\n|# b\n|  c\n- d",
		"comments, the second one left":  "- a\n|  # b\n# c\n- d",
		"white space is a blank line":    "- a\n|  b\n   \n  # c\n- d",
		"comment at the block's column":  "  - a\n  # b\n  - c",
		"comment a column deeper":        "  - a\n|   # b\n  - c",
		"more, a column deeper":          "  - a\n|   b\n  - c",
		"two comments and a blank line":  "- a\n|  # b\n|  # c\n\n  # d",
		"text, gap closed, then comment": "- a\n|\n|  b\n|  # c\n- d",
	} {
		want := strings.Count(marked, "|")
		s := newSource([]byte(strings.ReplaceAll(marked, "|", "")))
		if got := s.blockEnd(0, indent(s.text(0))); got != want {
			t.Errorf("%s: ends with line %d, want %d", name, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		edit       func(*source) edit
		want       string
	}{
		{"after a line", "a\nb\n", func(s *source) edit { return s.insertAfter(0, "x") }, "a\nx\nb\n"},
		{"after the last with a break", "a\nb\n", func(s *source) edit { return s.insertAfter(1, "x") }, "a\nb\nx\n"},
		{"after the last", "a\r\nb", func(s *source) edit { return s.insertAfter(1, "x") }, "a\r\nb\r\nx"},
		{"remove the first", "a\nb\nc", func(s *source) edit { return s.removeLines(0, 0) }, "b\nc"},
		{"remove some", "a\nb\nc\nd\n", func(s *source) edit { return s.removeLines(1, 2) }, "a\nd\n"},
		{"remove the last", "a\nb", func(s *source) edit { return s.removeLines(1, 1) }, "a"},
		{"remove the last with a break", "a\nb\n", func(s *source) edit { return s.removeLines(1, 1) }, "a\n"},
		{"remove all", "a\nb", func(s *source) edit { return s.removeLines(0, 1) }, ""},
		{"cut with a space", "a: ~ # b", func(s *source) edit { return s.cut(span{3, 4}) }, "a: # b"},
		{"cut without one", "a:~", func(s *source) edit { return s.cut(span{2, 3}) }, "a:"},
		{"cut at the start", "~ a", func(s *source) edit { return s.cut(span{0, 1}) }, " a"},
	} {
		s := newSource([]byte(c.text))
		if got := s.apply([]edit{c.edit(s)}); string(got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s := newSource([]byte("abcdef"))
	edits := []edit{{4, 5, "E"}, {1, 1, "x"}, {1, 1, "y"}, {1, 3, "z"}, {6, 6, "!"}}
	if got := s.apply(edits); !bytes.Equal(got, []byte("axyzdEf!")) {
		t.Errorf("several edits: %s", got)
	}
}
