package images

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func stringNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// FuzzRewrite checks for rules of any kind that rewriting twice is rewriting once,
// that the result is a reference, and that tag and digest stay.
func FuzzRewrite(f *testing.F) {
	for _, ref := range []string{"nginx", "nginx:1" + sum, "a.io/x/y:1", "localhost/x", "[::1]:5000/x", "docker.io/x", "b.io"} {
		f.Add(ref, "docker.io/library", "a.io/x", "a.io", "a.io/mirror")
		f.Add(ref, "a.io", "b.io", "docker.io", "docker.io/x")
		f.Add(ref, "a.io/x", "docker.io", "index.docker.io/y", "A.io:5000")
	}
	f.Fuzz(func(t *testing.T, ref, from1, to1, from2, to2 string) {
		rules, err := NewRules([]Rule{{from1, to1}, {from2, to2}})
		if err != nil {
			if rules, err = NewRules([]Rule{{from1, to1}}); err != nil {
				t.Skip()
			}
		}
		got, err := rules.Rewrite(ref)
		if err != nil {
			if got != "" {
				t.Errorf("Rewrite(%q) = %q beside %v", ref, got, err)
			}
			return
		}
		again, err := rules.Rewrite(got)
		if err != nil || again != got {
			t.Errorf("%+v: %q became %q, then %q, %v", rules, ref, got, again, err)
		}
		before, err := parse(ref)
		if err != nil {
			t.Fatalf("%q was rewritten: %v", ref, err)
		}
		after, err := parse(got)
		if err != nil || after.Tag != before.Tag || after.Digest != before.Digest {
			t.Errorf("%q became %q, %v", ref, got, err)
		}
	})
}

// FuzzRewriteStream checks that rewriting twice is rewriting once, that it finds the
// same, and that both texts differ in images only.
func FuzzRewriteStream(f *testing.F) {
	for _, path := range inputs(f) {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(pod("  containers:\n  - image: &i nginx\n  - image: *i\n")))
	f.Add([]byte(pod("  containers:\n  - &c {image: |\n      nginx\n}\n")))
	for _, image := range []string{"nginx # x", "'nginx'", "\"ngin\\x78\"", "|-\n      nginx", ">\n\n      nginx\n", "!!str nginx", "&a nginx", "{x: nginx}", "[nginx]"} {
		f.Add([]byte(pod("  containers:\n  - image: " + image + "\n    args: [*a, --ü=nginx:1.27]\n")))
		f.Add([]byte(pod("  containers:\n  - {image: " + image + ", env: [{value: nginx:1.27}]}\n")))
	}
	const config = "kind: ConfigMap\napiVersion: v1\ndata:\n  a: "
	for _, text := range []string{
		"|\n    kind: Pod\n    apiVersion: v1\n    spec:\n      containers: [{image: nginx}]\n", `'{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"ngi\u006ex"}]}}'`,
		`"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"containers\":[{\"image\":\"nginx\"}]}}"`, "|2-\n\n     x=nginx:1.27,y\n\n    nginx:1.27\n", "'it''s=nginx:1.27'", "{repository: docker.io/library/nginx, tag: 1.27}",
	} {
		f.Add([]byte(config + text))
	}
	options := testOptions(f)
	options.Fields = []Field{{Path: "data/x"}, {Kind: "A", Path: "spec/*/image"}}
	f.Fuzz(func(t *testing.T, text []byte) {
		result, err := RewriteStream(text, options)
		if err != nil {
			return
		}
		again, err := RewriteStream(result.Text, options)
		if err != nil || !bytes.Equal(again.Text, result.Text) {
			t.Fatalf("%q became %q, then %q, %v", text, result.Text, again.Text, err)
		}
		if len(again.Images) != len(result.Images) || len(again.Suspects) != len(result.Suspects) {
			t.Errorf("%q: %s, then %s", text, report(result), report(again))
		}
		before, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		after, err := read(result.Text)
		if err != nil {
			t.Fatal(err)
		}
		differ(t, flatten(nil, before), flatten(nil, after), result.Images)
	})
}

func differ(t *testing.T, before, after []*yaml.Node, images []Image) {
	t.Helper()
	if len(before) != len(after) {
		t.Fatalf("%d nodes became %d", len(before), len(after))
	}
	for i, n := range before {
		m := after[i]
		if !alike(n, m) {
			t.Fatalf("%+v became %+v", n, m)
		}
		ok := n.Value == m.Value
		for _, image := range images {
			ok = ok || strings.Replace(n.Value, image.From, image.To, 1) == m.Value
		}
		if !ok && !explainedInParts(n.Value, m.Value, images) {
			t.Fatalf("%q became %q", n.Value, m.Value)
		}
	}
}

// explainedInParts says that a text differs from another one in images only: several, or in texts
// within it, where they may be in escapes.
func explainedInParts(old, now string, images []Image) bool {
	for _, image := range images {
		if strings.Contains(image.From, old) && strings.Contains(image.To, now) {
			return true // a part that has a field of its own
		}
		if image.From != image.To {
			now = strings.ReplaceAll(now, image.To, image.From)
		}
	}
	for _, image := range images { // both in one spelling
		old, now = strings.ReplaceAll(old, image.To, image.From), strings.ReplaceAll(now, image.To, image.From)
	}
	return old == now || strings.ContainsAny(old, "\\")
}
