package remote_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/local"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// askingSudo is a sudo that asks as the real ones do. Each answer that it gets is written down, the end of input as well. HOME is a
// folder of the test's; lines of before come before it asks.
const askingSudo = `F=%[1]q; PASSWORD='it'"'"'s \secret $HOME'; tries=3
n= S= p=
while [ $# -gt 0 ]; do
  case $1 in -n) n=1; shift ;; -S) S=1; shift ;; -p) p=$2; shift 2 ;; --) shift; break ;; *) exit 99 ;; esac
done
tell() { printf %%s "$1" >&2; }
take() { IFS= read -r got; }
prompt() { tell "$p"; }
%[2]s
[ -n "$asked" ] || { [ -z "$n" ] || { echo 'sudo: a password is required' >&2; exit 1; }; }
try=0
until [ -n "$asked" ]; do
  prompt
  if ! take; then echo END >>"$F/answers"; echo 'sudo: no password was provided' >&2; exit 1; fi
  printf '%%s\n' "$got" >>"$F/answers"
  [ "$got" != "$PASSWORD" ] || break
  try=$((try + 1))
  [ "$try" -lt "$tries" ] || { echo "sudo: $try incorrect password attempts" >&2; exit 1; }
  echo 'Sorry, try again.' >&2
done
FL_SUDO=yes exec "$@"
`

const secret = `it's \secret $HOME`

// asking makes a PATH with an askingSudo, and the folder where it writes.
func asking(t testing.TB, before string) (path, folder string) {
	t.Helper()
	folder = t.TempDir()
	return standIn(t, fmt.Sprintf(askingSudo, folder, before)), folder
}

// answers are what the sudo in a folder was told.
func answers(t testing.TB, folder string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "answers"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// TestSudoPassword has every kind of sudo: each gets the password as often as it asks and no more, and the command gets its input, all
// of it and nothing else.
func TestSudoPassword(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		for name, tt := range map[string]struct {
			before string
			told   int // how often the password; 5 processes are started
		}{
			"asks":                  {"", 5},
			"asks for none":         {"asked=not", 0},
			"asks once":             {`[ ! -e "$F/known" ] || asked=not; : >"$F/known"`, 1},
			"asks after a lecture":  {`echo "We trust you have received the usual lecture. Password: " >&2; tell "no new line"`, 5},
			"shows its prompt":      {`prompt() { tell "[sudo: $p] Password: "; }`, 5}, // as sudo-rs does
			"says it twice as long": {`prompt() { tell "${p%%[0-9]*}"; tell "${p#"${p%%[0-9]*}"}"; }`, 5},
			"reads all that comes":  {`take() { got=$(dd bs=65536 count=1 2>/dev/null); }`, 5},
			"has it on one output":  {"exec >&2", 5},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				path, folder := asking(t, tt.before)
				h := open(t, setting{path: path, password: remote.NewPassword(secret)})
				input := "first\n" + strings.Repeat("0123456789\n", 50_000) + "no new line"
				r, err := h.Run(t.Context(), remote.Command{Script: `printf %s "$FL_SUDO $1"; cat`, Argv: []string{"it's"}, Root: true, Stdin: strings.NewReader(input)})
				if err != nil || string(r.Stdout) != "yes it's"+input && string(r.Stdout) != "" {
					t.Errorf("with input: %d bytes, %v", len(r.Stdout), err)
				}
				if r, err = h.Run(t.Context(), remote.Command{Script: "echo \"$FL_SUDO\"\n# " + secret, Root: true}); err != nil || !strings.HasPrefix(string(append(r.Stdout, r.Stderr...)), "yes\n") {
					t.Errorf("a script: %q, %v", r.Stdout, err)
				}
				file := own(filepath.Join(t.TempDir(), "f"), 0o600, input)
				for _, want := range []bool{true, false} {
					if changed, err := h.WriteFile(t.Context(), file); err != nil || changed != want {
						t.Errorf("write: %v, %v", changed, err)
					}
				}
				if got, err := h.ReadFile(t.Context(), file.Path); err != nil || string(got) != input {
					t.Errorf("read: %d bytes, %v", len(got), err)
				}
				told := answers(t, folder)
				if slices.ContainsFunc(told, func(s string) bool { return s != secret }) || (tt.told == 0) != (len(told) == 0) || len(told) > h.Sessions() {
					t.Errorf("told %q in %d sessions", told, h.Sessions())
				}
				if tt.told == 1 && len(told) != 1 {
					t.Errorf("told %d times", len(told))
				}
			})
		}
	})
}

