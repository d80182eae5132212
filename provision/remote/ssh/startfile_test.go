package ssh

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// startFile has a login shell that does something before every command, as a file like .bashrc does.
func startFile(t *testing.T, shell, text string) *remote.Host {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rc")
	remotetest.WriteText(t, path, text+"\n")
	return startSSHD(t, fmt.Sprintf(`ForceCommand exec %s -c '. %s; eval "$SSH_ORIGINAL_COMMAND"'`, shell, path)).dial(t, Options{})
}

// TestStartFiles has start-up files that talk, trace and send outputs elsewhere. Commands, their input and files go through.
func TestStartFiles(t *testing.T) {
	const apart, both = "out\n", "out\nerr\n"
	for name, tt := range map[string]struct{ text, stdout string }{
		"traces":                 {"set -x", apart},
		"traces without a word":  {"PS4=; set -x", apart},
		"traces by lines":        {"PS4='\n'; set -x; set -v", apart},
		"options":                {"set -eu", apart},
		"talks":                  {"echo hello; echo hello >&2", apart},
		"talks without an end":   {"printf hello; printf hello >&2", apart},
		"talks with CR":          {`printf 'hello\r\nhello\r'`, apart},
		"talks much":             {"head -c 900000 /dev/zero; head -c 100000 /dev/urandom >&2", apart},
		"errors to output":       {"echo hello >&2; exec 2>&1", both},
		"output to errors":       {"echo hello; exec >&2", both},
		"no output":              {"exec >/dev/null", both},
		"output is closed":       {"exec >&-", both},
		"output to a file":       {`exec >"$HOME/log"; echo hello`, both},
		"no errors":              {"exec 2>/dev/null", both},
		"traces and one output":  {"exec 2>&1; set -x", both},
		"reads input for a time": {"timeout 0.2 head -c 10 >/dev/null || :", apart},
		"has a pager":            {"exec 3>&1; echo hello | cat; exec 3>&-", apart},
	} {
		for _, shell := range []string{"bash", "zsh"} {
			t.Run(name+", "+shell, func(t *testing.T) {
				t.Parallel()
				h := startFile(t, shell, tt.text)
				r, err := h.Run(t.Context(), remote.Command{Script: "echo out; sleep 0.02; echo err >&2; exit $1", Argv: []string{"7"}})
				var exit *remote.ExitError
				wantErr := "err\n"
				if tt.stdout == both {
					wantErr = both
				}
				if !errors.As(err, &exit) || exit.Code != 7 || string(r.Stdout) != tt.stdout || string(r.Stderr) != wantErr {
					t.Errorf("a script: %q, %q, %v", r.Stdout, r.Stderr, err)
				}
				if r, err := h.Run(t.Context(), remote.Command{Argv: []string{"cat"}, Stdin: strings.NewReader("in\x00put")}); err != nil || string(r.Stdout) != "in\x00put" {
					t.Errorf("input: %q, %v", r.Stdout, err)
				}
				if text, err := h.ReadFile(t.Context(), "/proc/version"); err != nil || !strings.HasPrefix(string(text), "Linux") {
					t.Errorf("a file: %q, %v", text, err)
				}
				if _, err := h.ReadFile(t.Context(), "/no/where"); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("no file: %v", err)
				}
				path := filepath.Join(t.TempDir(), "f")
				f := remote.File{Path: path, Mode: 0o600, UID: os.Getuid(), GID: os.Getgid(), Content: []byte("it's\n")}
				if _, err := h.WriteFile(t.Context(), f); err != nil {
					t.Error(err)
				}
				if text, err := os.ReadFile(path); err != nil || string(text) != "it's\n" {
					t.Errorf("the file is %q, %v", text, err)
				}
			})
		}
	}
}

// TestStartHangs has a login shell that hangs, or takes the input for its own: the error says what is waited for, soon, and the
// command never runs, however long the shell lives.
func TestStartHangs(t *testing.T) {
	for name, text := range map[string]string{
		"hangs":            "echo mount: waiting for nfs1 >&2; sleep 1000",
		"reads input":      "echo mount: waiting for nfs1; read -r line; read -r line",
		"reads all input":  "echo mount: waiting for nfs1; cat >/dev/null",
		"both outputs off": "echo mount: waiting for nfs1; exec >/dev/null 2>&1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trace := filepath.Join(t.TempDir(), "it ran")
			h := startFile(t, "bash", text)
			for _, c := range []remote.Command{
				{Script: `touch "$1"`, Argv: []string{trace}},
				{Argv: []string{"touch", trace}},
				{Script: `touch "$1"`, Argv: []string{trace}, Stdin: strings.NewReader("input")},
			} {
				c.StartWithin = 500 * time.Millisecond // it would take for ever
				r, err := h.Run(t.Context(), c)
				if !errors.Is(err, remote.ErrHangs) || !strings.Contains(err.Error(), "host hangs at the login: cp1 has not begun the command within 500ms; ") ||
					len(r.Stdout)+len(r.Stderr) != 0 {
					t.Errorf("got %q, %v", r.Stdout, err)
				}
			}
			closeHost(t, h)
			if _, err := os.Stat(trace); err == nil {
				t.Error("it ran")
			}
		})
	}
}

// TestStartFloods has a login shell that says the same for ever, in lines or without: it is given up, whatever its time.
func TestStartFloods(t *testing.T) {
	for name, text := range map[string]string{
		"lines": "yes", "no lines": "cat /dev/zero", "errors": "yes >&2", "after an hour": "yes | tr -d '\\n'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startFile(t, "bash", text)
			_, err := h.Run(t.Context(), remote.Command{Script: "true", StartWithin: time.Hour})
			if !errors.Is(err, remote.ErrFlood) || !strings.HasSuffix(err.Error(), "more than 1048576 bytes before the command began") {
				t.Errorf("got %v", err)
			}
			if _, err := h.ReadFile(t.Context(), "/proc/version"); !errors.Is(err, remote.ErrFlood) {
				t.Errorf("a file: %v", err)
			}
		})
	}
}

// TestCutOnTheWay has something between sshd and the command cut off its input: the script has not run, and that is told.
func TestCutOnTheWay(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "it ran")
	for _, cut := range []int{0, 3, 6, 20, 40} {
		h := startSSHD(t, fmt.Sprintf(`ForceCommand head -c %d | eval "$SSH_ORIGINAL_COMMAND"`, cut)).dial(t, Options{})
		_, err := h.Run(t.Context(), remote.Command{Script: `touch "$1"` + "\ntrue\ntrue\ntrue\n", Argv: []string{trace}})
		if !errors.Is(err, remote.ErrCut) {
			t.Errorf("after %d bytes: %v", cut, err)
		}
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("it ran")
	}
}

// TestCommandFloods has a command say more than it may: it is ended on the host.
func TestCommandFloods(t *testing.T) {
	h := startSSHD(t).dial(t, Options{})
	alive := filepath.Join(t.TempDir(), "alive")
	r, err := h.Run(t.Context(), remote.Command{
		Script: `trap 'rm "$1"; exit 1' TERM; touch "$1"; while :; do head -c 1000000 /dev/zero; done`, Argv: []string{alive}, MaxOutput: 1 << 20,
	})
	if !errors.Is(err, remote.ErrFlood) || len(r.Stdout) != 1<<20 {
		t.Errorf("%d bytes, %v", len(r.Stdout), err)
	}
	if _, err := os.Stat(alive); err == nil {
		t.Error("the command goes on")
	}
}
