package remote_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// TestInputWaits has a host be slow: no byte of the input goes out before it has said on both outputs that the command is there.
func TestInputWaits(t *testing.T) {
	for name, c := range map[string]remote.Command{
		"script":            {Script: "echo hello"},
		"input":             {Argv: []string{"cat"}, Stdin: strings.NewReader("hello")},
		"script with input": {Script: "cat", Stdin: strings.NewReader("hello")},
		"neither":           {Argv: []string{"true"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			way := newFake()
			way.mute = true
			h := remote.New(way, remote.Settings{Name: "cp1", User: "ann"})
			over := make(chan error)
			go func() { _, err := h.Run(t.Context(), c); over <- err }()
			command := <-way.started
			for _, announce := range []func(){
				func() {}, func() { _, _ = command.stderr.Write([]byte("hello\n")) }, func() { command.announce(command.stderr) },
			} {
				announce()
				synctest.Wait()
				if got := command.input.String(); got != "" {
					t.Errorf("%s: %q is sent too early", name, got)
				}
			}
			command.announce(command.stdout)
			synctest.Wait()
			if got := command.input.String(); !strings.HasPrefix(got, "begin\n") || name != "neither" && !strings.Contains(got, "hello") {
				t.Errorf("%s: %q is sent", name, got)
			}
			command.end <- nil
			if err := <-over; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBeginsInTime has hosts that never begin a command, at whatever place: they are given up after the time that they have, nothing
// is sent, and nobody looks for processes to end.
func TestBeginsInTime(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*fake)
		within time.Duration
		root   bool
		want   time.Duration
		says   string
	}{
		"no session":    {change: func(f *fake) { f.frozen = true }, within: 10 * time.Second, want: 10 * time.Second, says: "start the command: host hangs"},
		"no word":       {change: func(f *fake) { f.mute = true }, within: 10 * time.Second, want: 10 * time.Second, says: "it waits for the login shell of ann with its start-up files and home folder, and one"},
		"by default":    {change: func(f *fake) { f.mute = true }, want: 30 * time.Second, says: "cp1 has not begun the command within 30s"},
		"last words":    {change: func(f *fake) { f.mute, f.noise = true, "welcome\nmount: waiting for nfs1" }, want: 30 * time.Second, says: "or reads standard input: welcome\nmount: waiting for nfs1"},
		"negative time": {change: func(f *fake) { f.mute = true }, within: -1, want: 30 * time.Second, says: "within 30s"},
		"sudo":          {change: func(f *fake) { f.mute = true }, root: true, want: 30 * time.Second, says: "home folder, then sudo, and one"},
	} {
		synctest.Test(t, func(t *testing.T) {
			way := newFake()
			tt.change(way)
			h := remote.New(way, remote.Settings{Name: "cp1", User: "ann"})
			begin := time.Now()
			_, err := h.Run(t.Context(), remote.Command{Script: "true", StartWithin: tt.within, Root: tt.root})
			if after := time.Since(begin); !errors.Is(err, remote.ErrHangs) || !strings.Contains(err.Error(), tt.says) || after != tt.want {
				t.Errorf("%s: after %s: %v", name, after, err)
			}
			for _, p := range way.processes {
				if p.input.String() != "" {
					t.Errorf("%s: %q was sent", name, p.input)
				}
			}
			if len(way.processes) > 1 {
				t.Errorf("%s: %d processes were started", name, len(way.processes))
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCancelWhileItHangs cancels a command that a host does not begin: nobody waits for the host.
func TestCancelWhileItHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := newFake()
		way.mute = true
		h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error)
		begin := time.Now()
		go func() { _, err := h.Run(ctx, truth); over <- err }()
		command := <-way.started
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) || time.Since(begin) != 0 || len(way.started) > 0 || command.input.String() != "" {
			t.Errorf("%v after %s, %d more processes, sent %q", err, time.Since(begin), len(way.started), command.input)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFilesBeginInTime has a host on which the file session never begins, and one that begins it and says nothing.
func TestFilesBeginInTime(t *testing.T) {
	for want, mute := range map[error]bool{remote.ErrHangs: true, remote.ErrSilent: false} {
		synctest.Test(t, func(t *testing.T) {
			way := newFake()
			way.mute = mute
			h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
			begin := time.Now()
			if _, err := h.ReadFile(t.Context(), "/etc/hosts"); !errors.Is(err, want) || time.Since(begin) > 30*time.Second {
				t.Errorf("after %s: %v, want %v", time.Since(begin), err, want)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHeardInPart has commands and files that are a little more than may be heard: what was heard is not taken for all, although the
// command has come to a good end.
func TestHeardInPart(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		for size, want := range map[string]error{"1000": nil, "1001": remote.ErrFlood, "2000000": remote.ErrFlood} {
			c := remote.Command{Argv: []string{"head", "-c", size, "/dev/zero"}, MaxOutput: 1000}
			if r, err := h.Run(t.Context(), c); !errors.Is(err, want) || len(r.Stdout) != 1000 {
				t.Errorf("%s bytes: %d, %v", size, len(r.Stdout), err)
			}
		}
		path := filepath.Join(t.TempDir(), "f")
		for size, want := range map[int64]error{8 << 20: nil, 8<<20 + 1: remote.ErrFlood} {
			remotetest.WriteText(t, path, "")
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
			if text, err := h.ReadFile(t.Context(), path); !errors.Is(err, want) || err == nil && int64(len(text)) != size {
				t.Errorf("a file of %d bytes: %d, %v", size, len(text), err)
			}
		}
	})
}
