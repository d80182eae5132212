package remote_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/remote"
)

// TestSilence has a command say something now and then: it may take as long as it likes, until it says nothing for its Silence.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := newFake()
		h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
		begin, over := time.Now(), make(chan error)
		go func() {
			_, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Silence: time.Minute})
			over <- err
		}()
		command := <-way.started
		for _, out := range []io.Writer{command.stdout, command.stderr, command.stdout} {
			time.Sleep(50 * time.Second)
			fmt.Fprintln(out, "so far")
		}
		killer := <-way.started
		if after := time.Since(begin); after != 210*time.Second || !strings.Contains(killer.line, "kill") {
			t.Errorf("after %s: %s", after, killer.line)
		}
		command.end <- &remote.Exit{Code: 143, Signal: "TERM"}
		killer.end <- nil
		if err := <-over; !errors.Is(err, remote.ErrSilent) || err.Error() != "stopped: nothing was heard for 1m0s" {
			t.Errorf("got %v", err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSilenceOver has a command end in time: what comes after its Silence does not concern it.
func TestSilenceOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := newFake()
		h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
		over := make(chan error)
		for _, silence := range []time.Duration{0, time.Minute} {
			go func() {
				_, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Silence: silence})
				over <- err
			}()
			command := <-way.started
			time.Sleep(59 * time.Second)
			command.end <- nil
			if err := <-over; err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Hour)
		if h.Sessions() != 2 {
			t.Errorf("%d processes were started, want 2", h.Sessions())
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSilenceBegins has a host take its time to begin a command: that is no silence of the command.
func TestSilenceBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := newFake()
		way.mute = true
		h := remote.New(way, remote.Settings{Name: "cp1", User: "root"})
		over := make(chan error)
		go func() {
			_, err := h.Run(t.Context(), remote.Command{Argv: []string{"true"}, Silence: 2 * time.Second})
			over <- err
		}()
		command := <-way.started
		time.Sleep(29 * time.Second)
		command.announce(command.stdout)
		command.announce(command.stderr)
		time.Sleep(time.Second)
		command.end <- nil
		if err := <-over; err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}