// TestSudoPasswordRefused has sudo refuse: it is told the password once and never again, on whatever way it asks.
func TestSudoPasswordRefused(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		user := currentUser(t)
		for name, tt := range map[string]struct {
			before, want string
			reason       remote.SudoReason
			told         int
		}{
			"asks again":    {"", "sudo refused: it does not take the password of " + user, remote.SudoWrong, 1},
			"asks once":     {"tries=1", "sudo refused: it does not take the password of " + user, remote.SudoWrong, 1},
			"requiretty":    {"echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1", "sudo refused for " + user + ": it wants a terminal (requiretty)", remote.SudoTerminal, 0},
			"no rule":       {"PASSWORD=other; set -- sh -c 'echo \"ann is not in the sudoers file.\" >&2; exit 1'", "sudo refused for " + user + ": ann is not in the sudoers file.", remote.SudoRules, 1},
			"fails somehow": {"PASSWORD=other; set -- sh -c 'echo \"sudo: account validation failure\" >&2; exit 1'", "sudo refused for " + user + ": sudo: account validation failure", remote.SudoOther, 1},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				path, folder := asking(t, tt.before)
				log, logged := remotetest.DebugLog()
				h := open(t, setting{path: path, password: remote.NewPassword("other"), log: log})
				for range 2 {
					_, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true})
					var refused *remote.SudoError
					if !errors.As(err, &refused) || !errors.Is(err, remote.ErrSudo) || refused.Reason != tt.reason || err.Error() != tt.want {
						t.Errorf("Run: %v, want %s", err, tt.want)
					}
					if _, err = h.ReadFile(t.Context(), "/etc/passwd"); !errors.Is(err, remote.ErrSudo) || !strings.HasSuffix(err.Error(), tt.want) {
						t.Errorf("ReadFile: %v", err)
					}
				}
				if told := answers(t, folder); len(told) != tt.told || tt.told == 1 && told[0] != "other" {
					t.Errorf("told %q", told)
				}
				if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil {
					t.Errorf("without root: %v", err)
				}
				if strings.Contains(logged.String(), "secret") {
					t.Errorf("logged: %s", logged)
				}
			})
		}
	})
}

// TestManyHostsOnePassword has hosts share a password: a wrong one is told to one of them alone, a right one to all; one that another
// host has taken is a host's own matter.
func TestManyHostsOnePassword(t *testing.T) {
	right, rightFolder := asking(t, "")
	for name, tt := range map[string]struct {
		password string
		told     int
		reasons  map[remote.SudoReason]int
	}{
		"wrong": {"other", 1, map[remote.SudoReason]int{remote.SudoWrong: 1, remote.SudoUntried: 11}},
		"right": {secret, 12, map[remote.SudoReason]int{"": 12}},
	} {
		t.Run(name, func(t *testing.T) {
			path, folder := asking(t, "")
			password := remote.NewPassword(tt.password)
			var hosts []*remote.Host
			for i := range 12 {
				hosts = append(hosts, another(t, fmt.Sprint("h", i), path, password))
			}
			var running sync.WaitGroup
			errs := make([]error, len(hosts))
			for i, h := range hosts {
				running.Go(func() { _, errs[i] = h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}) })
			}
			running.Wait()
			counts, by := map[remote.SudoReason]int{}, ""
			for i, err := range errs {
				refused := &remote.SudoError{}
				if err != nil && !errors.As(err, &refused) {
					t.Errorf("%s: %v", hosts[i].Name(), err)
				}
				counts[refused.Reason]++
				if refused.Reason == remote.SudoWrong {
					by = hosts[i].Name()
				}
			}
			for _, err := range errs {
				if untried := new(remote.SudoError); errors.As(err, &untried) && untried.Reason == remote.SudoUntried && untried.By != by {
					t.Errorf("refused by %s: %v", by, err)
				}
			}
			if fmt.Sprint(counts) != fmt.Sprint(tt.reasons) || len(answers(t, folder)) != tt.told {
				t.Errorf("%v, and told %q", counts, answers(t, folder))
			}
			if name == "wrong" { // also to hosts that come later, and those that ask for none are not concerned
				late := another(t, "late", right, password)
				if _, err := late.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); !errors.Is(err, remote.ErrSudo) || !strings.Contains(err.Error(), "was refused by "+by) {
					t.Errorf("a later host: %v", err)
				}
				free, _ := asking(t, "asked=not")
				if _, err := another(t, "free", free, password).Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); err != nil {
					t.Errorf("a host that asks for none: %v", err)
				}
				if told := answers(t, rightFolder); len(told) > 0 {
					t.Errorf("told %q", told)
				}
				return
			}
			strange, strangeFolder := asking(t, "PASSWORD=its-own")
			one := another(t, "strange", strange, password)
			for range 3 {
				if _, err := one.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); !errors.Is(err, remote.ErrSudo) {
					t.Errorf("a host with another password: %v", err)
				}
			}
			if told := answers(t, strangeFolder); len(told) != 1 {
				t.Errorf("told %q", told)
			}
			if _, err := hosts[0].Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

