package images

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// pod is a pod whose spec starts at line 5.
func pod(spec string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + spec
}

func TestRewriteStreamErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no reference":    {pod("  containers:\n  - image: Nginx\n"), `line 6: Pod p: spec.containers[0].image: image reference "Nginx"`},
		"template":        {pod("  containers: [{image: '{{ .image }}'}]\n"), `line 5: Pod p: spec.containers[0].image: image reference`},
		"number":          {pod("  containers: [{image: 1.27}]\n"), "line 5: Pod p: spec.containers[0].image: the image 1.27 is no string: quote it"},
		"all at once":     {pod("  containers: [{image: A}, {image: nginx}]\n  initContainers:\n  - image: B\n"), "\nline 7: Pod p: spec.initContainers[0].image"},
		"no yaml":         {pod("  a: [\n"), "line 6: not valid YAML: did not find expected node content"},
		"second document": {pod("  a: 1\n---\na: b: c\n"), "line 7: not valid YAML: mapping values are not allowed"},
		"unknown anchor":  {pod("  a: *b\n"), "not valid YAML: unknown anchor 'b' referenced"},
		"no json":         {`{"a": 1} {"b": `, "(as JSON: line 1: unexpected EOF)"},
		"utf-16":          {"\xff\xfea\x00", "line 1: the text is UTF-16"},
		"image and name": {
			pod("  containers:\n  - image: &i nginx\n    name: *i\n"),
			"line 7: Pod p: spec.containers[0].name uses the anchored image nginx of line 6 for something else: write it out here",
		},
		"image and key": {
			pod("  containers:\n  - image: &i nginx\n    ? *i\n    : x\n"),
			"line 7: Pod p: spec.containers[0].nginx uses the anchored image nginx of line 6",
		},
		"image of another document": {
			pod("  containers: [{image: &i nginx}]\n---\na: *i\n"), "line 7: : a uses the anchored image nginx of line 5",
		},
		"alias of itself":      {pod("  a: &a [*a]\n"), "line 5: an anchor holds an alias of itself"},
		"list in itself":       {"kind: List\nitems: &i\n- {kind: List, items: *i}\n", "line 3: an anchor holds an alias of itself"},
		"too deep":             {strings.Repeat("[", 600) + strings.Repeat("]", 600), "line 1: values are nested too deeply"},
		"too deep json":        {strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600), "line 1: values are nested too deeply"},
		"laughs":               {laughs("[*X, *X]"), "aliases repeat the text more than 20 times"},
		"laughs in lists":      {laughs("{kind: List, items: [*X, *X]}"), "aliases repeat the text more than 20 times"},
		"too long by the rule": {pod("  containers: [{image: registry.k8s.io/" + strings.Repeat("a", 253) + "}]"), "line 5: Pod p: spec.containers[0].image: rewrite"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := RewriteStream([]byte(c.text), testOptions(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want %q", err, c.want)
			}
			if !reflect.DeepEqual(got, Result{}) {
				t.Errorf("a result beside the error: %+v", got)
			}
		})
	}
	if _, err := RewriteStream(nil, Options{Known: []string{"A", "b", "C"}}); err == nil || strings.Count(err.Error(), "known images") != 2 {
		t.Errorf("bad known images: %v", err)
	}
}

// laughs doubles a value again and again.
func laughs(double string) string {
	text := "kind: List\nitems:\n- &a0 [x]\n"
	for i := range 40 {
		text += fmt.Sprintf("- &a%d %s\n", i+1, strings.ReplaceAll(double, "X", fmt.Sprintf("a%d", i)))
	}
	return text
}

