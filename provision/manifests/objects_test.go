package manifests

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestObjectsOfStreams(t *testing.T) {
	a, b := configMap("a"), configMap("b")
	ja, jb := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}`
	ab := []string{"ConfigMap a", "ConfigMap b"}
	for what, c := range map[string]struct {
		stream string
		want   []string
	}{
		"one":                         {a, ab[:1]},
		"two":                         {a + "---\n" + b, ab},
		"in their order":              {b + "---\n" + a, []string{"ConfigMap b", "ConfigMap a"}},
		"lines of --- around":         {"---\n---\n" + a + "---\n---\n" + b + "---\n", ab},
		"empty documents":             {"\n\n---\n" + a + "---\n \n\n---\n" + b + "---\n# the end\n", ab},
		"nulls":                       {"null\n---\n~\n---\n" + a + "---\n{}null", nil},
		"nulls and an object":         {"null\n---\n~\n---\n" + a, ab[:1]},
		"comments":                    {"# first\n" + a + "--- # second\n" + b, ab},
		"CR LF":                       {strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"), ab},
		"a byte order mark":           {"\ufeff---\n" + a + "---\n" + b, ab},
		"no line break at the end":    {strings.TrimSuffix(a+"---\n"+b, "\n"), ab},
		"dots at the end":             {a + "...\n---\n" + b + "...\n", ab},
		"dots before a comment":       {a + "...\n# the end\n", ab[:1]},
		"an indented ---":             {a + "data:\n  x: |\n    ---\n    y\n", ab[:1]},
		"JSON":                        {ja, ab[:1]},
		"JSON objects in a row":       {ja + jb, ab},
		"JSON objects on lines":       {"\n" + ja + "\n" + jb + "\n", ab},
		"JSON documents":              {ja + "\n---\n" + jb, ab},
		"JSON and YAML":               {ja + "\n---\n" + b, ab},
		"JSON and null":               {ja + "null" + jb, ab},
		"indented by tabs":            {"{\n\t\"apiVersion\":\t\"v1\",\n\t\"kind\": \"ConfigMap\", \"metadata\"\n: {\"name\": \"a\"}}", ab[:1]},
		"YAML in braces":              {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}} # x", ab[:1]},
		"an alias":                    {"apiVersion: v1\nkind: &k ConfigMap\nmetadata: {name: a}\ndata: {kind: *k}\n", ab[:1]},
		"a list":                      {"apiVersion: v1\nkind: List\nitems: [" + ja + "," + jb + "]\n", ab},
		"lists in lists":              {`{"kind":"List","items":[{"kind":"ConfigMapList","items":[` + ja + `]},` + jb + `,{"kind":"List","items":[]}]}`, ab},
		"an empty list and an object": {"kind: List\napiVersion: v1\nitems: []\n---\n" + a, ab[:1]},
		"something else with items":   {"apiVersion: v1\nkind: Order\nmetadata: {name: a}\nitems: [x]\n", []string{"Order a"}},
		"a list that is an object":    {"apiVersion: v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: [x]}\n", []string{"AllowList a"}},
		"one name in two namespaces":  {a + "---\n" + strings.Replace(a, "name: a", "name: a, namespace: x", 1), []string{"ConfigMap a", "ConfigMap a"}},
		"one name in two groups":      {a + "---\n" + strings.Replace(a, "v1", "example.com/v1", 1), []string{"ConfigMap a", "ConfigMap a"}},
		"one name of two kinds":       {a + "---\n" + strings.Replace(a, "ConfigMap", "Secret", 1), []string{"ConfigMap a", "Secret a"}},
	} {
		objects, err := Objects("f", []byte(c.stream))
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: got %q", what, called(objects))
			}
			continue
		}
		if err != nil || !slices.Equal(called(objects), c.want) {
			t.Errorf("%s: got %q, %v, want %q", what, called(objects), err, c.want)
		}
	}
}

func TestObjectsThatAreRefused(t *testing.T) {
	a := configMap("a")
	ja := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`
	for what, c := range map[string]struct{ stream, want string }{
		"nothing":                     {"", "it holds no object"},
		"empty documents":             {"---\n# x\n---\nnull\n", "it holds no object"},
		"an empty list":               {"apiVersion: v1\nkind: List\nitems: []\n", "it holds no object"},
		"no kind":                     {a + "---\napiVersion: v1\nmetadata: {name: b}\n", "document 2: it has no apiVersion or no kind"},
		"no apiVersion":               {"kind: ConfigMap\nmetadata: {name: b}\n", "document 1: it has no apiVersion or no kind"},
		"another key":                 {"apiVersion: v1\nKind: ConfigMap\nmetadata: {name: b}\n", "document 1: it has no apiVersion or no kind"},
		"a kind that is no text":      {"apiVersion: v1\nkind: 7\nmetadata: {name: b}\n", "it has no apiVersion or no kind"},
		"no name":                     {a + "---\n" + a + "---\napiVersion: v1\nkind: Secret\n", "document 3: the Secret has no name"},
		"an empty name":               {configMap("''"), "the ConfigMap has no name"},
		"a name that is no text":      {configMap("7"), "the ConfigMap has no name"},
		"metadata that are none":      {"apiVersion: v1\nkind: Secret\nmetadata: [name]\n", "the Secret has no name"},
		"a name to be generated":      {"apiVersion: v1\nkind: Job\nmetadata: {generateName: job-}\n", "the Job has generateName and no name"},
		"twice":                       {a + "---\n" + a, "ConfigMap.v1 /a stands there twice"},
		"twice in two versions":       {"apiVersion: apps/v1\nkind: X\nmetadata: {name: a, namespace: ns}\n---\napiVersion: apps/v1beta1\nkind: X\nmetadata: {name: a, namespace: ns}\n", "X.apps ns/a stands there twice"},
		"twice in a list":             {`{"kind":"List","items":[` + ja + "," + ja + "]}", "stands there twice"},
		"twice in JSON":               {ja + ja, "stands there twice"},
		"a text":                      {"hello", "document 1: it is no object"},
		"a YAML list":                 {a + "---\n- x\n", "document 2: it is no object"},
		"a JSON list":                 {"[" + ja + "]", "document 1: it is no object"},
		"a number after JSON":         {ja + " 3", "it is no object"},
		"an item that is none":        {"kind: List\nitems: [" + ja + ", x]\n", "item 2 of the List is no object"},
		"an item without a name":      {`{"kind":"ConfigMapList","items":[{"kind":"List","items":[` + ja + `,{"apiVersion":"v1","kind":"X"}]}]}`, "document 1: item 1 of the ConfigMapList: item 2 of the List: the X has no name"},
		"bad YAML":                    {a + "---\n" + a + "x: [\n", "document 2: yaml: line"},
		"a tab":                       {"apiVersion: v1\n\tkind: X\n", "document 1: yaml: line 2"},
		"a bad separator":             {a + "--- {}\n", "invalid Yaml document separator"},
		"a key twice":                 {"apiVersion: v1\nkind: A\nkind: B\nmetadata: {name: a}\n", `line 3: key "kind" already set`},
		"a key twice in JSON":         {strings.Replace(ja, `"metadata"`, `"kind":"Secret","metadata"`, 1), `the key "kind" stands there twice`},
		"a key twice in a JSON list":  {`{"kind":"List","items":[{"x":[{"y":{"z":1,"z":2}}]}]}`, `the key "z" stands there twice`},
		"JSON with more in braces":    {ja + "{x: y}", "invalid character"},
		"JSON that is cut":            {ja + `{"apiVersion"`, "unexpected EOF"},
		"JSON that is no UTF-8":       {strings.Replace(ja, `"a"`, "\"a\xff\"", 1), "no UTF-8"},
		"a large number in JSON":      {strings.Replace(ja, `"a"}`, `"a"},"x":1E400`, 1), "1E400"},
		"YAML that is no UTF-8":       {"# \xff\n" + a, "yaml: "},
		"an infinite number":          {a + "x: .inf\n", "unsupported value"},
		"an alias to nothing":         {a + "x: *y\n", "unknown anchor"},
		"a mapping as a key":          {a + "? {x: y}\n: z\n", "invalid map key"},
		"a second document by dots":   {a + "...\n" + configMap("b"), "document 1: "},
		"a second document by CR":     {strings.ReplaceAll(a+"---\n"+configMap("b"), "\n", "\r"), "another document follows"},
		"a second document by NEL":    {a + "# x\u0085---\u0085" + configMap("b"), "another document follows"},
		"a second one after braces":   {"{apiVersion: v1, kind: X, metadata: {name: a}}\n...\n# x\u2028--- {kind: Y}", "another document follows"},
		"nested without an end":       {strings.Repeat("[", 20000), "document 1: "},
		"nested without an end, JSON": {strings.Repeat(`{"x":`, 20000), "document 1: "},
	} {
		objects, err := Objects("dir/app.yaml", []byte(c.stream))
		if err == nil || objects != nil {
			t.Errorf("%s: got %v, %v", what, objects, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "dir/app.yaml: ") || !strings.Contains(text, c.want) {
			t.Errorf("%s: the error is %q, want %q in it", what, text, c.want)
		}
	}
}

