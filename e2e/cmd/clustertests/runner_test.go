package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// standIn takes the place of a compiled package of tests: the tests are the scripts in the folder FILE.d, and it understands of the
// flags what is used here. Each test leaves its name, and where it ran, in FILE.log.
const standIn = `#!/bin/sh
while [ $# -gt 0 ]; do
	case $1 in
	-test.list) ls "$0.d" | grep -E "$2"; exit 0 ;;
	-test.run) run=$2 ;;
	-test.skip) skip=$2 ;;
	-lab) lab=$2 ;;
	-test.v | -test.paniconexit0) set -- "" "$@" ;;
	esac
	shift 2
done
code=0 any=
here=$0.d there=$0.log
for name in $(ls "$here"); do
	echo "$name" | grep -qE "${run%%/*}" || continue
	[ -n "${skip:-}" ] && echo "$name" | grep -qE "$skip" && continue
	any=1
	echo "=== RUN   $name"
	echo "begin $name ${lab:-none}" >>"$there"
	if (. "$here/$name"); then echo "--- PASS: $name (0.00s)"; else echo "--- FAIL: $name (0.00s)"; code=1; fi
	echo "end $name ${lab:-none}" >>"$there"
done
[ "$any" ] || { echo; echo "testing: warning: no tests to run"; }
[ $code = 0 ] && echo PASS || echo FAIL
exit $code
`

// met is of a test that passes when other tests are at work at the same time.
func met(self string, others ...string) string {
	script := ": >\"$0.at-" + self + "\"\n"
	for _, other := range others {
		script += "for i in $(seq 1500); do [ -e \"$0.at-" + other + "\" ] && break; sleep 0.02; done; [ -e \"$0.at-" + other + "\" ]\n"
	}
	return script
}

// rig is a runner with stand-ins, and what it has printed.
type rig struct {
	*runner
	t              *testing.T
	suite          *suite
	stdout, stderr strings.Builder
	mu             sync.Mutex
	downs          []string // labs
}

