package inventory

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestTaints(t *testing.T) {
	for text, want := range map[string]Taint{
		"gpu=true:NoSchedule":            {"gpu", "true", "NoSchedule"},
		"gpu:NoExecute":                  {"gpu", "", "NoExecute"},
		"gpu=:PreferNoSchedule":          {"gpu", "", "PreferNoSchedule"},
		"example.com/a_b=x.y:NoSchedule": {"example.com/a_b", "x.y", "NoSchedule"},
	} {
		got, problem := parseTaint(text)
		if problem != "" || got != want {
			t.Errorf("%s: got %+v, %s", text, got, problem)
		}
		if again, _ := parseTaint(got.String()); again != want {
			t.Errorf("%s: String gives %s", text, got)
		}
	}
	for _, text := range []string{
		"", "gpu", ":NoSchedule", "=x:NoSchedule", "gpu:noschedule", "gpu=a=b:NoSchedule", "a/b/c:NoExecute",
		"gpu=true:NoSchedule:NoExecute", "/a:NoExecute", "gpu=" + strings.Repeat("a", 64) + ":NoExecute",
	} {
		if got, problem := parseTaint(text); problem == "" {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

func TestNames(t *testing.T) {
	a63 := strings.Repeat("a", 63)
	tests := []struct {
		what string
		ok   func(string) bool
		good []string
		bad  []string
	}{
		{"label", isLabel, []string{"a", "0", "a-b", a63}, []string{"", "-a", "a-", "A", "a.b", "a_b", a63 + "a", "a\n"}},
		{"subdomain", isSubdomain, []string{"a.b", a63 + "a.b"}, []string{"", ".", "a.", "a..b", "A.b", strings.Repeat("a.", 126) + "aa"}},
		{"value", isLabelValue, []string{"", "A_b.c", a63}, []string{"-", "a-", "a b", a63 + "a", "ä"}},
		{"qualified", func(s string) bool { return qualifiedProblem(s) == "" },
			[]string{"a", "a.b/C_d", strings.Repeat("a.", 126) + "a/" + a63}, []string{"", "/", "a/", "/a", "A/b", "a/b/c", a63 + "a"}},
	}
	for _, test := range tests {
		for _, s := range test.good {
			if !test.ok(s) {
				t.Errorf("%s: %q is refused", test.what, s)
			}
		}
		for _, s := range test.bad {
			if test.ok(s) {
				t.Errorf("%s: %q is accepted", test.what, s)
			}
		}
	}
}

func TestPublicKey(t *testing.T) {
	const key = "AAAAC3NzaC1lZDI1NTE5AAAAIJ5FQ2v0Wb3RZC1XZ1vE0mXrZ7Fh8mZ2n4n2c2pQx3yK"
	for text, want := range map[string]bool{
		"ssh-ed25519 " + key: true, "ssh-ed25519 " + key + " root@cp1": true, "ssh-rsa " + key: false, key: false,
		"ssh-ed25519": false, "ssh-ed25519 AAAA": false, "ssh-ed25519 //////////8=": false, "ssh-foo " + key: false,
	} {
		if publicKey(text) != want {
			t.Errorf("%s: want %v", text, want)
		}
	}
}

// schemaKeys lists the keys of every closed mapping in the schema.
func schemaKeys(root, node map[string]any, path string, into map[string][]string) {
	if ref, ok := node["$ref"].(string); ok {
		definitions, _ := root["$defs"].(map[string]any)
		node, _ = definitions[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if items, ok := node["items"].(map[string]any); ok {
		schemaKeys(root, items, path+"[]", into)
	}
	choices, _ := node["anyOf"].([]any)
	for _, choice := range choices {
		if choice, ok := choice.(map[string]any); ok {
			schemaKeys(root, choice, path, into)
		}
	}
	properties, ok := node["properties"].(map[string]any)
	if !ok {
		return
	}
	keys := []string{}
	for key, value := range properties {
		keys = append(keys, key)
		if child, ok := value.(map[string]any); ok {
			schemaKeys(root, child, path+"."+key, into)
		}
	}
	slices.Sort(keys)
	into[path] = keys
}

func TestSchemaHasTheDecodersKeys(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	schemaKeys(root, root, "", want)
	doc, err := read("f", readFile(t, "testdata/valid/full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for path, keys := range doc.known {
		keys = slices.Sorted(slices.Values(keys))
		if !slices.Equal(keys, want[path]) {
			t.Errorf("%s: the decoder knows %v, the schema %v", path, keys, want[path])
		}
	}
	for path := range want {
		if doc.known[path] == nil {
			t.Errorf("%s: only the schema has this mapping", path)
		}
	}
}
