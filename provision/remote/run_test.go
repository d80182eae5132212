package remote

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
)

func TestRun(t *testing.T) {
	logger, logged := debugLog()
	srv := startSSHD(t)
	h := srv.dial(t, Options{Log: logger})
	tests := map[string]struct {
		command        Command
		stdout, stderr string
		code           int
		signal         string
	}{
		"arguments":      {command: Command{Argv: append([]string{"printf", "<%s>"}, awkward...)}, stdout: "<" + strings.Join(awkward, "><") + ">"},
		"both outputs":   {command: Command{Argv: []string{"/bin/sh", "-c", "echo out; echo err >&2"}}, stdout: "out\n", stderr: "err\n"},
		"no output":      {command: Command{Argv: []string{"true"}}},
		"exit code":      {command: Command{Argv: []string{"/bin/sh", "-c", "echo why >&2; exit 7"}}, stderr: "why\n", code: 7},
		"root":           {command: Command{Argv: []string{"echo", "hi"}, Root: os.Getuid() == 0}, stdout: "hi\n"},
		"signal":         {command: Command{Argv: []string{"/bin/sh", "-c", "kill -9 $$"}}, signal: "KILL"},
		"script":         {command: Command{Script: "echo \"$#:$1:$2\"\ncat <<'X'\n!\\'$a\nX\n", Argv: []string{"a b", "-c"}}, stdout: "2:a b:-c\n!\\'$a\n"},
		"plain script":   {command: Command{Script: "echo $LC_ALL; exit 3"}, stdout: "C\n", code: 3},
		"standard input": {command: Command{Argv: []string{"cat"}, Stdin: strings.NewReader("in\x00put")}, stdout: "in\x00put"},
		"unread input":   {command: Command{Argv: []string{"true"}, Stdin: bytes.NewReader(make([]byte, 8<<20))}},
		"administration": {command: Command{Script: `case ":$PATH:" in *:/usr/sbin:*) echo yes;; esac`}, stdout: "yes\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := h.Run(t.Context(), tt.command)
			var exit *ExitError
			failed := errors.As(err, &exit)
			if err != nil && !failed {
				t.Fatal(err)
			}
			if failed != (tt.code != 0 || tt.signal != "") || failed && (exit.Signal != tt.signal || tt.signal == "" && exit.Code != tt.code) {
				t.Fatalf("got error %v, want code %d signal %q", err, tt.code, tt.signal)
			}
			if string(r.Stdout) != tt.stdout || string(r.Stderr) != tt.stderr {
				t.Errorf("got stdout %q stderr %q, want %q and %q", r.Stdout, r.Stderr, tt.stdout, tt.stderr)
			}
		})
	}
	if want := strings.Count(srv.log.String(), "Starting session:"); h.Sessions() != want || want != len(tests) {
		t.Errorf("Sessions() = %d, sshd counted %d, want %d", h.Sessions(), want, len(tests))
	}
	if n := strings.Count(logged.String(), "msg=run"); n != len(tests) {
		t.Errorf("%d log records for %d commands", n, len(tests))
	}
	if _, err := h.Run(t.Context(), Command{Argv: []string{"a\x00b"}}); err == nil {
		t.Error("an argument with NUL was sent")
	}
	if _, err := h.Run(t.Context(), Command{}); err == nil {
		t.Error("an empty command was sent")
	}
}

func TestExitErrorText(t *testing.T) {
	h := startSSHD(t).dial(t, Options{})
	_, err := h.Run(t.Context(), Command{Argv: []string{"/bin/sh", "-c", "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 2"}})
	want := "/bin/sh -c 'for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 2': exit 2: line 3\nline 4\nline 5\nline 6\nline 7"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = h.Run(t.Context(), Command{Argv: []string{"no-such-program"}})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 127 || exit.Host != "cp1" {
		t.Errorf("got %v, want exit 127 of cp1", err)
	}
}

func TestSecretsStayInside(t *testing.T) {
	logger, logged := debugLog()
	h := startSSHD(t).dial(t, Options{Log: logger})
	const secret = "s3cr3t-value"
	_, err := h.Run(t.Context(), Command{Script: "echo " + secret + "; echo " + secret + " >&2; exit 1", Secret: true})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error: %v", err)
	}
	r, err := h.Run(t.Context(), Command{Argv: []string{"cat"}, Stdin: strings.NewReader(secret), Secret: true})
	if err != nil || string(r.Stdout) != secret {
		t.Errorf("got %q, %v", r.Stdout, err)
	}
	path := filepath.Join(t.TempDir(), "secret")
	if _, err := h.WriteFile(t.Context(), File{Path: path, Mode: 0o600, UID: os.Getuid(), GID: os.Getgid(), Content: []byte(secret)}); err != nil {
		t.Error(err)
	}
	if _, err := h.ReadFile(t.Context(), path); err != nil {
		t.Error(err)
	}
	if strings.Contains(logged.String(), secret) {
		t.Errorf("the log holds the secret:\n%s", logged)
	}
}

