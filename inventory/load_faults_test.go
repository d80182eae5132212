package inventory

import (
	"strings"
	"testing"
)

// TestNotYAML has files that cannot be decoded at all, and the one thing that is said of each.
func TestNotYAML(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "line 1: the file is empty; `fairlead init` writes one to start from"},
		{"# nothing\n\n", "line 1: the file is empty; `fairlead init` writes one to start from"},
		{"---\n", "line 2: the file must be a mapping that starts with apiVersion: fairlead/v1"},
		{"\n\ntext\n", "line 3: the file must be a mapping that starts with apiVersion: fairlead/v1"},
		{"\n- a\n", "line 2: the file must be a mapping that starts with apiVersion: fairlead/v1"},
		{"a: b\n---\nc: d\n", "line 2: a second document starts here; a cluster file holds exactly one"},
		{"a: b\n---\n", "line 2: a second document starts here; a cluster file holds exactly one"},
		{"a: b\n...\n", ""},
		{"a: b\n---\nc: [\n", "line 4: not valid YAML: did not find expected node content"},
		{"a: b\nc: \xff\n", "line 2: the file is not UTF-8 text"},
		{"\xff\xfea\x00:\x00", "line 1: the file is not UTF-8 text"},
		{"a: \xe2\x82\nb: c\n", "line 1: the file is not UTF-8 text"},
		{"a:\n  b: c\n\td: e\n", "line 3: the line is indented with a tab; YAML takes only spaces"},
		{"a:\n  b: [\n \t c: e\n", "line 3: the line is indented with a tab; YAML takes only spaces"},
		{"a: b\n\t\nc: d: e\n", "line 2: not valid YAML: found a tab character that violates indentation"},
		{"a: *nope\n", "line 1: not valid YAML: unknown anchor 'nope' referenced"},
		{"a: b\nc:\n  d: *nope\n", "line 3: not valid YAML: unknown anchor 'nope' referenced"},
		{"a: b\nc: d: e\n", "line 2: not valid YAML: mapping values are not allowed in this context"},
		{"a: b\n  c: d\n", "line 2: not valid YAML: mapping values are not allowed in this context"},
		{"a:\n  b: c\n d: e\n", "line 3: not valid YAML: did not find expected key"},
		{"a: 'b\nc: d\n", "line 3: not valid YAML: found unexpected end of stream"},
		{"a: \"\\q\"\n", "line 1: not valid YAML: found unknown escape character"},
		{"a: b\nc: {d: e\nf: g\n", "line 2: not valid YAML: did not find expected ',' or '}'"},
		{"a: @b\n", "line 1: not valid YAML: found character that cannot start any token"},
		{"a: b\nc: %d\n", "line 2: not valid YAML: found character that cannot start any token"},
		{"a: &\n", "line 1: not valid YAML: did not find expected alphabetic or numeric character"},
		{"a: b\x01\n", "line 1: not valid YAML: control characters are not allowed"},
	} {
		got := strings.Join(problemsOf(t, c.file), "\n")
		if c.want == "" {
			if strings.Contains(got, "YAML") || strings.Contains(got, "document") {
				t.Errorf("%q: %s", c.file, got)
			}
		} else if got != c.want {
			t.Errorf("%q\ngot:  %s\nwant: %s", c.file, got, c.want)
		}
	}
}