func newRig(t *testing.T, labs int, tests map[string]string) *rig {
	t.Helper()
	folder := t.TempDir()
	g := &rig{t: t, suite: &suite{name: "fairlead/e2e/x", folder: folder, binary: filepath.Join(folder, "x.test")}}
	if err := errors.Join(os.WriteFile(g.suite.binary, []byte(standIn), 0o700), os.Mkdir(g.suite.binary+".d", 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, script := range tests {
		if err := os.WriteFile(filepath.Join(g.suite.binary+".d", name), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := places(labs, "lab", "10.89.1.0/24")
	if err != nil {
		t.Fatal(err)
	}
	g.runner = &runner{places: all, fairlead: "/fairlead", deadline: time.Now().Add(time.Hour), folder: t.TempDir(), stdout: &g.stdout, stderr: &g.stderr}
	g.down = func(_ context.Context, p place) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.downs = append(g.downs, p.name)
		return nil
	}
	return g
}

// jobs are those of a pattern and a table.
func (g *rig) jobs(pattern, text string) []job {
	g.t.Helper()
	rows, err := parseTable(text)
	if err != nil {
		g.t.Fatal(err)
	}
	all, err := jobs(g.t.Context(), []*suite{g.suite}, pattern, rows)
	if err != nil {
		g.t.Fatal(err)
	}
	return all
}

// log is what the tests have left: that they began and ended.
func (g *rig) log() []string {
	g.t.Helper()
	text, err := os.ReadFile(g.suite.binary + ".log")
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// says fails the test unless each of the expressions is found in the output.
func (g *rig) says(expressions ...string) {
	g.t.Helper()
	for _, e := range expressions {
		if !regexp.MustCompile("(?m)" + e).MatchString(g.stdout.String()) {
			g.t.Errorf("the output lacks %s:\n%s", e, g.stdout.String())
		}
	}
}

func TestSideBySide(t *testing.T) {
	g := newRig(t, 2, map[string]string{"TestA": met("a", "b"), "TestB": met("b", "a"), "TestC": "", "TestD": "", "TestSwap": "sleep 0.2"})
	if err := g.run(t.Context(), g.jobs(".", "9 TestA\n8 TestB\n7 TestC TestD\n1 alone TestSwap")); err != nil {
		t.Fatalf("%v\n%s", err, g.stdout.String())
	}
	log := g.log()
	if log[0] != "begin TestSwap lab" || log[1] != "end TestSwap lab" {
		t.Errorf("what must be alone was not: %q", log)
	}
	if len(log) != 10 || !slices.ContainsFunc(log, func(line string) bool { return strings.HasSuffix(line, " lab-2") }) {
		t.Errorf("ran: %q", log)
	}
	// Whole, with nothing of another group in between, and tests of one group in one process.
	g.says(`^=== RUN   TestC\n--- PASS: TestC \(0.00s\)\n=== RUN   TestD\n--- PASS: TestD \(0.00s\)\nPASS\nok  \tfairlead/e2e/x\t[0-9.]+s\tlab(-2)?: TestC TestD$`,
		`^=== RUN   TestA\n--- PASS: TestA \(0.00s\)\nPASS\nok  \tfairlead/e2e/x\t[0-9.]+s\tlab(-2)?: TestA$`,
		`\nok  \tfairlead/e2e\t[0-9.]+s\t4 groups on 2 labs\n\z`)
	if downs := slices.Sorted(slices.Values(g.downs)); !slices.Contains(downs, "lab") || !slices.Contains(downs, "lab-2") {
		t.Errorf("labs taken down: %q", downs)
	}
}

func TestFailure(t *testing.T) {
	g := newRig(t, 2, map[string]string{"TestA": "echo why; false", "TestB": "", "TestC": "", "TestD": "kill -9 $$"})
	err := g.run(t.Context(), g.jobs(".", "9 TestA TestB\n8 TestC"))
	if !errors.Is(err, errFailed) {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{"end TestB lab", "end TestC lab"} {
		if !slices.ContainsFunc(g.log(), func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("after a failure the others go on, but %s is missing in %q", want, g.log())
		}
	}
	// What failed stands at the end once more.
	g.says(`(?s)ok  \tfairlead/e2e/x.*^--- FAIL: TestA \(0.00s\)\nFAIL\tfairlead/e2e/x\t[0-9.]+s\tlab(-2)?: TestA TestB: exit status 1\n`,
		`^FAIL\tfairlead/e2e/x\t[0-9.]+s\tlab(-2)?: TestD: signal: killed\n(?s:.*)^FAIL\tfairlead/e2e\t[0-9.]+s\t3 groups on 2 labs: 2 failed\n\z`)
}

func TestInterrupted(t *testing.T) {
	wait := "while :; do sleep 0.02; done"
	scripts := map[string]string{"TestLater": ""}
	for self, other := range map[string]string{"a": "b", "b": "a"} {
		// The process itself is asked, as it has a lab to take down.
		scripts["Test"+strings.ToUpper(self)] = "trap 'echo \"down $lab\" >>\"$there\"; exit 1' INT\n" + met(self, other) + ": >\"$0.ready-" + self + "\"\n" + wait
	}
	g := newRig(t, 2, scripts)
	// The stand-in has no subshell of its own here, so that it gets the signal.
	text := strings.Replace(standIn, `if (. "$here/$name")`, `if . "$here/$name"`, 1)
	if err := os.WriteFile(g.suite.binary, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var watch sync.WaitGroup
	watch.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for range ticker.C {
			if found, _ := filepath.Glob(g.suite.binary + ".ready-*"); len(found) == 2 || ctx.Err() != nil {
				cancel()
				return
			}
		}
	})
	err := g.run(ctx, g.jobs(".", "9 TestA\n8 TestB\n7 TestLater"))
	watch.Wait()
	if !errors.Is(err, errFailed) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	log := g.log()
	if !slices.Contains(log, "down lab") || !slices.Contains(log, "down lab-2") || slices.ContainsFunc(log, func(line string) bool { return strings.Contains(line, "TestLater") }) {
		t.Errorf("the tests left %q", log)
	}
	if !slices.Contains(g.downs, "lab") || !slices.Contains(g.downs, "lab-2") {
		t.Errorf("labs taken down: %q", g.downs)
	}
	g.says(`^FAIL\tfairlead/e2e\t.*: interrupted\n\z`)
}

func TestChoice(t *testing.T) {
	g := newRig(t, 1, map[string]string{"TestA": "", "TestAgain": "", "TestB": ""})
	all := g.jobs("TestB/Sub|Again$", "")
	if len(all) != 2 || all[0].title() != "TestAgain" || all[1].title() != "TestB" {
		t.Fatalf("got %+v", all)
	}
	got := strings.Join(all[1].command(t.Context(), g.places[0], time.Minute, "/fairlead").Args[1:], " ")
	want := "-test.v -test.paniconexit0 -test.timeout 1m0s -test.run TestB/Sub|Again$ -test.skip ^(TestA|TestAgain)$ -fairlead /fairlead -lab lab -subnet 10.89.1.0/24"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for pattern, want := range map[string]string{"TestNone": "no test has such a name", "Test(": "-run"} {
		if _, err := jobs(t.Context(), []*suite{g.suite}, pattern, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", pattern, err, want)
		}
	}
}

// TestPinned: tests that have labs of their own are one group, are told nothing of labs, and leave none to take down.
func TestPinned(t *testing.T) {
	g := newRig(t, 2, map[string]string{"TestA": "", "TestB": ""})
	g.suite.pinned = true
	if err := g.run(t.Context(), g.jobs(".", "")); err != nil {
		t.Error(err)
	}
	if log := strings.Join(g.log(), ","); log != "begin TestA none,end TestA none,begin TestB none,end TestB none" || len(g.downs) > 0 {
		t.Errorf("ran %s, took down %q", log, g.downs)
	}
}

func TestLive(t *testing.T) {
	g := newRig(t, 2, map[string]string{"TestA": "echo once"})
	if err := g.run(t.Context(), g.jobs(".", "")); err != nil {
		t.Error(err)
	}
	if n := strings.Count(g.stdout.String(), "once\n"); n != 1 {
		t.Errorf("a single group's output came %d times:\n%s", n, g.stdout.String())
	}
}

func TestNothingRan(t *testing.T) {
	g := newRig(t, 2, map[string]string{"TestA": ""})
	all := g.jobs(".", "")
	all[0].pattern = "TestB"
	if err := g.run(t.Context(), all); !errors.Is(err, errFailed) {
		t.Errorf("got %v", err)
	}
	g.says("no test was run")
}

func TestNoTimeLeft(t *testing.T) {
	g := newRig(t, 1, map[string]string{"TestA": ""})
	g.deadline = time.Now().Add(leastTime / 2)
	if err := g.run(t.Context(), g.jobs(".", "")); !errors.Is(err, errFailed) {
		t.Errorf("got %v", err)
	}
	g.says("^FAIL\tfairlead/e2e/x\tTestA: not begun: there is no time left$")
}

func TestBeside(t *testing.T) {
	g := newRig(t, 1, map[string]string{"TestA": met("a", "beside")})
	script := filepath.Join(t.TempDir(), "beside")
	text := "#!/bin/sh\nbin=" + g.suite.binary + "\n" + strings.ReplaceAll(met("beside", "a"), "$0", "$bin") + "nice; echo --- FAIL: TestCut; exit 3\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	g.beside = []string{script}
	if err := g.run(t.Context(), g.jobs(".", "5 alone TestA")); !errors.Is(err, errFailed) {
		t.Errorf("got %v", err)
	}
	g.says(`^1[0-9]\n--- FAIL: TestCut\nFAIL\t\S*beside\t[0-9.]+s: exit status 3$`, `^--- PASS: TestA`, `1 failed\n\z`)
}