func TestLiveLines(t *testing.T) {
	h := startSSHD(t).dial(t, Options{})
	fifo := filepath.Join(t.TempDir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []string
	_, err := h.Run(t.Context(), Command{
		Argv: []string{"/bin/sh", "-c", `echo first; read x <"$0"; echo second >&2; printf third`, fifo},
		OnLine: func(line string) {
			// The command goes on only once its first line was seen here: lines that come at the end would hang.
			if line == "first" {
				writeText(t, fifo, "go\n")
			}
			lines = append(lines, line)
		},
	})
	slices.Sort(lines)
	if want := []string{"first", "second", "third"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("got %q, %v, want %q", lines, err, want)
	}
}

func TestSendProgress(t *testing.T) {
	h := startSSHD(t).dial(t, Options{})
	var last int64
	r, err := h.Run(t.Context(), Command{
		Argv: []string{"wc", "-c"}, Stdin: bytes.NewReader(make([]byte, 3<<20)),
		OnSend: func(n int64) { last = n },
	})
	if err != nil || last != 3<<20 || strings.TrimSpace(string(r.Stdout)) != strconv.Itoa(3<<20) {
		t.Errorf("sent %d, host counted %s, %v", last, r.Stdout, err)
	}
}

// TestLoginNoise has a login shell that talks on both outputs before every command, as files like .bashrc do.
func TestLoginNoise(t *testing.T) {
	h := startSSHD(t, `ForceCommand echo welcome; printf "no newline"; echo warning >&2; eval "$SSH_ORIGINAL_COMMAND"`).dial(t, Options{})
	r, err := h.Run(t.Context(), Command{Argv: []string{"/bin/sh", "-c", "echo out; echo err >&2"}})
	if err != nil || string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" {
		t.Errorf("got %q, %q, %v", r.Stdout, r.Stderr, err)
	}
	if text, err := h.ReadFile(t.Context(), "/proc/version"); err != nil || !strings.HasPrefix(string(text), "Linux") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestLoginShellRefuses(t *testing.T) {
	h := startSSHD(t, "ForceCommand echo This account is closed.; exit 1").dial(t, Options{})
	_, err := h.Run(t.Context(), Command{Argv: []string{"true"}})
	var exit *ExitError
	if err == nil || errors.As(err, &exit) || !strings.Contains(err.Error(), "This account is closed.") {
		t.Errorf("got %v", err)
	}
}

// TestCancelEndsProcesses cancels a command whose shell ignores SIGTERM and has a child.
func TestCancelEndsProcesses(t *testing.T) {
	for name, trap := range map[string]string{"ends on SIGTERM": "", "ignores SIGTERM": "trap '' TERM; "} {
		t.Run(name, func(t *testing.T) {
			h := startSSHD(t).dial(t, Options{StopGrace: 300 * time.Millisecond})
			ctx, cancel := context.WithCancelCause(t.Context())
			var pids []int
			why := errors.New("enough")
			_, err := h.Run(ctx, Command{
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
				eventually(t, 5*time.Second, "process ends", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
			}
			if err := h.Alive(); err != nil {
				t.Errorf("the connection ended with the command: %v", err)
			}
		})
	}
}

func TestCancelBeforeStart(t *testing.T) {
	h := startSSHD(t).dial(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Run(ctx, Command{Argv: []string{"true"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestBrokenInput feeds a reader that fails: the command must not take what came for the whole.
func TestBrokenInput(t *testing.T) {
	h := startSSHD(t).dial(t, Options{StopGrace: 300 * time.Millisecond})
	why := errors.New("disk error")
	done := filepath.Join(t.TempDir(), "done")
	_, err := h.Run(t.Context(), Command{
		Argv:  []string{"/bin/sh", "-c", `cat >/dev/null; touch "$0"`, done},
		Stdin: io.MultiReader(strings.NewReader("half"), iotest.ErrReader(why)),
	})
	if !errors.Is(err, why) {
		t.Errorf("got %v, want the reader's error", err)
	}
	if _, err := os.Stat(done); err == nil {
		t.Error("the command went on with half its input")
	}
}

// TestManyCommands runs more commands at once than sshd allows sessions.
func TestManyCommands(t *testing.T) {
	h := startSSHD(t).dial(t, Options{})
	errs := make(chan error)
	for range 30 {
		go func() {
			_, err := h.Run(t.Context(), Command{Argv: []string{"sleep", "0.05"}})
			errs <- err
		}()
	}
	for range 30 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