func TestRewriteStreamMerges(t *testing.T) {
	text := "kind: List\nitems:\n- &a0 {x: y}\n"
	for i := range 60 {
		text += fmt.Sprintf("- &a%d {<<: [*a%d, *a%d], k%d: v}\n", i+1, i, i, i)
	}
	if _, err := RewriteStream([]byte(text), testOptions(t)); err != nil {
		t.Errorf("doubled merges: %v", err)
	}
	self := pod("  a: &a {<<: *a, b: c}\n")
	if _, err := RewriteStream([]byte(self), testOptions(t)); err != nil {
		t.Errorf("a mapping that merges itself: %v", err)
	}
}

// What the goldens cannot show: texts of which little more than the image matters.
func TestRewriteStreamText(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", ""},
		"comment":              {"# nginx\n", "# nginx\n"},
		"only separators":      {"---\n---\n", "---\n---\n"},
		"no object":            {"- nginx\n", "- nginx\n"},
		"continued":            {pod("  containers:\n  - image: \"docker.io/\\\n      nginx\"\n"), pod("  containers:\n  - image: \"registry.lab:5000/library/nginx\"\n")},
		"block keeps its end":  {pod("  containers:\n  - image: |+\n      nginx\n\n\n    name: a\n"), pod("  containers:\n  - image: |+\n      registry.lab:5000/library/nginx\n\n\n    name: a\n")},
		"carriage returns":     {strings.ReplaceAll(pod("  containers: [{image: nginx}]\n"), "\n", "\r"), strings.ReplaceAll(pod("  containers: [{image: registry.lab:5000/library/nginx}]\n"), "\n", "\r")},
		"unicode line breaks":  {pod("  a: \"x\u2028\u2029\u0085\"\n  containers: [{image: nginx}]\n"), pod("  a: \"x\u2028\u2029\u0085\"\n  containers: [{image: registry.lab:5000/library/nginx}]\n")},
		"quoted prefix":        {pod("  containers: [{args: ['--a=nginx:1.27', \"--\\u0062=nginx:1.27\"]}]"), pod("  containers: [{args: ['--a=registry.lab:5000/library/nginx:1.27', \"--\\u0062=registry.lab:5000/library/nginx:1.27\"]}]")},
		"quotes in quotes":     {pod("  containers: [{args: ['--it''s=nginx:1.27', \"--a\\\"b=nginx:1.27\"]}]"), pod("  containers: [{args: ['--it''s=registry.lab:5000/library/nginx:1.27', \"--a\\\"b=registry.lab:5000/library/nginx:1.27\"]}]")},
		"json with a number":   {"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"a\":1e999,\"containers\":[{\"image\":\"nginx\"}]}}{}", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"a\":1e999,\"containers\":[{\"image\":\"registry.lab:5000/library/nginx\"}]}}{}"},
		"known word":           {pod("  containers: [{command: [nginx, a-nginx:1.27, nginx:1.27-x]}]"), pod("  containers: [{command: [nginx, a-nginx:1.27, nginx:1.27-x]}]")},
		"known among others":   {pod("  containers: [{command: [=nginx:1.27, '-x=y=nginx:1.27,z=nginx:1.27']}]"), pod("  containers: [{command: [=registry.lab:5000/library/nginx:1.27, '-x=y=registry.lab:5000/library/nginx:1.27,z=registry.lab:5000/library/nginx:1.27']}]")},
		"merged and overruled": {pod("  a: &a {image: nginx}\n  containers: [{<<: *a, image: x/y}]"), pod("  a: &a {image: nginx}\n  containers: [{<<: *a, image: x/y}]")},
		"containers by alias":  {pod("  containers: &c [{image: nginx}]\n  initContainers: *c"), pod("  containers: &c [{image: registry.lab:5000/library/nginx}]\n  initContainers: *c")},
		"json with mark":       {"\ufeff{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"containers\":[{\"image\":\"nginx\"}]}}", "\ufeff{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"containers\":[{\"image\":\"registry.lab:5000/library/nginx\"}]}}"},
		"json, then yaml":      {"{kind: Pod, apiVersion: v1, spec: {containers: [{\"image\": \"nginx\"}]}}\n---\na: b", "{kind: Pod, apiVersion: v1, spec: {containers: [{\"image\": \"registry.lab:5000/library/nginx\"}]}}\n---\na: b"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := RewriteStream([]byte(c.text), testOptions(t))
			if err != nil || string(got.Text) != c.want {
				t.Errorf("got %q, %v\nwant %q", got.Text, err, c.want)
			}
		})
	}
}

