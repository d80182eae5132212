package images

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// found is what a rewriting found, one line each: "5: a -> b" for an image that was renamed, "5: a"
// for one that keeps its name, "5? a" for one that was left alone.
func found(r Result) []string {
	var lines []string
	for _, i := range r.Images {
		line := fmt.Sprintf("%d: %s", i.Line, i.From)
		if i.To != i.From {
			line += " -> " + i.To
		}
		lines = append(lines, line)
	}
	for _, s := range r.Suspects {
		lines = append(lines, fmt.Sprintf("%d? %s", s.Line, s.Value))
	}
	return lines
}

// Wherever an image can stand: what certainly is one is renamed, and what a rule would rename
// otherwise is reported with its line. Known and Fields make it certain.
func TestPlaces(t *testing.T) {
	const (
		collector = "quay.io/acme/collector:v3.1"
		mirrored  = "quay.io/mirror/acme/collector:v3.1"
		head      = "apiVersion: metrics.example/v1\nkind: Collector\nmetadata: {name: main}\n" // three lines
		config    = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
	)
	field := func(path string) []Field { return []Field{{Kind: "Collector", Path: path}} }
	renamed := func(line int) []string { return []string{fmt.Sprintf("%d: %s -> %s", line, collector, mirrored)} }
	suspected := func(line int) []string { return []string{fmt.Sprintf("%d? %s", line, collector)} }
	for name, c := range map[string]struct {
		text   string
		known  []string
		fields []Field
		want   []string
		change [2]string // in the text; empty: nothing changes
	}{
		"pod in a ConfigMap": {
			text: config + "  helper.yaml: |-\n    apiVersion: v1\n    kind: Pod\n    metadata:\n      name: h\n    spec:\n      containers:\n      - name: h\n        image: docker.io/library/toolbox\n",
			want: []string{"13: docker.io/library/toolbox -> registry.lab:5000/library/toolbox"}, change: [2]string{"docker.io/library", "registry.lab:5000/library"},
		},
		"pod in a ConfigMap, in JSON": {
			text: config + `  helper.json: '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"it''s"},"spec":{"containers":[{"name":"h","image":"toolbox"}]}}'`,
			want: []string{"5: toolbox -> registry.lab:5000/library/toolbox"}, change: [2]string{`"toolbox"`, `"registry.lab:5000/library/toolbox"`},
		},
		"pod in a ConfigMap, in escapes": {
			text: config + `  helper.json: "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"docker.io\\/library\\/toolbox\"}]}}"`,
			want: []string{"5: docker.io/library/toolbox -> registry.lab:5000/library/toolbox"}, change: [2]string{`docker.io\\/library\\/toolbox`, "registry.lab:5000/library/toolbox"},
		},
		"pod in a ConfigMap, folded": {
			text: config + "  helper.json: >-\n    {\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n    \"spec\":{\"containers\":[{\"image\":\"docker.io/library/toolbox:1\"}]}}\n",
			want: []string{"6? docker.io/library/toolbox:1"},
		},
		"pod of a template": {
			text: config + "  t: |\n    image: quay.io/a/b\n    {{- if .x }}\n    image: {{ .image | default \"quay.io/acme/collector:v3.1\" }}\n",
			want: []string{"6? quay.io/a/b", "8? " + collector},
		},
		"text of a ConfigMap":        {text: config + "  run.sh: |\n    #!/bin/sh\n\n    ctr pull " + collector + "\n", want: suspected(8)},
		"known in a text":            {text: config + "  run.sh: |\n    #!/bin/sh\n\n    ctr pull " + collector + " && x\n", known: []string{collector}, want: renamed(8), change: [2]string{collector, mirrored}},
		"objects in a ConfigMap":     {text: config + "  c.yaml: |\n    # with a comment\n    sidecar: {image: " + collector + "}\n", want: suspected(7)},
		"known in objects":           {text: config + "  c.yaml: |\n    # with a comment\n    sidecar: {image: " + collector + "}\n", known: []string{collector}, want: renamed(7), change: [2]string{collector, mirrored}},
		"map in an argument":         {text: pod("  containers:\n  - args: ['--map=3.0=quay.io/acme/collector:v3.0,3.1=" + collector + "']\n"), want: []string{"6? quay.io/acme/collector:v3.0", "6? " + collector}},
		"known in a map":             {text: pod("  containers:\n  - args: ['--map=3.0=a,3.1=" + collector + "']\n"), known: []string{collector}, want: renamed(6), change: [2]string{collector, mirrored}},
		"JSON in the environment":    {text: pod("  containers:\n  - env: [{name: X, value: '{\"a\":[\"" + collector + "\"]}'}]\n"), want: suspected(6)},
		"known in JSON":              {text: pod("  containers:\n  - env: [{name: X, value: '{\"a\":[\"" + collector + "\"]}'}]\n"), known: []string{collector}, want: renamed(6), change: [2]string{collector, mirrored}},
		"word of Docker Hub":         {text: pod("  containers:\n  - args: [--sidecar-image=nginx, --x=nginx]\n"), want: []string{"6? nginx"}},
		"custom resource":            {text: head + "spec:\n  image: " + collector + "\n", want: suspected(5)},
		"known in a custom resource": {text: head + "spec:\n  image: " + collector + "\n", known: []string{collector}, want: renamed(5), change: [2]string{collector, mirrored}},
		"known by its full name":     {text: head + "spec:\n  x: docker.io/library/nginx:9\n", known: []string{"nginx:9"}, want: []string{"5: docker.io/library/nginx:9 -> registry.lab:5000/library/nginx:9"}, change: [2]string{"docker.io", "registry.lab:5000"}},
		"known word elsewhere":       {text: head + "spec:\n  app: nginx\n", known: []string{"nginx"}},
		"named field":                {text: head + "spec:\n  image: " + collector + "\n", fields: field("spec/image"), want: renamed(5), change: [2]string{collector, mirrored}},
		"named field of Docker Hub":  {text: head + "spec:\n  x: nginx\n", fields: field("/spec/x"), want: []string{"5: nginx -> registry.lab:5000/library/nginx"}, change: [2]string{"x: nginx", "x: registry.lab:5000/library/nginx"}},
		"named field in lists":       {text: head + "spec:\n  pools:\n  - images: [nginx:2]\n", fields: field("spec/pools/images[]"), want: []string{"6: nginx:2 -> registry.lab:5000/library/nginx:2"}, change: [2]string{"nginx:2", "registry.lab:5000/library/nginx:2"}},
		"named by any key":           {text: head + "spec:\n  a: {image: " + collector + "}\n", fields: field("spec/*/image"), want: renamed(5), change: [2]string{collector, mirrored}},
		"named by a key with a /":    {text: head + "spec: {a/b: " + collector + "}\n", fields: field(`spec/a\/b`), want: renamed(4), change: [2]string{collector, mirrored}},
		"named in another kind":      {text: head + "spec:\n  image: " + collector + "\n", fields: []Field{{Kind: "Pool", Path: "spec/image"}}, want: suspected(5)},
		"named in another group":     {text: head + "spec:\n  image: " + collector + "\n", fields: []Field{{Group: "x.example", Path: "spec/image"}}, want: suspected(5)},
		"named in the version":       {text: head + "spec:\n  image: " + collector + "\n", fields: []Field{{Group: "metrics.example", Version: "v1", Path: "spec/image"}}, want: renamed(5), change: [2]string{collector, mirrored}},
		"named list in a text":       {text: head + "spec:\n  x: 'a=" + collector + ";b=true'\n", fields: field("spec/x"), want: renamed(5), change: [2]string{collector, mirrored}},
		"repository and tag":         {text: head + "spec:\n  image:\n    repository: quay.io/acme/collector\n    tag: v3.1\n", want: suspected(6)},
		"repository and tag, known":  {text: head + "spec:\n  image:\n    repository: quay.io/acme/collector\n    tag: v3.1\n", known: []string{collector}, want: renamed(6), change: [2]string{"quay.io/", "quay.io/mirror/"}},
		"repository and tag, named":  {text: head + "spec:\n  image: {repository: quay.io/acme/collector, tag: 3.1}\n", fields: field("spec/image/repository"), want: []string{"5: quay.io/acme/collector:3.1 -> quay.io/mirror/acme/collector:3.1"}, change: [2]string{"quay.io/", "quay.io/mirror/"}},
		"their mapping, named":       {text: head + "spec:\n  image: {repository: quay.io/acme/collector, tag: v3.1}\n", fields: field("spec/image"), want: renamed(5), change: [2]string{"quay.io/", "quay.io/mirror/"}},
		"registry apart":             {text: head + "spec:\n  image: {registry: docker.io, repository: library/nginx, tag: v3}\n", fields: field("spec/image"), want: []string{"5: docker.io/library/nginx:v3 -> registry.lab:5000/library/nginx:v3"}, change: [2]string{"docker.io", "registry.lab:5000"}},
		"last name apart":            {text: head + "spec:\n  driver: {repository: quay.io/acme, image: collector, version: v3.1}\n", known: []string{collector}, want: renamed(5), change: [2]string{"quay.io/acme", "quay.io/mirror/acme"}},
		"digest apart":               {text: head + "spec:\n  image: {repository: quay.io/acme/collector, digest: \"" + sum[1:] + "\"}\n", want: []string{"5? quay.io/acme/collector" + sum}},
		"a version of something":     {text: head + "spec: {repository: https://git.example/a.git, tag: v1, name: x, version: v2}\n"},
		"registry":                   {text: head + "spec:\n  registry: quay.io/\n", want: []string{"5? quay.io/"}},
		"registry, named":            {text: head + "spec:\n  registry: quay.io/\n", fields: field("spec/registry"), change: [2]string{"quay.io/", "quay.io/mirror/"}},
		"repository, named":          {text: head + "spec:\n  repo: quay.io/acme/x\n", fields: field("spec/repo"), change: [2]string{"quay.io/", "quay.io/mirror/"}},
		"annotation":                 {text: head[:len(head)-1] + "\nmetadata2: x\n---\nkind: A\nmetadata:\n  annotations: {a.b/c: " + collector + ", " + lastApplied + ": " + collector + "}\n", want: suspected(8)},
		"OCI artifact":               {text: head + "spec:\n  url: oci://quay.io/acme/chart:1\n  home: https://quay.io/acme/chart:1\n", want: []string{"5? quay.io/acme/chart:1"}},
		"below images":               {text: head + "spec:\n  images: {proxy: nginx, other: quay.io/a/b}\n", want: []string{"5? nginx", "5? quay.io/a/b"}},
		"containers of another kind": {text: head + "spec:\n  containers:\n  - {name: a, image: " + collector + "}\n  - {name: b, image: $(params.image)}\n", want: renamed(6), change: [2]string{collector, mirrored}},
		"description of a kind":      {text: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {description: " + collector + ", default: " + collector + "}\n", want: suspected(3)},
		"Secret":                     {text: "apiVersion: v1\nkind: Secret\nstringData:\n  a: |\n    x\n    image: " + collector + "\n", known: []string{collector}, want: []string{"6? something (it is not shown)"}},
		"text in a text":             {text: config + "  a: |\n    kind: ConfigMap\n    apiVersion: v1\n    data:\n      b: |\n        kind: Pod\n        apiVersion: v1\n        spec:\n          containers: [{image: " + collector + "}]\n", want: renamed(13), change: [2]string{collector, mirrored}},
		"explicit margin":            {text: config + "  a: |2\n      kind: Pod\n      apiVersion: v1\n      spec:\n        containers: [{image: " + collector + "}]\n", want: renamed(9), change: [2]string{collector, mirrored}},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Rules: testRules(t), Known: c.known, Fields: c.fields}
			got, err := RewriteStream([]byte(c.text), o)
			if err != nil {
				t.Fatal(err)
			}
			want := c.text
			if c.change[0] != "" {
				want = strings.Replace(c.text, c.change[0], c.change[1], 1)
			}
			if string(got.Text) != want {
				t.Errorf("it becomes\n%s\nwant\n%s", got.Text, want)
			}
			if is := found(got); !slices.Equal(is, c.want) {
				t.Errorf("found %q, want %q", is, c.want)
			}
			again, err := RewriteStream(got.Text, o)
			if err != nil || string(again.Text) != string(got.Text) || len(again.Images) != len(got.Images) || len(again.Suspects) != len(got.Suspects) {
				t.Errorf("a second time: %q, %v, %s", found(again), err, again.Text)
			}
		})
	}
}

