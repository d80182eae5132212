package remote

import (
	"os/exec"
	"strings"
	"testing"
)

// awkward are arguments that shells like to change.
var awkward = []string{
	"", "a b", "it's", `"`, `\`, `\\`, `\'`, "$HOME", "`id`", "!", "!!", "a!b", "^x^y", "*", "?", "[a]", "{a,b}", "~", "~root",
	"a\nb", "\n", "a\tb", "a\rb", "#", "a#", ";", "&", "|", "<", ">", "(", ")", "-n", "--", "%s", "%", "=", "a=b",
	"\x01\x02\x7f", "\x80\xff", "é", "\xc3", "héllo wörld", `\0141`, `\n`, `'\''`, strings.Repeat("'", 100),
}

func TestQuote(t *testing.T) {
	for want, argv := range map[string][]string{
		"kubeadm init --config /etc/k.yaml": {"kubeadm", "init", "--config", "/etc/k.yaml"},
		"''":                                {""},
		`'it'\''s'`:                         {"it's"},
		"'a=b' c=d":                         {"a=b", "c=d"},
		"echo '$HOME' 'a b'":                {"echo", "$HOME", "a b"},
		"":                                  {},
	} {
		if got := Quote(argv); got != want {
			t.Errorf("Quote(%q) = %s, want %s", argv, got, want)
		}
	}
}

// throughShell runs the line that printf'd NUL-terminated arguments come out of.
func throughShell(t testing.TB, shell []string, line string) []string {
	t.Helper()
	out, err := exec.Command(shell[0], append(shell[1:], "-c", line)...).Output()
	if err != nil {
		t.Fatalf("%q -c %q: %v", shell, line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestQuoteThroughShell(t *testing.T) {
	got := throughShell(t, []string{"/bin/sh"}, "printf '%s\\0' "+Quote(append([]string{"first"}, awkward...)))
	compareArgs(t, got[1:], awkward)
}

// TestLoginLine sends awkward arguments through every login shell that is installed.
func TestLoginLine(t *testing.T) {
	line := loginLine("exec " + Quote(append([]string{"/usr/bin/printf", `%s\0`}, awkward...)))
	for i := range len(line) {
		if line[i] < ' ' || line[i] > '~' || line[i] == '!' {
			t.Fatalf("byte %q at %d is not safe in every shell", line[i], i)
		}
	}
	for _, shell := range []string{"sh", "dash", "bash", "zsh", "fish", "tcsh", "ksh", "mksh", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Fatalf("%v: users of hosts have this shell, and e2e/setup.sh installs it", err)
			}
			argv := []string{path}
			if shell == "busybox" {
				argv = append(argv, "sh")
			}
			compareArgs(t, throughShell(t, argv, line), awkward)
		})
	}
}

func compareArgs(t testing.TB, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d arguments, want %d:\n%q", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("argument %d: got %q, want %q", i, got[i], want[i])
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, a := range awkward {
		f.Add(a, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, 0) {
			t.Skip("no argument of a process holds a NUL")
		}
		want := []string{a, b}
		compareArgs(t, throughShell(t, []string{"/bin/sh"}, "printf '%s\\0' "+Quote(append([]string{"x"}, want...)))[1:], want)
		line := loginLine("exec " + Quote(append([]string{"/usr/bin/printf", `%s\0`}, want...)))
		compareArgs(t, throughShell(t, []string{"/bin/sh"}, line), want)
	})
}
