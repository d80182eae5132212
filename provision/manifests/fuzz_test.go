package manifests

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzObjects checks that whatever is decoded can be applied: each object says what it is, stands
// there once, and can be written as JSON that means the same object.
func FuzzObjects(f *testing.F) {
	object := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`
	for _, stream := range []string{
		"", "---\n", "null", "x", "[", "{", "{}", `{"a":1,"a":2}`, "a: &a [*a]", "a: &a {b: *a}", "? {a: b}\n: c", "\xff", "\ufeff" + object,
		configMap("a"), configMap("a") + "---\n" + deployment + "---\n" + role, configMap("a") + "...\n" + configMap("b"), "%YAML 1.1\n---\n" + configMap("a"),
		strings.ReplaceAll(configMap("a")+"---\n"+configMap("b"), "\n", "\r"), configMap("a") + "x: .nan\n", configMap("a") + "x: !!binary eA==\n", configMap("a") + "1: 1\n'1': 2\n",
		object, object + object, object + "{", object + "\n---\n" + configMap("b"), strings.Replace(object, `"a"`, `"\ud83d\u0000"`, 1), strings.Replace(object, `"a"}`, `"a"},"x":-0.0e1`, 1),
		`{"kind":"List","items":[` + object + `,{"kind":"XList","items":[]},{"kind":"YList","items":[1]}]}`, "apiVersion: v1\nkind: List\nitems: null\nmetadata: {name: a}\n",
	} {
		f.Add([]byte(stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		objects, err := Objects("f", stream)
		if err != nil {
			if objects != nil || !strings.HasPrefix(err.Error(), "f: ") {
				t.Fatalf("%v beside the error %v", objects, err)
			}
			return
		}
		if len(objects) == 0 {
			t.Fatal("neither an object nor an error")
		}
		seen := map[string]bool{}
		for _, object := range objects {
			key := keyOf(object)
			apiVersion, _ := object["apiVersion"].(string)
			kind, _ := object["kind"].(string)
			name, _ := at(object, "metadata", "name").(string)
			if apiVersion == "" || kind == "" || name == "" || seen[key] {
				t.Fatalf("got %v among %v", object, objects)
			}
			seen[key] = true
			text, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Objects("f", text)
			if err != nil || len(again) != 1 || keyOf(again[0]) != key {
				t.Fatalf("%v became %v, %v", object, again, err)
			}
		}
		if ordered := Order(objects); len(ordered) != len(objects) {
			t.Fatalf("%d of %d objects are left", len(ordered), len(objects))
		}
	})
}
