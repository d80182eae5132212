package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCollect has a row for each operator: a body or a declaration, and all its mutants.
func TestCollect(t *testing.T) {
	for _, row := range []struct {
		name, src string
		want      []string
	}{
		{"negate", "func f() { if ok { g = 1 } }", []string{
			"negate: func f() { if ok { g = 1 } } -> func f() { if !(ok) { g = 1 } }",
			"drop assignment: func f() { if ok { g = 1 } } -> func f() { if ok { } }",
			"number: func f() { if ok { g = 1 } } -> func f() { if ok { g = 2 } }",
		}},
		{"a single comparison is not negated too", "func f() {\nif a == b {\n}\n}", []string{
			"operator: if a == b { -> if a != b {"}},
		{"a not is not negated too", "func f() {\nif !a {\n}\n}", []string{"negate: if !a { -> if a {"}},
		{"operators", "var (\na = b < c && d >= e\nf = g + h - i\n)", []string{
			"operator: a = b < c && d >= e -> a = b < c || d >= e",
			"operator: a = b < c && d >= e -> a = b <= c && d >= e",
			"operator: a = b < c && d >= e -> a = b < c && d > e",
			"operator: f = g + h - i -> f = g + h + i",
			"operator: f = g + h - i -> f = g - h - i",
		}},
		{"texts have no minus", `var a = b + "," + c`, nil},
		{"booleans", "var a, b = true, false", []string{
			"boolean: var a, b = true, false -> var a, b = false, false",
			"boolean: var a, b = true, false -> var a, b = true, true",
		}},
		{"numbers keep their base", "const (\na = 9\nb = 0o644\nc = 0x0f\n)", []string{
			"number: a = 9 -> a = 10", "number: b = 0o644 -> b = 0o645", "number: c = 0x0f -> c = 0x10"}},
		{"compared strings", "var (\na = b == \"x\"\nc = \"not compared\"\nd = strings.HasPrefix(b, `/`)\n)", []string{
			`operator: a = b == "x" -> a = b != "x"`,
			`string: a = b == "x" -> a = b == "x~"`,
			"string: d = strings.HasPrefix(b, `/`) -> d = strings.HasPrefix(b, `/~`)",
		}},
		{"statements", "func f() {\na()\nb.c = d\ne = append(e, a)\ng := a\nh.i++\n_ = g\nj++\n}", []string{
			"drop call: a() -> (nothing)",
			"drop assignment: b.c = d -> (nothing)",
			"drop assignment: e = append(e, a) -> (nothing)",
			"drop assignment: h.i++ -> (nothing)",
		}},
		{"jumps", "func f() {\nfor {\ncontinue\nbreak\n}\nreturn\n}", []string{
			"drop continue: continue -> (nothing)", "drop break: break -> (nothing)", "drop return: return -> (nothing)"}},
		{"cases", "func f() {\nswitch a {\ncase \"x\":\nb()\ndefault:\n}\n}", []string{
			`string: case "x": -> case "x~":`,
			`drop case: case "x": b() -> (nothing)`,
			"drop call: b() -> (nothing)",
			"drop case: default: -> (nothing)",
		}},
		{"elements of lists, maps, and of lists in them", "var (\na = []t{x, {y}}\nb = map[string][]t{\"k\": {z}}\nc = t{u}\n)", []string{
			"drop element: a = []t{x, {y}} -> a = []t{{y}}",
			"drop element: a = []t{x, {y}} -> a = []t{x, }",
			`drop element: b = map[string][]t{"k": {z}} -> b = map[string][]t{}`,
			`drop element: b = map[string][]t{"k": {z}} -> b = map[string][]t{"k": {}}`,
		}},
		{"errors", "func f() (t, error) {\nif a == nil {\nreturn b, err\n}\ng(func() bool { return a })\nreturn b, nil\n}", []string{
			"operator: if a == nil { -> if a != nil {",
			"hide error: return b, err -> return b, nil",
			"drop call: g(func() bool { return a }) -> (nothing)",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			mutants, err := collect("a.go", []byte("package p\n"+row.src+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range mutants {
				_, text, _ := strings.Cut(m.String(), ": ")
				got = append(got, text)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
}

// TestEveryMutantParses applies each mutant of this program's own source.
func TestEveryMutantParses(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 4 {
		t.Fatalf("found %v, %v", names, err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		mutants, err := collect(name, src)
		if err != nil || len(mutants) < 10 {
			t.Fatalf("%s: %d mutants, %v", name, len(mutants), err)
		}
		for _, m := range mutants {
			if _, err := collect(name, m.changed()); err != nil {
				t.Errorf("%s: %v", m, err)
			}
		}
	}
}

const (
	counted = `package p

func big(n int) bool { return n > 9 && n != 99 }

func hidden(f func() error) error {
	err := f()
	return err
}
`
	countedTest = `package p

import "testing"

func TestBig(t *testing.T) {
	if !big(11) || big(1) {
		t.Error("wrong")
	}
}
`
)

// TestRun mutates a module: what its test sees is noticed, what it does not see survives, and
// what does not compile is not counted.
func TestRun(t *testing.T) {
	module := t.TempDir()
	write(t, filepath.Join(module, "go.mod"), "module example.com/m\n\ngo 1.26\n")
	write(t, filepath.Join(module, "p/p.go"), counted)
	write(t, filepath.Join(module, "p/p_test.go"), countedTest)
	write(t, filepath.Join(module, "q/q.go"), "package q\n\nvar Yes = true\n")
	write(t, filepath.Join(module, "q/q_test.go"), "package q\n\nimport \"testing\"\n\nfunc TestNothing(*testing.T) {}\n")
	write(t, filepath.Join(module, "r/r_test.go"), `package r

import ("testing"; "example.com/m/q")

func TestYes(t *testing.T) { if !q.Yes { t.Fatal("no") } }
`)
	for _, row := range []struct {
		name string
		args []string
		want []string // lines, in any order
	}{
		{"all", []string{module + "/p"}, []string{
			"p/p.go:3: operator: func big(n int) bool { return n > 9 && n != 99 } -> func big(n int) bool { return n >= 9 && n != 99 }",
			"p/p.go:3: number: func big(n int) bool { return n > 9 && n != 99 } -> func big(n int) bool { return n > 10 && n != 99 }",
			"p/p.go:3: number: func big(n int) bool { return n > 9 && n != 99 } -> func big(n int) bool { return n > 9 && n != 100 }",
			"p: 2 of 5 noticed (40 %), 1 did not compile",
		}},
		{"one", []string{"-n", "1", "-seed", "3", "-files", "p", module + "/p"}, []string{
			"p: 1 of 1 noticed (100 %), 1 did not compile"}},
		{"no file fits", []string{"-files", "^x", module + "/p"}, []string{"p: 0 of 0 noticed (0 %), 0 did not compile"}},
		{"its own tests", []string{module + "/q"}, []string{
			"q/q.go:3: boolean: var Yes = true -> var Yes = false", "q: 0 of 1 noticed (0 %), 0 did not compile"}},
		{"the tests of another package", []string{"-tests", module + "/r", module + "/q"}, []string{
			"q: 1 of 1 noticed (100 %), 0 did not compile"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if err := run(t.Context(), row.args, &stdout, &stderr); err != nil {
				t.Fatal(err, stderr.String())
			}
			got := strings.Split(strings.TrimSpace(stdout.String()), "\n")
			slices.Sort(got)
			slices.Sort(row.want)
			if !slices.Equal(got, row.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
	write(t, filepath.Join(module, "r/r_test.go"), "package r\n\nimport \"testing\"\n\nfunc TestNo(t *testing.T) { t.Fatal(\"no\") }\n")
	err := run(t.Context(), []string{"-tests", module + "/r", module + "/q"}, &strings.Builder{}, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "fail without any change") {
		t.Errorf("tests that fail anyway: %v", err)
	}
}

func TestJudge(t *testing.T) {
	failed := failure(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, row := range []struct {
		name, out string
		ctx       context.Context
		err       error
		want      verdict
		fails     bool
	}{
		{"passed", "ok  \tm/p\t0.1s\n", t.Context(), nil, survived, false},
		{"failed", "--- FAIL: TestX\nFAIL\tm/p\t0.1s\nFAIL\n", t.Context(), failed, noticed, false},
		{"does not compile", "# m/p\np.go:7: declared and not used\nFAIL\tm/p [build failed]\nFAIL\n", t.Context(), failed, broken, false},
		{"no test was run", "go: cannot find go.mod\n", t.Context(), failed, broken, true},
		{"no go command", "", t.Context(), errors.New("not found"), broken, true},
		{"interrupted", "FAIL\n", stopped, failed, broken, true},
	} {
		if got, err := judge(row.ctx, []byte(row.out), row.err); got != row.want || (err != nil) != row.fails {
			t.Errorf("%s: %v, %v", row.name, got, err)
		}
	}
	if got := (score{survived: 1, noticed: 2, broken: 3}).String(); got != "2 of 3 noticed (67 %), 3 did not compile" {
		t.Error(got)
	}
	if err := run(t.Context(), nil, &strings.Builder{}, &strings.Builder{}); !errors.Is(err, errUsage) {
		t.Errorf("no folder: %v", err)
	}
}
