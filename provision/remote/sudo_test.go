package remote

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialWithSudo connects to an sshd whose PATH begins with a folder that holds a stand-in for sudo, and takes the login
// user for an ordinary one.
func dialWithSudo(t *testing.T, sudo string) *Host {
	t.Helper()
	dir := t.TempDir()
	if sudo != "" {
		if err := os.WriteFile(filepath.Join(dir, "sudo"), []byte("#!/bin/sh\n"+sudo), 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	h := startSSHD(t, "SetEnv HOME="+dir+" PATH="+dir+":/usr/bin:/bin").dial(t, Options{StopGrace: 300 * time.Millisecond})
	h.sudo = []string{"sudo", "-n", "--"}
	return h
}

// granting checks the words that sudo gets and runs the command.
const granting = `[ "$1 $2" = "-n --" ] || exit 99
shift 2
echo "sudo: unable to resolve host cp1" >&2
FL_SUDO=yes exec "$@"
`

func TestSudo(t *testing.T) {
	h := dialWithSudo(t, granting)
	r, err := h.Run(t.Context(), Command{Script: `echo "$FL_SUDO $1"`, Argv: []string{"it's"}, Root: true})
	if err != nil || string(r.Stdout) != "yes it's\n" || len(r.Stderr) != 0 {
		t.Errorf("got %q, %q, %v", r.Stdout, r.Stderr, err)
	}
	if r, err = h.Run(t.Context(), Command{Script: `echo "$FL_SUDO"`}); err != nil || string(r.Stdout) != "\n" {
		t.Errorf("without Root: got %q, %v", r.Stdout, err)
	}
	_, err = h.Run(t.Context(), Command{Argv: []string{"/bin/sh", "-c", "echo 'sudo: a password is required' >&2; exit 1"}, Root: true})
	var exit *ExitError
	if !errors.As(err, &exit) || errors.Is(err, ErrSudo) || !strings.HasPrefix(exit.Command, "sudo -n -- /bin/sh -c ") {
		t.Errorf("a command that fails and talks like sudo: got %v", err)
	}
	if _, err := h.ReadFile(t.Context(), "/proc/version"); err != nil {
		t.Error(err)
	}
}

func TestSudoRefused(t *testing.T) {
	for name, sudo := range map[string]string{
		"password": "echo 'sudo: Passwort erforderlich' >&2; exit 1\n",
		"missing":  "",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("sudo"); sudo == "" && err == nil {
				t.Skip("sudo is installed in the folders that /bin/sh itself needs")
			}
			h := dialWithSudo(t, sudo)
			_, err := h.Run(t.Context(), Command{Argv: []string{"true"}, Root: true})
			if !errors.Is(err, ErrSudo) || !strings.Contains(err.Error(), "NOPASSWD") || !strings.Contains(err.Error(), "sudo:") {
				t.Errorf("Run: got %v", err)
			}
			if _, err = h.ReadFile(t.Context(), "/etc/passwd"); !errors.Is(err, ErrSudo) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("ReadFile: got %v", err)
			}
			if _, err := h.Run(t.Context(), Command{Argv: []string{"true"}}); err != nil {
				t.Errorf("without root: got %v", err)
			}
		})
	}
}

// TestCancelSudo cancels a command that runs in another process group than the session, as some sudo settings have it.
func TestCancelSudo(t *testing.T) {
	h := dialWithSudo(t, "shift 2; exec setsid -w \"$@\"\n")
	ctx, cancel := context.WithCancel(t.Context())
	pid := 0
	_, err := h.Run(ctx, Command{Script: "echo $$; sleep 1000; sleep 1000", Root: true, OnLine: func(line string) {
		if pid == 0 { // what setsid has to say later is no number
			pid = atoi(t, line)
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	eventually(t, 5*time.Second, "process ends", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}
