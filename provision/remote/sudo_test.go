package remote_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// granting checks the words that sudo gets and runs the command.
const granting = `[ "$1 $2" = "-n --" ] || exit 99
shift 2
echo "sudo: unable to resolve host cp1" >&2
FL_SUDO=yes exec "$@"
`

func TestSudo(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{path: standIn(t, granting)})
		r, err := h.Run(t.Context(), remote.Command{Script: `echo "$FL_SUDO $1"`, Argv: []string{"it's"}, Root: true})
		if err != nil || string(r.Stdout) != "yes it's\n" || len(r.Stderr) != 0 {
			t.Errorf("got %q, %q, %v", r.Stdout, r.Stderr, err)
		}
		if r, err = h.Run(t.Context(), remote.Command{Script: `echo "$FL_SUDO"`}); err != nil || string(r.Stdout) != "\n" {
			t.Errorf("without Root: got %q, %v", r.Stdout, err)
		}
		_, err = h.Run(t.Context(), remote.Command{Argv: []string{"/bin/sh", "-c", "echo 'sudo: a password is required' >&2; exit 1"}, Root: true})
		var exit *remote.ExitError
		if !errors.As(err, &exit) || errors.Is(err, remote.ErrSudo) || !strings.HasPrefix(exit.Command, "sudo -n -- /bin/sh -c ") {
			t.Errorf("a command that fails and talks like sudo: got %v", err)
		}
		if _, err := h.ReadFile(t.Context(), "/proc/version"); err != nil {
			t.Error(err)
		}
	})
}

// TestSudoRefused has a sudo that wants a password, and none at all.
func TestSudoRefused(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		says := map[string]string{
			"password": "sudo refused: it asks " + loginUser(t) + " for a password",
			"policy":   "sudo refused for " + loginUser(t) + ": sudo: a terminal is required",
			"missing":  "sudo refused for " + loginUser(t) + ": there is neither sudo nor doas",
		}
		for name, path := range map[string]string{
			"password": standIn(t, "echo 'sudo: a password is required' >&2; exit 1\n"),
			"policy":   standIn(t, "echo 'sudo: a terminal is required' >&2; exit 1\n"),
			"missing":  t.TempDir(),
		} {
			t.Run(name, func(t *testing.T) {
				h := open(t, setting{path: path})
				_, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true})
				if !errors.Is(err, remote.ErrSudo) || err.Error() != says[name] {
					t.Errorf("Run: got %v, want %s", err, says[name])
				}
				if _, err = h.ReadFile(t.Context(), "/etc/passwd"); !errors.Is(err, remote.ErrSudo) || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("ReadFile: got %v", err)
				}
				if _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil {
					t.Errorf("without root: got %v", err)
				}
			})
		}
	})
}

// TestCancelSudo cancels a command that runs in another process group than the session, as some sudo settings have it.
func TestCancelSudo(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{path: standIn(t, "shift 2; exec setsid -w \"$@\"\n"), grace: 300 * time.Millisecond})
		ctx, cancel := context.WithCancel(t.Context())
		pid := 0
		_, err := h.Run(ctx, remote.Command{Script: "echo $$; sleep 1000; sleep 1000", Root: true, OnLine: func(line string) {
			if pid == 0 { // what setsid has to say later is no number
				pid = atoi(t, line)
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		remotetest.Eventually(t, 20*time.Second, "process ends", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
	})
}
