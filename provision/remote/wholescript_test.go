package remote

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awkwardScript is one that shells could be tempted to begin before they have all of it, and that leaves a trace when it runs.
const awkwardScript = `touch "$1"
set -eu
say() { printf '%s|' "$@"; }
trap 'say end' EXIT
say "$#" "$2"
cat <<'X'
}; exit 9 "$(
X
shift
say "$1" "$(cat)" "$-"
case $- in *e*) ;; *) exit 8 ;; esac
exit 3
# a comment without an end`

// shells are those that may be a host's /bin/sh.
var shells = [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"mksh"}, {"ksh"}, {"zsh", "--emulate", "sh"}}

// shellRun runs what is sent to a host in one of its shells.
func shellRun(t *testing.T, shell []string, text, input string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := exec.LookPath(shell[0])
	if err != nil {
		t.Fatalf("%v: hosts have this shell, and e2e/setup.sh installs it", err)
	}
	var out, said bytes.Buffer
	cmd := exec.Command(path, append(shell[1:], "-c", text, "sh")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &said
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// TestWholeScript cuts a script off at each byte of what is sent: nothing of it has run, and that is told. The whole one runs
// as it would by itself, in each shell.
func TestWholeScript(t *testing.T) {
	for _, shell := range shells {
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			trace := filepath.Join(t.TempDir(), "it ran")
			g := newGate()
			c := Command{Script: awkwardScript, Argv: []string{trace, "it's"}}
			text, input := wireText(c.Argv, true, g), c.head(g)
			last := len(input) - 1 // without its last new line it is whole as well
			for cut := range last {
				if shell[0] != "dash" && cut%17 != 0 && cut < last-3 {
					continue
				}
				_, stderr, code := shellRun(t, shell, text, input[:cut])
				if code != cutCode || !strings.HasSuffix(stderr, "\n"+g.mark+" cut\n") {
					t.Errorf("cut after %d of %d bytes: exit %d, %q", cut, len(input), code, stderr)
				}
				if _, err := os.Stat(trace); err == nil {
					t.Fatalf("cut after %d of %d bytes, and it ran", cut, len(input))
				}
			}
			for _, all := range []string{input, input[:last]} {
				stdout, stderr, code := shellRun(t, shell, text, all)
				_, said, _ := strings.Cut(stdout, g.mark)
				_, said, _ = strings.Cut(said, "\n")
				options, want := "", "2|it's|}; exit 9 \"$(\nit's||"
				if rest, ok := strings.CutPrefix(said, want); ok {
					options, said, _ = strings.Cut(rest, "|")
				}
				if code != 3 || said != "end|" || strings.ContainsAny(options, "x") || strings.Count(stderr, "\n") != 2 {
					t.Errorf("exit %d, %q with options %q, %q", code, said, options, stderr)
				}
				if err := os.Remove(trace); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestCutComplaint has the complaint of a script that was cut off come before and after the other output's mark, and as
// something else.
func TestCutComplaint(t *testing.T) {
	for said, want := range map[string]bool{
		"MARK 42\nMARK cut\n": true, "MARK 42\r\nMARK cut\r\n": true, "MARK cut\n": true, "MARK 42\n": false, "MARK 42\nMARK cut\nor not\n": false,
	} {
		for _, late := range []bool{true, false} {
			x := listen(Command{})
			other, said := x.gate.mark+" 42\n", strings.ReplaceAll(said, "MARK", x.gate.mark)
			if !late {
				_, _ = x.stdout.Write([]byte(other))
			}
			_, _ = x.stderr.Write([]byte(said))
			if late {
				_, _ = x.stdout.Write([]byte(other))
			}
			if got := x.stderr.cutOff(); got != want || x.stdout.cutOff() {
				t.Errorf("%q: %v", said, got)
			}
		}
	}
}

// TestExportedOptions has a start-up file of bash export its options to all shells below it.
func TestExportedOptions(t *testing.T) {
	g := newGate()
	c := Command{Script: "false\necho \"$fl_none\" $-"}
	rc := "set -o posix -x -e -u -v; export SHELLOPTS; exec bash --posix -c \"$0\"\n"
	cmd := exec.Command("bash", "-c", rc, wireText(nil, true, g))
	cmd.Stdin = strings.NewReader(c.head(g))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	x := listen(Command{})
	for from, to := range map[*bytes.Buffer]*stream{&out: x.stdout, &said: x.stderr} {
		x.gate.mark = g.mark
		if _, err := to.Write(from.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if !x.gate.isOpen() || strings.Contains(said.String(), "+ false") {
		t.Errorf("open: %v, said %s", x.gate.isOpen(), said.String())
	}
}
