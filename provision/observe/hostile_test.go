package observe

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/remote/remotetest"
)

// much is what a host floods with: enough to see whether it is kept.
const much = 2 << 30

// TestHostileHosts has hosts that hang or flood, before the probe begins and afterwards: they are given up in time and with their
// reason, and neither time nor memory is lost for the host that is well.
func TestHostileHosts(t *testing.T) {
	hang := func(ctx context.Context, _, stderr io.Writer) {
		_, _ = io.WriteString(stderr, "mount: waiting for nfs1\n")
		<-ctx.Done()
	}
	flood := func(_ context.Context, stdout, _ io.Writer) { remotetest.Flood(stdout, much) }
	for name, tt := range map[string]struct {
		change        func(s *scene)
		within        time.Duration
		hangs, floods string
	}{
		"at the login": {
			change: func(s *scene) { s.hosts["cp1"].OnLogin(hang); s.hosts["w1"].OnLogin(flood) }, within: 10 * time.Second,
			hangs:  "host hangs at the login: cp1 has not begun the command within 10s; it waits for the login shell of ann",
			floods: "too much output: more than 1048576 bytes before the command began",
		},
		"in the probe": {
			change: func(s *scene) {
				s.before = func(ctx context.Context, name string) {
					if name == "cp1" {
						<-ctx.Done()
					}
				}
				s.floods["w1"] = much
			},
			within: 15 * time.Second, hangs: "nothing was heard for 15s", floods: "too much output: more than 8388608 bytes of the command",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, world.State(t, nil), true)
				tt.change(s)
				begin := time.Now()
				seen := s.observe()
				if took := time.Since(begin); took > tt.within {
					t.Errorf("it took %s", took)
				}
				if seen.Hosts["w2"].Unreachable != nil || seen.Hosts["w2"].Hostname != "w2" {
					t.Errorf("w2 is %+v", seen.Hosts["w2"])
				}
				for host, want := range map[string]string{"cp1": tt.hangs, "w1": tt.floods} {
					if problem := seen.Hosts[host].Unreachable; !problem.Of(facts.HostNoAnswer) || !strings.Contains(problem.Text, want) {
						t.Errorf("%s: %v, want %q", host, problem, want)
					}
				}
			})
			runtime.ReadMemStats(&after) // what was ever taken of the system counts, and not what is left of it
			if grown := after.Sys - before.Sys; after.Sys > before.Sys && grown > 100<<20 {
				t.Errorf("memory has grown by %d MiB", grown>>20)
			}
		})
	}
}
