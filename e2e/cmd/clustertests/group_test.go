package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseTable(t *testing.T) {
	got, err := parseTable("# a comment\n\n95 alone TestSwap\n  20 TestA TestB\n")
	if err != nil || len(got) != 2 || !got[0].alone || got[0].took != 95*time.Second || got[1].alone || !slices.Equal(got[1].tests, []string{"TestA", "TestB"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"soon TestA":            "number of seconds",
		"0 TestA":               "number of seconds",
		"10":                    "no test",
		"10 alone":              "no test",
		"10 TestA\n20 TestA":    "line 2: TestA is named twice",
		"10 TestA TestB TestA":  "twice",
		"10 TestA\n\n# x\nfive": "line 4",
	} {
		if _, err := parseTable(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestTable holds the real table against the tests that there are.
func TestTable(t *testing.T) {
	groups, err := parseTable(table)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../cluster/*_test.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files of tests: %v", len(files), err)
	}
	there := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllSubmatch(text, -1) {
			there[string(match[1])] = true
		}
	}
	for _, g := range groups {
		for _, test := range g.tests {
			if !there[test] {
				t.Errorf("the table names %s, which is no test", test)
			}
			if g.alone != (test == "TestSwap") {
				t.Errorf("%s: alone %v", test, g.alone)
			}
		}
	}
}

func TestShare(t *testing.T) {
	rows, err := parseTable("50 TestA TestB TestC\n90 TestLong\n10 alone TestSwap\n60 TestD")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, tests, want string }{
		{"all", "TestA TestB TestSwap TestD TestLong TestC", "TestSwap|TestLong|TestD|TestA TestB TestC"},
		{"some", "TestC TestA TestD", "TestD|TestC TestA"},
		{"new ones", "TestD TestNew TestSwap TestOther", "TestSwap|TestNew|TestOther|TestD"},
		{"none", "", ""},
	} {
		var got []string
		for _, g := range share(strings.Fields(c.tests), rows) {
			got = append(got, strings.Join(g.tests, " "))
		}
		if is := strings.Join(got, "|"); is != c.want {
			t.Errorf("%s: got %s, want %s", c.name, is, c.want)
		}
	}
	if rows[0].tests[0] != "TestA" || len(rows[0].tests) != 3 {
		t.Errorf("the table was changed: %v", rows[0].tests)
	}
}

func TestTopLevel(t *testing.T) {
	for pattern, want := range map[string]string{
		".": ".", "": "", "TestA": "TestA", "TestA|TestB": "TestA|TestB",
		"TestA/Sub|TestB":             "TestA|TestB",
		"^TestSoak$/Init/x":           "^TestSoak$",
		"Test(A|B)/S(u|b/c)|TestC/[|": "Test(A|B)|TestC",
		"Test[A/B]x/y":                "Test[A/B]x",
		`TestA\/B|TestC\|D/e`:         `TestA\/B|TestC\|D`,
	} {
		if got := topLevel(pattern); got != want {
			t.Errorf("%s: got %s, want %s", pattern, got, want)
		}
	}
}

func TestTitle(t *testing.T) {
	for tests, want := range map[string]string{
		"TestA": "TestA", "TestA TestB TestC": "TestA TestB TestC", "TestA TestB TestC TestD": "TestA … TestD (4 tests)",
	} {
		if got := (group{tests: strings.Fields(tests)}).title(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct{ took, left, want time.Duration }{
		{0, time.Hour, time.Hour},
		{time.Minute, time.Hour, 14 * time.Minute},
		{time.Minute, 3 * time.Minute, 3 * time.Minute},
	} {
		if got := (group{took: c.took}).within(c.left); got != c.want {
			t.Errorf("%v of %v: got %v, want %v", c.took, c.left, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		count  int
		subnet string
		want   string
	}{
		{1, "10.89.1.0/24", "lab 10.89.1.0/24"},
		{3, "10.89.1.0/24", "lab 10.89.1.0/24, lab-2 10.89.2.0/24, lab-3 10.89.3.0/24"},
		{2, "10.89.254.0/24", "lab 10.89.254.0/24, lab-2 10.89.255.0/24"},
		{3, "10.89.254.0/24", ""},
		{1, "10.89.0.0/16", ""},
		{1, "10.89.1.1/24", ""},
		{1, "fd00::/24", ""},
		{1, "x", ""},
	} {
		all, err := places(c.count, "lab", c.subnet)
		var got []string
		for _, p := range all {
			got = append(got, p.name+" "+p.subnet.String())
		}
		if is := strings.Join(got, ", "); is != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%d from %s: got %q, %v, want %q", c.count, c.subnet, is, err, c.want)
		}
	}
}

func TestSuits(t *testing.T) {
	const gib = 1 << 20
	for _, c := range []struct{ cores, memory, want int }{
		{2, 24 * gib, 2},
		{2, 16*gib - 300<<10, 2}, // what is left of 16 GiB when the kernel has its part
		{8, 16 * gib, 2},
		{1, 64 * gib, 1},
		{4, 4 * gib, 1},
		{64, 512 * gib, mostLabs},
	} {
		if got := suits(c.cores, c.memory); got != c.want {
			t.Errorf("%d cores, %d KiB: %d labs, want %d", c.cores, c.memory, got, c.want)
		}
	}
	if kib, err := memory(); err != nil || kib < gib/8 {
		t.Errorf("this machine: %d KiB, %v", kib, err)
	}
}