// What a field that is named holds has to be an image.
func TestNamedFieldIsNoImage(t *testing.T) {
	text := "apiVersion: a.b/v1\nkind: Collector\nmetadata: {name: main}\nspec:\n  image: \"not one\"\n"
	_, err := RewriteStream([]byte(text), Options{Rules: testRules(t), Fields: []Field{{Path: "spec/image"}}})
	if want := `line 5: Collector main: spec.image: images.extra names this field, and "not one" is no image: want `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Every suspect says how it can be renamed.
func TestSuspectsSayWhatToDo(t *testing.T) {
	const head = "apiVersion: a.b/v1\nkind: Pool\nmetadata: {name: p, annotations: {x: quay.io/a/b:1}}\nspec:\n"
	for text, want := range map[string]string{
		head + "  x: quay.io/a/b:2\n":                         "name it in images.extra to have it renamed",
		head + "  image: {repository: quay.io/a/b, tag: 2}\n": "name it in images.extra to have it renamed",
		head + "  images: [quay.io/a/b]\n":                    "name the field in images.extra to have it renamed: {kind: Pool, path: spec/images}",
		head + "  registry: quay.io\n":                        "name the field in images.extra to have it renamed: {kind: Pool, path: spec/registry}",
		head:                                                  "rename it by hand if something reads this annotation",
		"kind: Secret\napiVersion: v1\nstringData: {a: quay.io/a/b:1}": "rename it by hand: nothing is changed in a Secret",
	} {
		got, err := RewriteStream([]byte(text), Options{Rules: testRules(t)})
		if err != nil || len(got.Suspects) == 0 {
			t.Fatalf("%s: %+v, %v", text, got, err)
		}
		if is := got.Suspects[len(got.Suspects)-1].Mend; is != want {
			t.Errorf("%s: %s, want %s", text, is, want)
		}
	}
}