func TestValuesOfObjects(t *testing.T) {
	long := strings.Repeat("k", 2000)
	in := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"int":9007199254740993,"negative":-5,"float":0.5,"exp":1e3,` +
		`"large":123456789012345678901,"yes":true,"none":null,"text":"\ud83d\ude00\/\u2028\u0000` + "\x7f" + `","word":"yes","date":"2026-01-01","list":[1,{"x":[2]}],"` + long + `":"x"}`
	want := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"},
		"int": int64(9007199254740993), "negative": int64(-5), "float": 0.5, "exp": 1000.0, "large": 123456789012345678901.0,
		"yes": true, "none": nil, "text": "😀/\u2028\x00\x7f", "word": "yes", "date": "2026-01-01",
		"list": []any{int64(1), map[string]any{"x": []any{int64(2)}}}, long: "x",
	}
	objects, err := Objects("f", []byte(in))
	if err != nil || !reflect.DeepEqual(objects, []map[string]any{want}) {
		t.Errorf("JSON: got %v, %v, want %v", objects, err, want)
	}
	in = configMap("a") + "int: 9007199254740993\noctal: 010\nfloat: 0.5\nyes: yes\nnone:\ntext: \"\\U0001F600\"\nword: 'yes'\ndate: 2026-01-01\n8: x\nlist: [1, {x: [2]}]\nall: &a {x: 1}\nmore: {<<: *a, z: 2}\n"
	want = map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"},
		"int": int64(9007199254740993), "octal": int64(8), "float": 0.5, "true": true, "none": nil, "text": "😀", "word": "yes", "date": "2026-01-01", "8": "x",
		"list": []any{int64(1), map[string]any{"x": []any{int64(2)}}}, "all": map[string]any{"x": int64(1)}, "more": map[string]any{"x": int64(1), "z": int64(2)},
	}
	objects, err = Objects("f", []byte(in))
	if err != nil || !reflect.DeepEqual(objects, []map[string]any{want}) {
		t.Errorf("YAML: got %v, %v, want %v", objects, err, want)
	}
}
