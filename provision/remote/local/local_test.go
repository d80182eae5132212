package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/child"
	"fairlead/provision/remote/remotetest"
)

func open(t *testing.T) *machine {
	t.Helper()
	m, err := newMachine(os.Getenv("PATH"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// start starts a line whose output comes by a pipe.
func start(t *testing.T, m *machine, line string) (remote.Process, *io.PipeReader) {
	t.Helper()
	out, in := io.Pipe()
	p, err := m.Start(t.Context(), remote.Exec{Line: line, Stdout: in, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return p, out
}

// number reads a line with a number.
func number(t *testing.T, r io.Reader) int {
	t.Helper()
	var text []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		if b[0] == '\n' {
			break
		}
		text = append(text, b[0])
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func gone(pid int) func() bool {
	return func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }
}

// waited is what Wait says, which must not take for ever.
func waited(t *testing.T, p remote.Process) error {
	t.Helper()
	end := make(chan error, 1)
	go func() { end <- p.Wait() }()
	select {
	case err := <-end:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("Wait goes on")
		return nil
	}
}

// TestSurroundings looks at what a process is given: what a login would give it, and nothing of ours.
func TestSurroundings(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FL_MINE", "x")
	t.Setenv("PATH", "/usr/bin:/bin:/nowhere")
	var out, complaints bytes.Buffer
	m := open(t)
	p, err := m.Start(t.Context(), remote.Exec{Line: "/usr/bin/env", Stdout: &out, Stderr: &complaints})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil || complaints.Len() > 0 {
		t.Fatal(err, complaints.String())
	}
	got := map[string]string{}
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[key] = value
	}
	want := map[string]string{
		"HOME": u.HomeDir, "USER": u.Username, "LOGNAME": u.Username, "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin:/nowhere", "PWD": "/",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
		delete(got, key)
	}
	delete(got, "_")      // the shell's own
	delete(got, "OLDPWD") // likewise
	if len(got) > 0 {
		t.Errorf("and there is %v", got)
	}
	h, err := Open(Options{Name: "here"})
	if err != nil {
		t.Fatal(err)
	}
	if h.User() != u.Username || h.Name() != "here" {
		t.Errorf("%s as %s", h.Name(), h.User())
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func TestEnds(t *testing.T) {
	m := open(t)
	for line, want := range map[string]string{
		"true":                  "",
		"sh -c 'exit 3'":        "exit 3",
		"sh -c 'kill -TERM $$'": "killed by SIGTERM",
		"sh -c 'kill -SEGV $$'": "killed by SIGSEGV",
		"sh -c 'exit 143'":      "exit 143",
		"/nowhere/program":      "exit 127",
	} {
		p, _ := start(t, m, line+" 2>/dev/null")
		err := waited(t, p)
		if want == "" && err == nil {
			continue
		}
		var exit *remote.Exit
		if !errors.As(err, &exit) || exit.Error() != want {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
		if exit != nil && exit.Signal == "TERM" && exit.Code != 128+15 {
			t.Errorf("%s: code %d", line, exit.Code)
		}
		if err := p.Close(); err != nil {
			t.Errorf("%s: close after the end: %v", line, err)
		}
	}
	if n := m.processes.Running(); n > 0 {
		t.Errorf("%d processes are held for running", n)
	}
}

// TestOwnSession has fairlead's own group and terminal be none of the process's.
func TestOwnSession(t *testing.T) {
	p, out := start(t, open(t), `sh -c 'cut -d" " -f6 /proc/$$/stat; echo $$'`)
	if session, pid := number(t, out), number(t, out); session != pid {
		t.Errorf("session %d of process %d", session, pid)
	}
	if err := waited(t, p); err != nil {
		t.Error(err)
	}
}

// TestGiveUp closes processes that run: one that would end on a signal, with its child, and one that would not.
func TestGiveUp(t *testing.T) {
	m := open(t)
	p, out := start(t, m, "sh -c 'sleep 1000 & echo $!; echo $$; wait'")
	below, leader := number(t, out), number(t, out)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := waited(t, p); !errors.Is(err, child.ErrGivenUp) {
		t.Errorf("got %v", err)
	}
	remotetest.Eventually(t, 10*time.Second, "group ends", func() bool { return gone(below)() && gone(leader)() })
	if err := p.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}

	p, out = start(t, m, `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done'`)
	leader = number(t, out)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := waited(t, p); !errors.Is(err, child.ErrGivenUp) {
		t.Errorf("deaf to SIGTERM: got %v", err)
	}
	if gone(leader)() {
		t.Error("a process that ignores SIGTERM was killed")
	}
	if err := syscall.Kill(-leader, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// TestLeftBehind ends a process whose child holds its output: that child is not in the way for ever, and lives on.
func TestLeftBehind(t *testing.T) {
	p, out := start(t, open(t), "sh -c 'sleep 1000 & echo $!; echo $$'")
	below, leader := number(t, out), number(t, out)
	remotetest.Eventually(t, 10*time.Second, "the process ends", gone(leader))
	end := make(chan error, 1)
	go func() { end <- p.Wait() }()
	select {
	case err := <-end:
		t.Errorf("the output goes on, but Wait says %v", err)
	default:
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-end; err != nil && !errors.Is(err, child.ErrGivenUp) {
		t.Error(err)
	}
	if gone(below)() {
		t.Error("the child of a process that has ended was ended")
	}
	if err := syscall.Kill(below, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	m := open(t)
	p, out := start(t, m, "sh -c 'echo $$; exec sleep 1000'")
	pid := number(t, out)
	over := make(chan error, 1)
	go func() { over <- m.Wait() }()
	select {
	case err := <-over:
		t.Fatalf("the way is over at once: %v", err)
	default:
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := <-over; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Wait: %v", err)
	}
	if err := waited(t, p); !errors.Is(err, child.ErrGivenUp) {
		t.Errorf("the process: %v", err)
	}
	remotetest.Eventually(t, 10*time.Second, "process ends", gone(pid))
	if _, err := m.Start(t.Context(), remote.Exec{Line: "true", Stdout: io.Discard, Stderr: io.Discard}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Start afterwards: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestStartRefused(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	before := files(t)
	m := open(t)
	if _, err := m.Start(ctx, remote.Exec{Line: "true", Stdout: io.Discard, Stderr: io.Discard}); !errors.Is(err, why) {
		t.Errorf("after the context's end: %v", err)
	}
	if _, err := m.Start(t.Context(), remote.Exec{Line: strings.Repeat("x", 1<<20), Stdout: io.Discard, Stderr: io.Discard}); !errors.Is(err, syscall.E2BIG) {
		t.Errorf("a line that is too long: %v", err)
	}
	for range 20 {
		p, _ := start(t, m, "true")
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if after := files(t); after > before+5 { // some are the runtime's own
		t.Errorf("%d files were open before, and %d are", before, after)
	}
}

// files is how many files this process has open.
func files(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestDeafReader has a process whose output nobody takes any more: it is not kept waiting.
func TestDeafReader(t *testing.T) {
	p, out := start(t, open(t), "sh -c 'yes; exit 5'")
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	var exit *remote.Exit
	if err := waited(t, p); !errors.As(err, &exit) {
		t.Errorf("got %v", err)
	}
}
