package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// runs are commands and what becomes of them over any transport.
func runs() map[string]run {
	return map[string]run{
		"arguments":                 {command: remote.Command{Argv: append([]string{"printf", "<%s>"}, remote.Awkward...)}, stdout: "<" + strings.Join(remote.Awkward, "><") + ">"},
		"both outputs":              {command: remote.Command{Argv: []string{"/bin/sh", "-c", "echo out; echo err >&2"}}, stdout: "out\n", stderr: "err\n"},
		"no output":                 {command: remote.Command{Argv: []string{"true"}}},
		"exit code":                 {command: remote.Command{Argv: []string{"/bin/sh", "-c", "echo why >&2; exit 7"}}, stderr: "why\n", code: 7},
		"root":                      {command: remote.Command{Argv: []string{"echo", "hi"}, Root: os.Getuid() == 0}, stdout: "hi\n"},
		"signal":                    {command: remote.Command{Argv: []string{"/bin/sh", "-c", "kill -9 $$"}}, signal: "KILL", code: 137},
		"script":                    {command: remote.Command{Script: "echo \"$#:$1:$2\"\ncat <<'X'\n!\\'$a\nX\n", Argv: []string{"a b", "-c"}}, stdout: "2:a b:-c\n!\\'$a\n"},
		"plain script":              {command: remote.Command{Script: "echo $LC_ALL; exit 3"}, stdout: "C\n", code: 3},
		"standard input":            {command: remote.Command{Argv: []string{"cat"}, Stdin: strings.NewReader("in\x00put")}, stdout: "in\x00put"},
		"no input":                  {command: remote.Command{Argv: []string{"cat"}}},
		"script and standard input": {command: remote.Command{Script: `cat; echo " $# $1"`, Argv: []string{"a b"}, Stdin: strings.NewReader("in\x00put")}, stdout: "in\x00put 1 a b\n"},
		"unread input":              {command: remote.Command{Argv: []string{"true"}, Stdin: bytes.NewReader(make([]byte, 8<<20))}},
		"much output":               {command: remote.Command{Argv: []string{"head", "-c", "3000000", "/dev/zero"}}, stdout: strings.Repeat("\x00", 3_000_000)},
		"administration":            {command: remote.Command{Script: `case ":$PATH:" in *:/usr/sbin:*) echo yes;; esac`}, stdout: "yes\n"},
		"mask":                      {command: remote.Command{Script: "umask"}, stdout: "0022\n"},
		"no terminal":               {command: remote.Command{Script: "(: </dev/tty) 2>/dev/null || echo none"}, stdout: "none\n"},
		"own group":                 {command: remote.Command{Script: "read -r a b c d group rest </proc/$$/stat; [ $group != " + strconv.Itoa(syscall.Getpgrp()) + " ] && echo own"}, stdout: "own\n"},
	}
}

type run struct {
	command        remote.Command
	stdout, stderr string
	code           int
	signal         string
}

func TestRun(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		logger, logged := remotetest.DebugLog()
		h := open(t, setting{log: logger})
		for name, tt := range runs() {
			t.Run(name, func(t *testing.T) {
				r, err := h.Run(t.Context(), tt.command)
				exit := &remote.ExitError{}
				if err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				if inContainer(t) {
					tt.signal = ""
				}
				if exit.Code != tt.code || exit.Signal != tt.signal || (err == nil) != (tt.code == 0) {
					t.Fatalf("got error %v (code %d, signal %q), want code %d signal %q", err, exit.Code, exit.Signal, tt.code, tt.signal)
				}
				if string(r.Stdout) != tt.stdout || string(r.Stderr) != tt.stderr {
					t.Errorf("got stdout %.200q stderr %q, want %.200q and %q", r.Stdout, r.Stderr, tt.stdout, tt.stderr)
				}
			})
		}
		if h.Sessions() != len(runs()) {
			t.Errorf("Sessions() = %d, want %d", h.Sessions(), len(runs()))
		}
		if n := strings.Count(logged.String(), "msg=run"); n != len(runs()) {
			t.Errorf("%d log records for %d commands", n, len(runs()))
		}
		if h.Name() != "cp1" || h.User() != loginUser(t) {
			t.Errorf("host %s as %s", h.Name(), h.User())
		}
	})
}

// TestNotSent has commands that cannot be sent as they are: nothing is started.
func TestNotSent(t *testing.T) {
	h := overLocal(t, setting{})
	for name, c := range map[string]remote.Command{
		"NUL in an argument":         {Argv: []string{"a\x00b"}},
		"NUL in a script's":          {Script: "true", Argv: []string{"a\x00b"}},
		"neither program nor script": {},
	} {
		if _, err := h.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "command cannot be sent") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if h.Sessions() != 0 {
		t.Errorf("%d processes were started", h.Sessions())
	}
}

func TestExitErrorText(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		_, err := h.Run(t.Context(), remote.Command{Argv: []string{"/bin/sh", "-c", "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 2"}})
		want := "exit 2: line 2\nline 3\nline 4\nline 5\nline 6\nline 7"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		_, err = h.Run(t.Context(), remote.Command{Argv: []string{"no-such-program"}})
		var exit *remote.ExitError
		if !errors.As(err, &exit) || exit.Code != 127 || exit.Host != "cp1" {
			t.Errorf("got %v, want exit 127 of cp1", err)
		}
		_, err = h.Run(t.Context(), remote.Command{
			Script: "exit 5", Argv: append(slices.Repeat([]string{"123456789"}, 39), "last", "of", "all"), Stdin: strings.NewReader(""),
		})
		want = "/bin/sh -s --" + strings.Repeat(" 123456789", 39) + " … (and 3 arguments more) # script of 6 bytes"
		if !errors.As(err, &exit) || exit.Command != want || err.Error() != "exit 5" {
			t.Errorf("got  %v of %s\nwant exit 5 of %s", err, exit.Command, want)
		}
	})
}