// The comparison is the last guard: whatever the editing did, damage is refused.
func TestApplyRefusesDamage(t *testing.T) {
	text := []byte("a: nginx\nb: [c]\n")
	docs, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	n := docs[0].Content[0].Content[1]
	replaced := func(n *yaml.Node, to string) ([]byte, error) {
		e := newEditor(Options{}, knownImages{}, text)
		e.changes[n] = change{n, []edit{{0, len("nginx"), to}}}
		spans, err := e.spans()
		if err != nil {
			return nil, err
		}
		return apply(text, docs, spans, e.changes)
	}
	for name, to := range map[string]string{"comment": "x #", "mapping": "x: y", "more": "x\nz: y", "no yaml": "'x", "number": "1"} {
		if got, err := replaced(n, to); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	moved := *n
	moved.Column++
	if got, err := replaced(&moved, "x"); !errors.Is(err, errNotFound) {
		t.Errorf("another place: %q, %v", got, err)
	}
	if got, err := replaced(n, "x"); err != nil || string(got) != "a: x\nb: [c]\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestLargeStream(t *testing.T) {
	one := pod("  containers: [{image: nginx}]\n")
	text := strings.Repeat(one+"---\n", 2000)
	result, err := RewriteStream([]byte(text), testOptions(t))
	if err != nil || len(result.Images) != 2000 {
		t.Errorf("%d images, %v", len(result.Images), err)
	}
	minified := strings.Repeat(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"nginx"}]}}`, 2000)
	result, err = RewriteStream([]byte(minified), testOptions(t))
	if err != nil || len(result.Images) != 2000 {
		t.Errorf("%d images, %v", len(result.Images), err)
	}
}

// A text of one long line is read once, not once for each image in it.
func TestLongLineIsReadOnce(t *testing.T) {
	text := []byte(strings.Repeat("ä", 1000))
	l := newLines(text)
	for column := 1; column <= 1000; column += 10 {
		if at, ok := l.offset(&yaml.Node{Line: 1, Column: column}); !ok || at != 2*(column-1) || l.last != (mark{at, 1, column}) {
			t.Fatalf("column %d is at %d, %v; the next is looked for from %+v", column, at, ok, l.last)
		}
		for i := range l.last.offset { // who reads it again comes elsewhere
			text[i] = 'a'
		}
	}
	if at, ok := l.offset(&yaml.Node{Line: 1, Column: 3}); !ok || at != 2 {
		t.Errorf("back to column 3: %d, %v", at, ok)
	}
	if _, ok := newLines([]byte("ab")).offset(&yaml.Node{Line: 1, Column: 4}); ok {
		t.Error("there is a column behind the end")
	}
	// Changes are looked for in the order of the text, whatever the order in which they are kept.
	e := newEditor(Options{}, knownImages{}, []byte(`["a","b","c","d","e","f","g","h"]`))
	docs, err := read(e.lines.text)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range docs[0].Content[0].Content {
		e.changes[n] = change{n, []edit{{0, 1, "x"}}}
	}
	spans, err := e.spans()
	if err != nil || len(spans) != 8 || !slices.IsSortedFunc(spans, func(a, b span) int { return a.start - b.start }) {
		t.Errorf("%+v, %v", spans, err)
	}
}

// A single word is an image only where it is listed as that word.
func TestKnownWord(t *testing.T) {
	text := pod("  containers: [{command: [nginx], args: [--image=nginx, 'nginx:latest']}]")
	for _, c := range []struct {
		known string
		want  int
	}{{"docker.io/library/nginx", 1}, {"nginx", 3}} {
		got, err := RewriteStream([]byte(text), Options{Rules: testRules(t), Known: []string{c.known}})
		if err != nil || len(got.Images) != c.want {
			t.Errorf("known %s: %+v, %v; want %d images", c.known, got.Images, err, c.want)
		}
	}
}

func TestSuspicion(t *testing.T) {
	const other, argument = "field", "argument"
	for _, c := range []struct {
		kind, field, value, want string
	}{
		{other, "x", "quay.io/a/b:v1", "quay.io/a/b:v1"},
		{other, "x", "quay.io/a/b" + sum, "quay.io/a/b" + sum},
		{other, "x", "localhost/a:1", "localhost/a:1"},
		{other, "x", "registry:5000/a:1", "registry:5000/a:1"},
		{other, "x", "quay.io/a/b", ""},
		{other, "x", "a/b:v1", ""},
		{other, "x", "word", ""},
		{other, "image", "word", "word"},
		{other, "sidecarImage", "a/b", "a/b"},
		{other, "imageName", "a:1", "a:1"},
		{other, "imagePullPolicy", "always", ""},
		{other, "imageUrl", "https://quay.io/a/b:v1", ""},
		{other, "image", "https://quay.io/a/b:v1", ""},
		{other, "image", "/var/lib/image", ""},
		{other, "image", "./image:1", ""},
		{other, "image", ">=1.2", ""},
		{other, "image", "user@example.com", ""},
		{other, "image", "1.5Gi", ""},
		{other, "image", "", ""},
		{argument, "args", "--x=quay.io/a/b:v1", "quay.io/a/b:v1"},
		{argument, "args", "--x=a/b:v1", ""},
		{argument, "args", "--x-image=a/b:v1", "a/b:v1"},
		{argument, "args", "--x-image=quay.io/a/b", "quay.io/a/b"},
		{argument, "args", "--x-image=word", ""},
		{argument, "args", "--image-pull=a/b:v1", ""},
		{argument, "X_IMAGE", "a/b:v1", "a/b:v1"},
		{argument, "RELATED_IMAGE_X", "a/b:v1", "a/b:v1"},
		{argument, "X_IMAGE", "word", ""},
	} {
		u := use{node: stringNode(c.value), at: place{field: c.field}}
		if c.kind == argument {
			u.role = roleArgument
		}
		if got, ok := suspicion(u); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s %s: %s: suspicion %q, %v; want %q", c.kind, c.field, c.value, got, ok, c.want)
		}
	}
}

// Images of well-known add-ons are found outside of image fields, with any version, also
// under the names that an earlier rewriting gave them. A name without a version is none.
func TestAddonImages(t *testing.T) {
	rules := testRules(t)
	for _, images := range addonImages() {
		if images.addon == "" || images.where == "" {
			t.Errorf("%+v says not whose it is", images)
		}
		for _, repository := range images.repositories {
			to, err := rules.Rewrite(repository)
			if err != nil {
				t.Fatal(err)
			}
			for value, want := range map[string]string{
				repository + ":v1":       to + ":v1",
				repository + sum:         to + sum,
				to + ":v1":               to + ":v1",
				repository:               "",
				repository + "-other:v1": "",
				repository + "/x:v1":     "",
			} {
				got, err := RewriteStream([]byte(pod("  containers: [{env: [{name: X, value: '"+value+"'}], args: ['--x="+value+"']}]")), Options{Rules: rules})
				if err != nil {
					t.Fatal(err)
				}
				for _, image := range got.Images {
					if image.From != value || image.To != want {
						t.Errorf("%s becomes %s, want %s", value, image.To, want)
					}
				}
				if found := len(got.Images) > 0; found != (want != "") {
					t.Errorf("%s: %d images", value, len(got.Images))
				}
			}
		}
	}
}
