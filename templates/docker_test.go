package templates

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDockerConfig(t *testing.T) {
	none := []string{}
	for _, c := range []struct {
		name, before      string
		insecure, mirrors []string
		want              string // empty: as before, byte for byte
	}{
		{name: "nothing is wanted"},
		{name: "nothing is wanted of what is there", before: "{ \"a\": 1 }"},
		{name: "there is none yet", insecure: []string{"a.lab:5000"}, mirrors: []string{"https://m.lab"},
			want: "{\n  \"insecure-registries\": [\n    \"a.lab:5000\"\n  ],\n  \"registry-mirrors\": [\n    \"https://m.lab\"\n  ]\n}\n"},
		{name: "it is blank", before: " \n\t\n", mirrors: none, want: "{\n  \"registry-mirrors\": []\n}\n"},
		{name: "empty lists", insecure: none, mirrors: none, want: "{\n  \"insecure-registries\": [],\n  \"registry-mirrors\": []\n}\n"},
		{name: "one list", before: `{"registry-mirrors":["https://theirs"]}`, insecure: []string{"a"},
			want: "{\n  \"insecure-registries\": [\n    \"a\"\n  ],\n  \"registry-mirrors\": [\n    \"https://theirs\"\n  ]\n}\n"},
		{name: "other lists", before: `{"registry-mirrors":["https://theirs"],"insecure-registries":["theirs"]}`, insecure: none, mirrors: []string{"b"},
			want: "{\n  \"insecure-registries\": [],\n  \"registry-mirrors\": [\n    \"b\"\n  ]\n}\n"},
		{name: "keys of others", mirrors: none,
			before: `{"zeta":12345678901234567890123456789,"f":1.50e+400,"log-opts":{"max-size":"10m","tag":"<&>"},"n":null,"empty":{},"deep":[[{"x":[]}]]}`,
			want: "{\n  \"deep\": [\n    [\n      {\n        \"x\": []\n      }\n    ]\n  ],\n  \"empty\": {},\n  \"f\": 1.50e+400,\n" +
				"  \"log-opts\": {\n    \"max-size\": \"10m\",\n    \"tag\": \"\\u003c\\u0026\\u003e\"\n  },\n  \"n\": null,\n  \"registry-mirrors\": [],\n" +
				"  \"zeta\": 12345678901234567890123456789\n}\n"},
		{name: "as it should be, in a spelling of their own", before: "{\"registry-mirrors\" :\t[ \"m\"\n]  ,\"x\":1}", mirrors: []string{"m"}},
		{name: "another order is another list", before: `{"registry-mirrors":["a","b"]}`, mirrors: []string{"b", "a"},
			want: "{\n  \"registry-mirrors\": [\n    \"b\",\n    \"a\"\n  ]\n}\n"},
		{name: "of another kind", before: `{"registry-mirrors":"a"}`, mirrors: []string{"a"}, want: "{\n  \"registry-mirrors\": [\n    \"a\"\n  ]\n}\n"},
	} {
		got, err := DockerConfig([]byte(c.before), c.insecure, c.mirrors)
		if c.want == "" {
			c.want = c.before
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", c.name, err, got, c.want)
		}
		if again, err := DockerConfig(got, c.insecure, c.mirrors); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: a second time it gives %q, %v", c.name, again, err)
		}
	}
}

func TestDockerConfigErrors(t *testing.T) {
	for _, c := range []struct{ before, want string }{
		{"{\n  \"a\": 1,\n  \"b\" 2\n}\n", "3:7: invalid character '2' after object key"},
		{"{\"a\": 1,}", "1:9: invalid character '}'"},
		{"oops", "1:1: invalid character 'o'"},
		{"{\n\"a\": [1,\n", "3:1: it ends early"},
		{"{\"a\": \"b", "1:9: it ends early"},
		{"null", "1:1: it holds null instead of an object"},
		{"[\"a\"]", "1:1: it holds a array instead of an object"},
		{"12", "1:1: it holds a number instead of an object"},
		{"{\"a\": 1}\n{}\n", "2:2: there is more after the object"},
		{"{\"a\": 1} x", "there is more after the object"},
		{"{} ]", "there is more after the object"},
	} {
		got, err := DockerConfig([]byte(c.before), nil, nil)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.HasSuffix(err.Error(), c.want) || got != nil {
			t.Errorf("%q: %q, error %v, want %q", c.before, got, err, c.want)
		}
	}
}

// Whatever the file holds: a result is a JSON object with all keys of before, and wants no
// further change.
func FuzzDockerConfig(f *testing.F) {
	for _, text := range []string{"", "{}", "null", `{"a":1e999,"b":[{"c":"\u0000<>"}]}`, `{"registry-mirrors":["x"],"insecure-registries":null}`, `{"a":1,"a":2}`, `{"a":1} `, "{\"\\u00e4\":\"\xff\"}"} {
		f.Add([]byte(text), "m.lab", true)
	}
	f.Fuzz(func(t *testing.T, before []byte, mirror string, insecure bool) {
		if !utf8.Valid(before) || !utf8.ValidString(mirror) {
			return // daemon.json and the inventory are UTF-8
		}
		var list []string
		if insecure {
			list = []string{}
		}
		got, err := DockerConfig(before, list, []string{mirror})
		if err != nil {
			if len(bytes.TrimSpace(before)) == 0 {
				t.Errorf("an empty file is refused: %v", err)
			}
			return
		}
		var was, is map[string]json.RawMessage
		if err := json.Unmarshal(got, &is); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if len(bytes.TrimSpace(before)) > 0 {
			if err := json.Unmarshal(before, &was); err != nil {
				t.Fatalf("%q is no JSON object and was accepted: %v", before, err)
			}
		}
		for key, value := range was {
			ours := key == "registry-mirrors" || key == "insecure-registries" && insecure
			if !ours && !reflect.DeepEqual(exactly(t, is[key]), exactly(t, value)) {
				t.Errorf("%q: %s has become %s", key, value, is[key])
			}
		}
		if want, is := exactly(t, mustJSON(t, []string{mirror})), exactly(t, is["registry-mirrors"]); !reflect.DeepEqual(is, want) {
			t.Errorf("registry-mirrors is %v, want %v", is, want)
		}
		if again, err := DockerConfig(got, list, []string{mirror}); err != nil || !bytes.Equal(again, got) {
			t.Errorf("a second time it gives %q, %v", again, err)
		}
	})
}

// exactly decodes a value with its numbers as they are written.
func exactly(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return value
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