func TestSecretsStayInside(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		logger, logged := remotetest.DebugLog()
		h := open(t, setting{log: logger})
		const secret = "s3cr3t-value"
		_, err := h.Run(t.Context(), remote.Command{Script: "echo " + secret + "; echo " + secret + " >&2; exit 1", Secret: true})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error: %v", err)
		}
		r, err := h.Run(t.Context(), remote.Command{Argv: []string{"cat"}, Stdin: strings.NewReader(secret), Secret: true})
		if err != nil || string(r.Stdout) != secret {
			t.Errorf("got %q, %v", r.Stdout, err)
		}
		path := filepath.Join(t.TempDir(), "secret")
		if _, err := h.WriteFile(t.Context(), remote.File{Path: path, Mode: 0o600, UID: os.Getuid(), GID: os.Getgid(), Content: []byte(secret)}); err != nil {
			t.Error(err)
		}
		if _, err := h.ReadFile(t.Context(), path); err != nil {
			t.Error(err)
		}
		if strings.Contains(logged.String(), secret) {
			t.Errorf("the log holds the secret:\n%s", logged)
		}
	})
}

func TestLiveLines(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		fifo := filepath.Join(t.TempDir(), "go")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		var lines []string
		_, err := h.Run(t.Context(), remote.Command{
			Argv: []string{"/bin/sh", "-c", `echo first; read x <"$0"; echo second >&2; printf third`, fifo},
			OnLine: func(line string) {
				// The command goes on only once its first line was seen here: lines that come at the end would hang.
				if line == "first" {
					remotetest.WriteText(t, fifo, "go\n")
				}
				lines = append(lines, line)
			},
		})
		slices.Sort(lines)
		if want := []string{"first", "second", "third"}; err != nil || !slices.Equal(lines, want) {
			t.Errorf("got %q, %v, want %q", lines, err, want)
		}
	})
}

func TestSendProgress(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		var last int64
		r, err := h.Run(t.Context(), remote.Command{
			Argv: []string{"wc", "-c"}, Stdin: bytes.NewReader(make([]byte, 3<<20)),
			OnSend: func(n int64) { last = n },
		})
		if err != nil || last != 3<<20 || strings.TrimSpace(string(r.Stdout)) != strconv.Itoa(3<<20) {
			t.Errorf("sent %d, host counted %s, %v", last, r.Stdout, err)
		}
	})
}

// TestCancelEndsProcesses cancels a command whose shell ignores SIGTERM and has a child.
func TestCancelEndsProcesses(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		for name, trap := range map[string]string{"ends on SIGTERM": "", "ignores SIGTERM": "trap '' TERM; "} {
			t.Run(name, func(t *testing.T) {
				h := open(t, setting{grace: 300 * time.Millisecond})
				ctx, cancel := context.WithCancelCause(t.Context())
				var pids []int
				why := errors.New("enough")
				_, err := h.Run(ctx, remote.Command{
					Script: trap + "sleep 1000 & echo $!; echo $$; wait; wait; sleep 1000",
					OnLine: func(line string) {
						pid, err := strconv.Atoi(line)
						if err != nil {
							t.Error(err)
						}
						if pids = append(pids, pid); len(pids) == 2 {
							cancel(why)
						}
					},
				})
				if !errors.Is(err, why) {
					t.Errorf("got %v, want the cause", err)
				}
				for _, pid := range pids {
					remotetest.Eventually(t, 20*time.Second, "process ends", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
				}
				if err := h.Alive(); err != nil {
					t.Errorf("the connection ended with the command: %v", err)
				}
			})
		}
	})
}

// TestSignalComesAgain cancels a script that tidies up behind itself while its program misses the first SIGTERM, as one does
// that the shell starts just after the signal.
func TestSignalComesAgain(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{grace: 20 * time.Second})
		tidied := filepath.Join(t.TempDir(), "tidied")
		ctx, cancel := context.WithCancel(t.Context())
		_, err := h.Run(ctx, remote.Command{
			Argv: []string{tidied},
			Script: `trap 'touch "$1"' EXIT; trap 'trap "" TERM; exit 1' TERM
sh -c 'trap "trap - TERM" TERM; echo here; while :; do sleep 0.05; done'`,
			OnLine: func(string) { cancel() },
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(tidied); err != nil {
			t.Error(err)
		}
	})
}

func TestCancelBeforeStart(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Run(ctx, remote.Command{Argv: []string{"true"}}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestBrokenInput feeds a reader that fails: the command must not take what came for the whole.
func TestBrokenInput(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{grace: 300 * time.Millisecond})
		why := errors.New("disk error")
		done := filepath.Join(t.TempDir(), "done")
		_, err := h.Run(t.Context(), remote.Command{
			Argv:  []string{"/bin/sh", "-c", `cat >/dev/null; touch "$0"`, done},
			Stdin: io.MultiReader(strings.NewReader("half"), iotest.ErrReader(why)),
		})
		if !errors.Is(err, why) {
			t.Errorf("got %v, want the reader's error", err)
		}
		if _, err := os.Stat(done); err == nil {
			t.Error("the command went on with half its input")
		}
	})
}

// TestManyCommands runs more commands at once than sshd allows sessions.
func TestManyCommands(t *testing.T) {
	overWays(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		errs := make(chan error)
		for range 30 {
			go func() {
				_, err := h.Run(t.Context(), remote.Command{Argv: []string{"sleep", "0.05"}})
				errs <- err
			}()
		}
		for range 30 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
