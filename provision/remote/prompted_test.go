package remote_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/remote"
)

// ask has sudo, in the place of the command, ask for the password.
func (p *fakeProcess) ask() { _, _ = io.WriteString(p.stderr, "\n"+p.prompt()+"\n") }

// prompt is what sudo asks with.
func (p *fakeProcess) prompt() string {
	i := strings.Index(p.line, "fairlead-password-")
	return p.line[i:i+len("fairlead-password-")+26] + " 77"
}

// TestPasswordWaits has a slow sudo: no byte goes out before all of its prompt has come, and nothing but the password before the
// command is there.
func TestPasswordWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := newFake()
		way.mute = true
		h := remote.New(way, remote.Settings{Name: "cp1", User: "ann", SudoPassword: remote.NewPassword("s3cret")})
		over := make(chan error)
		go func() {
			_, err := h.Run(t.Context(), remote.Command{Script: "echo hello", Root: true})
			over <- err
		}()
		sudo := <-way.started
		for _, text := range []string{"Welcome\n", "set -x: " + sudo.prompt() + "\n", sudo.prompt(), "\n"} {
			if got := sudo.input.String(); got != "" {
				t.Errorf("%q is sent before %q", got, text)
			}
			_, _ = io.WriteString(sudo.stderr, text)
			synctest.Wait()
		}
		if got := sudo.input.String(); got != "s3cret\n" {
			t.Errorf("%q is sent", got)
		}
		sudo.announce(sudo.stderr)
		synctest.Wait()
		if got := sudo.input.String(); got != "s3cret\n" {
			t.Errorf("%q is sent before the command is there", got)
		}
		sudo.announce(sudo.stdout)
		synctest.Wait()
		if got := sudo.input.String(); !strings.HasPrefix(got, "s3cret\nbegin\necho hello\n") || strings.Count(got, "s3cret") != 1 {
			t.Errorf("%q is sent", got)
		}
		sudo.end <- nil
		if err := <-over; err != nil || way.count() != 1 {
			t.Errorf("%v, %d processes", err, way.count())
		}
		closeHost(t, h)
	})
}

// TestSudoIsEnded has a sudo ask again: it is killed, and gets the end of its input where that is not possible. Another password, or
// the same once more, it does not get.
func TestSudoIsEnded(t *testing.T) {
	for name, tt := range map[string]struct {
		kill  error // what becomes of kill
		stuck bool  // it does not even end
	}{
		"killed":        {},
		"not permitted": {kill: &remote.Exit{Code: 1}},
		"kill hangs":    {stuck: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			way := newFake()
			way.mute = true
			h := remote.New(way, remote.Settings{Name: "cp1", User: "ann", SudoPassword: remote.NewPassword("s3cret")})
			over := make(chan error)
			go func() { _, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Root: true}); over <- err }()
			sudo := <-way.started
			sudo.ask()
			synctest.Wait()
			sudo.ask()
			killer := <-way.started
			if !strings.HasSuffix(killer.line, " sh 'kill -s KILL 77'") || sudo.inputEnded.Load() {
				t.Errorf("%s: %s, and the input ended: %v", name, killer.line, sudo.inputEnded.Load())
			}
			if !tt.stuck {
				killer.end <- tt.kill
			}
			if tt.kill != nil || tt.stuck {
				time.Sleep(6 * time.Second)
				synctest.Wait()
				if !sudo.inputEnded.Load() {
					t.Errorf("%s: it still has an input", name)
				}
			}
			sudo.end <- &remote.Exit{Code: 137, Signal: "KILL"}
			var refused *remote.SudoError
			if err := <-over; !errors.As(err, &refused) || refused.Reason != remote.SudoWrong || sudo.input.String() != "s3cret\n" {
				t.Errorf("%s: %v, and %q was sent", name, err, sudo.input)
			}
			closeHost(t, h)
		})
	}
}

// TestWaitingForTheFirst has one host try the password while others wait: as long as that takes, and no longer than they want to. How it
// ends by cancelling says nothing of the password, so the next one tries.
func TestWaitingForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		password := remote.NewPassword("s3cret")
		type run struct {
			way    *fake
			sudo   *fakeProcess
			cancel context.CancelFunc
			over   chan error
		}
		var hosts []run
		for _, name := range []string{"h0", "h1", "h2", "h3"} {
			way := newFake()
			way.mute = true
			h := remote.New(way, remote.Settings{Name: name, User: "ann", SudoPassword: password})
			defer closeHost(t, h)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			over := make(chan error, 1)
			go func() { _, err := h.Run(ctx, remote.Command{Argv: []string{"true"}, Root: true}); over <- err }()
			r := run{way, <-way.started, cancel, over}
			r.sudo.ask()
			synctest.Wait()
			hosts = append(hosts, r)
		}
		told := func() (names string) {
			synctest.Wait()
			for i, h := range hosts {
				if h.sudo.input.String() == "s3cret\n" {
					names += string(rune('0' + i))
				}
			}
			return names
		}
		if got := told(); got != "0" {
			t.Errorf("told to %s", got)
		}
		time.Sleep(29 * time.Second) // h0 is slow, and others' time does not run
		hosts[0].cancel()
		<-hosts[0].over
		first := told()
		if len(first) != 2 {
			t.Fatalf("told to %s after the first has given up", first)
		}
		next := int(first[1] - '0')
		time.Sleep(29 * time.Second)
		hosts[next].sudo.announce(hosts[next].sudo.stdout)
		hosts[next].sudo.announce(hosts[next].sudo.stderr)
		if got := told(); len(got) != 3 { // the one that has begun was told to, by now
			t.Errorf("told to %s after one has taken it", got)
		}
		for i, h := range hosts[1:] {
			if i+1 == next {
				h.sudo.end <- nil
			} else {
				h.sudo.announce(h.sudo.stdout)
				h.sudo.announce(h.sudo.stderr)
				synctest.Wait()
				h.sudo.end <- nil
			}
			if err := <-h.over; err != nil {
				t.Errorf("h%d: %v", i+1, err)
			}
		}
	})
}