// another is this machine as one more host.
func another(t *testing.T, name, path string, password *remote.Password) *remote.Host {
	t.Helper()
	h, err := local.Open(local.Options{Name: name, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	h.UseSudo(password)
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

// TestOneAtATime has many commands on one host that refuses: it is told the password once.
func TestOneAtATime(t *testing.T) {
	path, folder := asking(t, "")
	password := remote.NewPassword("other")
	h := another(t, "cp1", path, password)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			var refused *remote.SudoError
			if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); !errors.As(err, &refused) || refused.Reason != remote.SudoWrong {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if told := answers(t, folder); len(told) != 1 {
		t.Errorf("told %q", told)
	}
	if again := another(t, "cp1", path, password); again != nil { // as after a lost connection
		if _, err := again.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); !errors.Is(err, remote.ErrSudo) || len(answers(t, folder)) != 1 {
			t.Errorf("over another connection: %v", err)
		}
	}
}

// TestCancelSudoPassword cancels a command whose process group only root may end: sudo asks for the password to do that as well.
func TestCancelSudoPassword(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		path, folder := asking(t, `set -- setsid -w "$@"`)
		h := open(t, setting{path: path, grace: 300 * time.Millisecond, password: remote.NewPassword(secret)})
		ctx, cancel := context.WithCancel(t.Context())
		pid := 0
		_, err := h.Run(ctx, remote.Command{Script: "echo $$; sleep 1000; sleep 1000", Root: true, OnLine: func(line string) {
			if pid == 0 {
				pid = atoi(t, line)
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "may still run") {
			t.Fatalf("got %v", err)
		}
		remotetest.Eventually(t, 20*time.Second, "process ends", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
		if told := answers(t, folder); len(told) != 2 || told[1] != secret {
			t.Errorf("told %q", told)
		}
	})
}

// TestLoginShellGetsNoPassword has a login shell read what comes: nothing does.
func TestLoginShellGetsNoPassword(t *testing.T) {
	eaten := filepath.Join(t.TempDir(), "eaten")
	srv := remotetest.StartSSHD(t, "ForceCommand echo fairlead-password-X; cat >"+eaten)
	h := dialSSH(t, srv, ssh.Options{})
	defer closeHost(t, h)
	h.UseSudo(remote.NewPassword(secret))
	if _, err := h.Run(t.Context(), remote.Command{Script: "true", Root: true, StartWithin: 500 * time.Millisecond}); !errors.Is(err, remote.ErrHangs) {
		t.Errorf("got %v", err)
	}
	closeHost(t, h)
	if text, err := os.ReadFile(eaten); err != nil || len(text) > 0 {
		t.Errorf("it read %q, %v", text, err)
	}
}
