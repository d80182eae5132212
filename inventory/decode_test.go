package inventory

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestMergedKeys: what a mapping says itself wins over what is merged in, and of several
// merged mappings the first that has a key.
func TestMergedKeys(t *testing.T) {
	for _, row := range []struct{ lines, want string }{
		{"workers: {hosts: [{<<: {name: a, address: 192.0.2.3}, name: b}]}", "b 192.0.2.3 me"},
		{"workers: {hosts: [{name: b, <<: {name: a, address: 192.0.2.3}}]}", "b 192.0.2.3 me"},
		{"workers: {hosts: [{<<: [{name: a}, {name: b, address: 192.0.2.4}, {address: 192.0.2.5}]}]}", "a 192.0.2.4 me"},
		{"workers: {hosts: [{<<: {<<: {name: a, address: 192.0.2.3}, name: b}}]}", "b 192.0.2.3 me"},
		{"workers: {hosts: [{<<: {<<: {name: a}, address: 192.0.2.3}, ssh: {<<: {user: you}}}]}", "a 192.0.2.3 you"},
		{"ssh: &x {user: you}\nworkers: {hosts: [{name: a, address: 192.0.2.3, ssh: {<<: [*x]}}]}", "a 192.0.2.3 you"},
		{"ssh: &x {user: you}\nworkers: {hosts: [{name: a, address: 192.0.2.3, ssh: {<<: *x}}]}", "a 192.0.2.3 you"},
		{"name: &n a\nworkers: {hosts: [{name: *n, address: 192.0.2.3}]}", "a 192.0.2.3 me"},
		{"workers: {hosts: [{<<: {colour: red}, name: a, address: 192.0.2.3}]}", "line 7: workers.hosts[0].colour: unknown key; the keys here are name, address, nodeName, ssh, labels, taints, packages"},
		{"workers: {hosts: [{<<: {name: A_1}, address: 192.0.2.3}]}", `line 7: workers.hosts[0].name: "A_1" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends), nor several with dots between them and 63 characters in all; did you mean a-1?`},
		{"<<: {name: other}", ""},
		{"<<: [{zzz: 1}, {zzz: 2}]\nname: lab", "line 8: zzz: unknown key; the keys here are apiVersion, kind, name, kubernetes, runtime, packages, proxy, ssh, controlPlane, workers, images, addons, ignorePreflight"},
		{"<<: [{}, x]", `line 8: ["<<"]: must merge mappings, got "x"`},
		{"<<:", `line 8: ["<<"]: must merge mappings, got nothing`},
	} {
		file := changed(row.lines)
		got := strings.Join(problemsOf(t, file), "\n")
		if c, _, err := Parse("f", []byte(file)); err == nil {
			if got != "" || len(c.Workers) != 1 || c.Name != "lab" && c.Name != "a" {
				t.Errorf("%s: %+v, %s", row.lines, c, got)
			}
			if h := c.Workers[0]; row.want != "" {
				got = fmt.Sprintf("%s %s %s", h.Name, h.Address, h.SSH.User)
			}
		}
		if got != row.want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", row.lines, got, row.want)
		}
	}
}

// TestKeyTwice: the second one is reported, with the line of the first.
func TestKeyTwice(t *testing.T) {
	file := strings.Replace(soundFile, "name: lab\n", "name: lab\nname: lab2\n\"name\": lab3\n", 1)
	want := []string{"line 4: name: is given twice, first on line 3", "line 5: name: is given twice, first on line 3"}
	if got := problemsOf(t, file); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBounds tries what is just within the bounds of a file, and what is just beyond.
func TestBounds(t *testing.T) {
	config := func(value string) string {
		return changed("kubernetes: {version: 1.37.2, bundle: /b, config: {KubeletConfiguration: {a: " + value + "}}}")
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	merged := func(n int) string {
		return "{a: " + strings.Repeat("{<<: ", n) + "{}" + strings.Repeat("}", n) + "}"
	}
	// The value has a path of 4 elements. How many values a file may have is in bomb.golden.
	for _, row := range []struct{ name, file, want string }{
		{"deep", config(deep(61)), ""},
		{"too deep", config(deep(62)), "line 4: kubernetes.config.KubeletConfiguration.a[0][0]: nests more than 64 levels deep"},
		{"merges", config(merged(64)), ""},
		{"too many merges", config(merged(65)), "line 4: kubernetes.config.KubeletConfiguration.a.a: merges more than 64 levels deep"},
	} {
		if got := strings.Join(problemsOf(t, row.file), "\n"); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	// After a bound was hit, nothing is said of what was not read.
	got := problemsOf(t, config(deep(62))+"images: {host: nobody}\n")
	if len(got) != 1 {
		t.Errorf("beyond a bound: %q", got)
	}
	comment := "#" + strings.Repeat("x", maxSize-len(soundFile)-1)
	if got := problemsOf(t, soundFile+comment); got != nil {
		t.Errorf("of the largest size: %q", got)
	}
}

func TestDescribe(t *testing.T) {
	long := strings.Repeat("ä", 80)
	for text, want := range map[string]string{
		"{a: b}": "a mapping", "[a]": "a list", "~": "nothing", "": "nothing", "5": "the number 5", "0x1F": "the number 0x1F", "1.5": "the number 1.5",
		"true": "the boolean true", "yes": `"yes"`, "2024-01-02": "the date 2024-01-02", "a": `"a"`, "'5'": `"5"`, `"a\"b"`: `"a\"b"`, "!x 5": `"5"`,
		long: `"` + long + `"`, long + "ö": `"` + long + `…"`, strings.Repeat("9", 81): "the number " + strings.Repeat("9", 80) + "…",
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte("k: "+text), &doc); err != nil {
			t.Fatal(err)
		}
		if got := describe(doc.Content[0].Content[1]); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestFreeValues reads values as JSON has them, merges and aliases with them.
func TestFreeValues(t *testing.T) {
	const config = `{a: &a {b: 1, c: [x, ~, 1.0, -0x10, 1e3, .5, true, 2024-01-02, "", 1_000]}, d: {<<: *a, b: "2"}, e: *a, f: {}, g: [], h: }`
	c, _, err := Parse("f", []byte(changed("kubernetes: {version: 1.37.2, bundle: /b, config: {KubeProxyConfiguration: "+config+", InitConfiguration: }}")))
	if err != nil {
		t.Fatal(err)
	}
	list := []any{"x", nil, 1.0, int64(-16), 1000.0, 0.5, true, "2024-01-02", "", int64(1000)}
	want := map[string]map[string]any{
		"KubeProxyConfiguration": {
			"a": map[string]any{"b": int64(1), "c": list}, "d": map[string]any{"b": "2", "c": list}, "e": map[string]any{"b": int64(1), "c": list},
			"f": map[string]any{}, "g": []any{}, "h": nil,
		},
		"InitConfiguration": {},
	}
	if !reflect.DeepEqual(c.Kubernetes.Config, want) {
		t.Errorf("got %#v\nwant %#v", c.Kubernetes.Config, want)
	}
}
