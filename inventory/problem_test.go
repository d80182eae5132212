package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestPathString(t *testing.T) {
	for want, path := range map[string][]string{
		"":                       nil,
		"a":                      {"a"},
		"a.b_c.D-1":              {"a", "b_c", "D-1"},
		"hosts[0].name":          {"hosts", "0", "name"},
		"[7]":                    {"7"},
		"a[0][12]":               {"a", "0", "12"},
		`labels["a.b/c"].d`:      {"labels", "a.b/c", "d"},
		`a["-1"]`:                {"a", "-1"},
		`a["1.5"]`:               {"a", "1.5"},
		`a["9999999999"].b`:      {"a", "9999999999", "b"},
		`a["x y"]["\""]["\n"]`:   {"a", "x y", `"`, "\n"},
		`a["größe"]._b["1st"]`:   {"a", "größe", "_b", "1st"},
		`[""]`:                   {""},
		`a[2147483647]`:          {"a", "2147483647"},
		`a["2147483648"]`:        {"a", "2147483648"},
		`["<<"]["-"]`:            {"<<", "-"},
		`runtime.mirrors[":"].x`: {"runtime", "mirrors", ":", "x"},
	} {
		if got := pathString(path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
}

func TestIn(t *testing.T) {
	for _, c := range []struct {
		file string
		p    Problem
		want string
	}{
		{"f.yaml", Problem{Path: []string{"a", "0"}, Line: 7, Message: "is odd"}, "f.yaml:7: a[0]: is odd"},
		{"", Problem{Path: []string{"a"}, Line: 7, Message: "is odd"}, "line 7: a: is odd"},
		{"f.yaml", Problem{Line: 7, Message: "is odd"}, "f.yaml:7: is odd"},
		{"", Problem{Line: 7, Message: "is odd", Warning: true}, "line 7: is odd"},
	} {
		if got := c.p.In(c.file); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	invalid := &Invalid{File: "f", Problems: []Problem{{Line: 1, Message: "a"}, {Line: 2, Message: "b"}}}
	if invalid.Error() != "f:1: a\nf:2: b" {
		t.Errorf("got %s", invalid)
	}
}

// TestLineOf: the line of a path is that of its key or item, or of the nearest one above it.
func TestLineOf(t *testing.T) {
	const text = `# a comment
top: &top
  key: 1
  list:
    - a
    -
      b: 2
    - *top
merged:
  <<: *top
  own: 3
several:
  <<:
    - {first: 1}
    - {first: 2, second:
        2}
    - *top
flow: [a,
  {b: c}]
"quoted": x
`
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"": 2, "top": 2, "top.key": 3, "top.key.deeper": 3, "top.nothing": 2, "nothing": 2, "top.list": 4, "top.list.0": 5, "top.list.1": 7, "top.list.1.b": 7,
		"top.list.2": 8, "top.list.2.key": 3, "top.list.3": 4, "top.list.-1": 4, "top.list.x": 4, "merged.key": 3, "merged.list.0": 5, "merged.own": 11, "merged.nothing": 9,
		"several.first": 14, "several.second": 15, "several.key": 3, "several.<<": 13, "flow.0": 18, "flow.1.b": 19, "quoted": 20,
	} {
		var elements []string
		if path != "" {
			elements = strings.Split(path, ".")
		}
		if got := lineOf(doc.Content[0], elements); got != want {
			t.Errorf("%s: line %d, want %d", path, got, want)
		}
	}
}

// TestExtendPath: a path that is extended twice gives two paths.
func TestExtendPath(t *testing.T) {
	path := append(make([]string, 0, 8), "a")
	b, c, i := at(path, "b"), at(path, "c", "d"), index(path, 10)
	if !slices.Equal(b, []string{"a", "b"}) || !slices.Equal(c, []string{"a", "c", "d"}) || !slices.Equal(i, []string{"a", "10"}) || len(path) != 1 {
		t.Errorf("got %q, %q, %q of %q", b, c, i, path)
	}
}

// TestChecksJoin: what checks say is sorted among the problems of the file, keeps the order
// of finding within a line, and warnings alone do not stop anything.
func TestChecksJoin(t *testing.T) {
	said := func(problems ...Problem) Check { return func(*Cluster) []Problem { return problems } }
	seen := 0
	count := func(c *Cluster) []Problem {
		seen++
		if c.ControlPlane.Endpoint != "192.0.2.1:6443" || c.Kubernetes.Repository.URL != DefaultKubernetesRepository {
			t.Errorf("a check sees a cluster without defaults: %+v", c)
		}
		return nil
	}
	file := changed("workers: {hosts: [{name: W1, address: 192.0.2.3}]}")
	first := said(Problem{Path: []string{"workers"}, Message: "b"}, Problem{Message: "top"}, Problem{Path: []string{"name"}, Message: "w", Warning: true})
	second := said(Problem{Path: []string{"workers", "hosts"}, Message: "a"}, Problem{Line: 99, Message: "end"}, Problem{Path: []string{"kind"}, Message: "v", Warning: true})
	_, warnings, err := Parse("f", []byte(file), first, count, second)
	want := "f:1: top\n" + `f:7: workers.hosts[0].name: "W1" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends), nor several with dots between them and 63 characters in all; did you mean w1?` +
		"\nf:7: workers: b\nf:7: workers.hosts: a\nf:8: end"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if len(warnings) != 2 || warnings[0].In("f") != "f:2: kind: v" || warnings[1].In("f") != "f:3: name: w" {
		t.Errorf("warnings %+v", warnings)
	}
	c, warnings, err := Parse("f", []byte(soundFile), said(Problem{Path: []string{"name"}, Message: "w", Warning: true}), count)
	if c == nil || err != nil || len(warnings) != 1 || warnings[0].Line != 3 {
		t.Errorf("a warning alone: %v, %v, %v", c, warnings, err)
	}
	if seen != 2 {
		t.Errorf("a check was asked %d times, want 2", seen)
	}
	// A file that is no mapping, or that hits a bound, is shown to no check.
	for _, data := range []string{"", "- a", changed("kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: " + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}}}")} {
		if _, _, err := Parse("f", []byte(data), count); err == nil || seen != 2 {
			t.Errorf("%.20q: %v after %d checks", data, err, seen)
		}
	}
}

func TestLoadFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "cluster.yaml")
	if err := os.WriteFile(file, []byte(changed("kubernetes: {version: 1.37.2, bundle: ../b.tar}\nssh: {user: me, identityFile: ~/id, knownHosts: ~}")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(file)
	var invalid *Invalid
	if !errors.As(err, &invalid) || err.Error() != file+":5: ssh.knownHosts: has no value; give one or remove the key" {
		t.Errorf("got %v", err)
	}
	t.Setenv("HOME", "/home/you")
	if err := os.WriteFile(file, []byte(changed("kubernetes: {version: 1.37.2, bundle: ../b.tar}\nssh: {user: me, identityFile: ~/a/../id, knownHosts: \"~\"}")), 0o600); err != nil {
		t.Fatal(err)
	}
	called := false
	c, _, err := Load(file, func(*Cluster) []Problem { called = true; return nil })
	if err != nil || !called {
		t.Fatal(called, err)
	}
	want := SSH{Transport: TransportSSH, User: "me", IdentityFile: "/home/you/id", KnownHosts: "/home/you"}
	if got := c.Workers[0].SSH; !reflect.DeepEqual(got, want) || c.Kubernetes.Bundle != filepath.Join(filepath.Dir(folder), "b.tar") {
		t.Errorf("got %+v, %s", got, c.Kubernetes.Bundle)
	}
	if _, _, err := Load(folder); err == nil || !strings.HasPrefix(err.Error(), "read inventory: ") {
		t.Errorf("a folder: %v", err)
	}
	t.Setenv("HOME", "")
	_, _, err = Load(file)
	if err == nil || !strings.Contains(err.Error(), ":5: ssh.identityFile: the home folder is not known ($HOME is not defined); write the whole path") {
		t.Errorf("without a home: %v", err)
	}
}

// TestSSHOfHosts: a host's own keys, over the file's, over the defaults.
func TestSSHOfHosts(t *testing.T) {
	const top = "ssh: {user: me, port: 2200, identityFile: /id, knownHosts: /kh}\n"
	for _, c := range []struct {
		top, own string
		want     SSH
	}{
		{top, "{}", SSH{Transport: TransportSSH, User: "me", Port: 2200, IdentityFile: "/id", KnownHosts: "/kh"}},
		{top, "", SSH{Transport: TransportSSH, User: "me", Port: 2200, IdentityFile: "/id", KnownHosts: "/kh"}},
		{top, "{port: 22}", SSH{Transport: TransportSSH, User: "me", Port: 22, IdentityFile: "/id", KnownHosts: "/kh"}},
		{top, "{user: you, identityFile: x}", SSH{Transport: TransportSSH, User: "you", Port: 2200, IdentityFile: "/lab/x", KnownHosts: "/kh"}},
		{top, "{knownHosts: /x}", SSH{Transport: TransportSSH, User: "me", Port: 2200, IdentityFile: "/id", KnownHosts: "/x"}},
		{"ssh: {user: me, jump: 'b, c'}\n", "{}", SSH{Transport: TransportSSH, User: "me", Jump: []string{"b", "c"}}},
		{"ssh: {user: me, jump: b}\n", "{jump: [a@c:24, d]}", SSH{Transport: TransportSSH, User: "me", Jump: []string{"a@c:24", "d"}}},
		{"ssh: {user: me, jump: b}\n", "{jump: none}", SSH{Transport: TransportSSH, User: "me", Jump: []string{}}},
		{"ssh: {user: me}\n", "{address: web1}", SSH{Transport: TransportSSH, Address: "web1", User: "me"}},
		{"ssh: {user: me}\n", "{port: 24}", SSH{Transport: TransportSSH, User: "me", Port: 24}},
	} {
		c1, _, err := Parse("/lab/f", []byte(changed(c.top+"workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: "+c.own+"}, {name: w2, address: 192.0.2.4}]}")))
		if err != nil {
			t.Errorf("%s, %s: %v", c.top, c.own, err)
			continue
		}
		if got := c1.Workers[0].SSH; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s, %s: got %+v, want %+v", c.top, c.own, got, c.want)
		}
		if reflect.DeepEqual(c1.Workers[1].SSH, c.want) != (c.own == "" || c.own == "{}") {
			t.Errorf("%s, %s: the next host has %+v", c.top, c.own, c1.Workers[1].SSH)
		}
	}
}
