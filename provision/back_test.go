package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/inventory"
	"fairlead/provision/connect"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
	"fairlead/templates"
)

// A host that goes away in the middle of a step and answers again is looked at anew, and the run comes to its end.
func TestUpGoesOnWhenAHostIsBack(t *testing.T) {
	for _, goesAway := range []int{0, 1, 2, 3} {
		f := converged(t, nil)
		withoutSysctls(f, "w1")
		does, times := f.perform, 0
		f.perform = func(ctx context.Context, host string, script templates.Script) string {
			if script != templates.ScriptSetSysctls {
				return ""
			}
			if times++; times <= goesAway {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.lines[host].Lose()
				f.line(host)
				<-ctx.Done()
				return "cut off"
			}
			return does(ctx, host, script)
		}
		steps, err := f.Up(t.Context())
		lost := slices.Repeat([]string{"w1 gone away; waiting up to 3m0s until it answers again"}, min(goesAway, 2))
		if well := goesAway <= 2; (err == nil) != well || well != (steps == 1) || !well && !errors.Is(err, remote.ErrLost) {
			t.Errorf("gone away %d times: %d steps, %v", goesAway, steps, err)
		}
		if got := f.told(event.Lost); !slices.Equal(got, lost) {
			t.Errorf("gone away %d times: told was %q", goesAway, got)
		}
	}
}

// A step that failed otherwise ends the run, whatever became of other hosts.
func TestUpEndsWhenAStepFails(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	f.change("w2", func(h *facts.Host) { h.Sysctls["net.ipv4.ip_forward"] = "0" })
	f.perform = func(ctx context.Context, host string, script templates.Script) string {
		if script == templates.ScriptSetSysctls && host == "w1" {
			f.lines["w1"].Lose()
			<-ctx.Done()
		}
		if script != templates.ScriptSetSysctls {
			return ""
		}
		return "no such key"
	}
	if _, err := f.Up(t.Context()); !errors.Is(err, remote.ErrLost) || !strings.Contains(err.Error(), "no such key") || len(f.told(event.Lost)) > 0 {
		t.Errorf("got %v", err)
	}
}

// How long a host is waited for depends on why it cannot be reached.
func TestAwaitHost(t *testing.T) {
	refused := fmt.Errorf("w1: %w", remote.ErrAuth)
	away := fmt.Errorf("w1: %w", remote.ErrUnreachable)
	other := fmt.Errorf("w1: %w", remote.ErrHostKey)
	for name, c := range map[string]struct {
		answers []error // of one attempt after another; the last goes on for ever
		took    time.Duration
		is      error
	}{
		"it is there":                 {answers: []error{nil}},
		"it starts":                   {answers: []error{away, away, refused, away, nil}, took: 20 * time.Second},
		"its last services start":     {answers: []error{away, refused, refused, refused, refused, refused, nil}, took: 30 * time.Second},
		"it no longer lets us in":     {answers: []error{refused}, took: 25 * time.Second, is: remote.ErrAuth},
		"it is another":               {answers: []error{away, other}, took: 5 * time.Second, is: remote.ErrHostKey},
		"it does not come back":       {answers: []error{away}, took: 3 * time.Minute, is: context.DeadlineExceeded},
		"the reason it was away last": {answers: []error{refused, away}, took: 3 * time.Minute, is: remote.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				line := remotetest.NewPretend(t, func(context.Context, remotetest.Call) remotetest.Reply { return remotetest.Reply{} })
				wish := world.State(t, nil)
				connections := connect.NewWith(wish.Cluster, func(_ context.Context, host inventory.Host) (*remote.Host, error) {
					err := c.answers[min(attempts, len(c.answers)-1)]
					attempts++
					if err != nil {
						return nil, err
					}
					return line.Host(host.Name), nil
				})
				s := newSession(wish, nil, "run", Options{}, connections)
				start := time.Now()
				err := s.awaitHost(t.Context(), "w1")
				if took := time.Since(start); took != c.took || (err == nil) != (c.is == nil) || !errors.Is(err, c.is) {
					t.Errorf("after %s: %v", took, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A jump host that went away is said once for all hosts behind it, beside hosts that went away themselves.
func TestWhoIsWaitedFor(t *testing.T) {
	f := converged(t, nil)
	bastion := &ssh.JumpError{Host: ssh.Target{Name: "bastion", User: "ann", Address: "192.0.2.1", Port: 22}, Err: fmt.Errorf("%w: EOF", remote.ErrLost)}
	f.sayLost([]connect.Loss{{Host: "cp1", Cause: remote.ErrLost}, {Host: "w1", Cause: fmt.Errorf("read: %w", bastion)}, {Host: "w2", Cause: bastion}})
	want := []string{
		"cp1 gone away; waiting up to 3m0s until it answers again",
		"the connection to the jump host bastion (ann@192.0.2.1:22) was lost: EOF; waiting up to 3m0s until it answers again",
	}
	if got := f.told(event.Lost); !slices.Equal(got, want) {
		t.Errorf("told was %q", got)
	}
}
