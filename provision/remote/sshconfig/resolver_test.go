package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/provision/remote/remotetest"
)

// pretend makes a program that answers as ssh and notes what it was asked, and the function that returns that.
func pretend(t *testing.T, answer string) (program string, asked func() []string) {
	t.Helper()
	dir := t.TempDir()
	program, log := filepath.Join(dir, "ssh"), filepath.Join(dir, "log")
	script := "#!/bin/sh\necho \"$@\" >>'" + log + "'\n" + answer + "\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return program, func() []string {
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	}
}

const plainAnswer = "for last; do :; done; echo \"hostname $last\"; echo user ann; echo port 22"

func TestQuestions(t *testing.T) {
	program, asked := pretend(t, plainAnswer)
	r := New(Options{Program: program, Config: "/c f"})
	for _, q := range []Question{{Name: "web"}, {Name: "web", User: "ann", Port: 22}, {Name: "web", Port: 22}, {Name: "::1"}} {
		for range 2 {
			if a, err := r.Resolve(t.Context(), q); err != nil || a.Name != q.Name || a.Hostname != q.Name || a.User != "ann" {
				t.Errorf("%v: %+v, %v", q, a, err)
			}
		}
	}
	want := []string{"-G -F /c f -- web", "-G -F /c f -l ann -p 22 -- web", "-G -F /c f -p 22 -- web", "-G -F /c f -v -- 192.0.2.1", "-G -F /c f -- ::1"}
	if got := asked(); !reflect.DeepEqual(got, want) {
		t.Errorf("asked %q", got)
	}
}

// TestOneQuestionForAll asks once, however many want to know it at the same time, and only so many at once.
func TestOneQuestionForAll(t *testing.T) {
	program, asked := pretend(t, "mkdir \"$0.$$\" || exit 1; ls -d \"$0\".* | wc -l >>\"$0\"-count; "+plainAnswer+"; rmdir \"$0.$$\"")
	r := New(Options{Program: program})
	r.asking = make(chan struct{}, 2)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if _, err := r.Resolve(t.Context(), Question{Name: fmt.Sprintf("host%d", i%10)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(asked()); n != 10 {
		t.Errorf("%d questions", n)
	}
	counts, err := os.ReadFile(program + "-count")
	if err != nil || strings.ContainsAny(string(counts), "3456789") {
		t.Errorf("so many at once: %q, %v", counts, err)
	}
}

// TestGivenUp: who gives up takes nobody else's answer away.
func TestGivenUp(t *testing.T) {
	dir := t.TempDir()
	program, asked := pretend(t, "if [ ! -e '"+dir+"/once' ]; then : >'"+dir+"/once'; exec sleep 600; fi; "+plainAnswer)
	r := New(Options{Program: program})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	first := make(chan error)
	go func() { _, err := r.Resolve(ctx, Question{Name: "web"}); first <- err }()
	remotetest.Eventually(t, time.Minute, "somebody asks", func() bool { return len(asked()) > 0 })
	second := make(chan error)
	go func() { _, err := r.Resolve(t.Context(), Question{Name: "web"}); second <- err }()
	cancel(enough)
	if err := <-first; !errors.Is(err, enough) {
		t.Errorf("who gave up: %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("who waited: %v", err)
	}
}

func TestNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		says   string // "" where that is as if there were no ssh
	}{
		"refuses":     {"test \"$1\" = -V && { echo OpenSSH_9.2 >&2; exit; }; echo 'line 3: bad' >&2; echo 'f: terminating, 1 bad configuration options' >&2; exit 255", "ask ssh for its configuration of web: exit status 255: line 3: bad: see for yourself with: ssh -G web"},
		"hangs":       {"test \"$1\" = -V && { echo OpenSSH_9.2 >&2; exit; }; sleep 600 & sleep 600", "no answer within 100ms; does a Match exec or CanonicalizeHostname in it wait for something?"},
		"says little": {"echo hostname x", "its answer names no host, user or port"},
		"another ssh": {"test \"$1\" = -V && { echo 'Dropbear v2022.83' >&2; exit; }; echo 'Unknown option -G' >&2; exit 1", ""},
	} {
		program, _ := pretend(t, c.script)
		r := New(Options{Program: program, Timeout: 100 * time.Millisecond})
		if c.says == "" || name == "refuses" {
			r = New(Options{Program: program})
		}
		a, err := r.Resolve(t.Context(), Question{Name: "web", Port: 2222})
		if c.says == "" {
			if want := (Answer{Name: "web", Hostname: "web", Port: 2222}); err != nil || !reflect.DeepEqual(a, want) {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// realSSH is the ssh of this machine, with a configuration.
func realSSH(t testing.TB, config string) Options {
	t.Helper()
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("%v: these tests need OpenSSH's client: install openssh-client", err)
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return Options{Program: program, Config: path}
}

// TestUniform: one answer is that of all addresses where nothing is said of some only, and it is the one that each would get.
func TestUniform(t *testing.T) {
	included := filepath.Join(t.TempDir(), "included")
	if err := os.WriteFile(included, []byte("Match user x\nPort 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string]bool{
		"":                                      true,
		"# Host x\n\nPort 2200\n":               true,
		"Host *\n  Port=2200\n  SendEnv LANG\n": true,
		"host = *\nPort 2200\n":                 true,
		"Include " + included + "-none\nPort 22\n": true,
		"Include " + included + "\n":               false,
		"Host 10.*\nPort 2200\n":                   false,
		"Host * !192.0.2.7\nPort 2200\n":           false,
		"Host \"192.0.2.7\"\nPort 2200\n":          false,
		"Host\t192.0.2.7\nPort 2200\n":             false,
		"HOST=192.0.2.7\nPort 2200\n":              false,
		"Match all\nPort 2200\n":                   false,
		"Match=host 192.0.2.7\nPort 2200\n":        false,
		"IdentityFile ~/.ssh/%h\n":                 false,
		"HostName %h\n":                            false,
		"CanonicalizeHostname yes\n":               false,
		"Host\n":                                   false,
	} {
		r := New(realSSH(t, config))
		if got, err := r.saysTheSame(t.Context()); err != nil || got != want {
			t.Errorf("%q: %v, %v", config, got, err)
		}
		if strings.HasPrefix(config, "Host\n") {
			continue // which ssh does not take
		}
		for _, q := range []Question{{Name: "192.0.2.7"}, {Name: "2001:db8::7", User: "ann"}, {Name: "10.0.0.7", Port: 2222}} {
			got, err := r.Resolve(t.Context(), q)
			direct, directErr := r.ask(t.Context(), q)
			if err != nil || directErr != nil || !reflect.DeepEqual(got, direct) {
				t.Errorf("%q, %v: %v, %v\ngot  %+v\nwant %+v", config, q, err, directErr, got, direct)
			}
		}
	}
}

// TestPlainAddresses: only what ssh takes as it is written may have another's answer.
func TestPlainAddresses(t *testing.T) {
	for name, want := range map[string]bool{
		"192.0.2.7": true, "2001:db8::7": true, "::1": true, "192.0.2.07": false, "2001:DB8::7": false, "2001:db8:0::7": false, "fe80::1%lo": false,
		"::ffff:192.0.2.7": false, "192.0.2": false, "web": false, "": false,
	} {
		if got := isPlainAddress(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func BenchmarkAsk(b *testing.B) {
	for name, config := range map[string]string{"uniform": "Port 22\n", "each": "Host x\nPort 22\n"} {
		b.Run(name, func(b *testing.B) {
			r := New(realSSH(b, config))
			for i := range b.N {
				if _, err := r.Resolve(b.Context(), Question{Name: fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
