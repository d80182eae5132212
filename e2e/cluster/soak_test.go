//go:build cluster && soak

package cluster

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// TestSoak goes through the long steps of a run in strides of half a second. At each place the host that is at work loses its
// power, or no packet reaches it for a while. The next run, or this one itself, comes to the end.
func TestSoak(t *testing.T) {
	const stride = 500 * time.Millisecond
	one := lab.InventoryOptions{ControlPlanes: []string{"cp1"}, Workers: []string{"w1"}, Bundle: shared.bundle}
	three := lab.InventoryOptions{ControlPlanes: []string{"cp1", "cp2", "cp3"}, Bundle: shared.bundle}
	for _, c := range []struct {
		name    string
		options lab.InventoryOptions
		step    string
		length  time.Duration // of the step, and a little more
	}{
		{"Init", one, "cp1/init", 12 * time.Second},
		{"InitOfThree", three, "cp1/init", 12 * time.Second},
		{"JoinOfControlPlane", three, "cp2/join", 14 * time.Second},
		{"JoinOfWorker", one, "w1/join", 6 * time.Second},
		{"Install", one, "w1/kubernetes", 3 * time.Second},
		{"Import", one, "w1/images", 8 * time.Second},
	} {
		for after := time.Duration(0); after <= c.length; after += stride {
			t.Run(fmt.Sprintf("%s/Power/%s", c.name, after), func(t *testing.T) {
				soak(t, c.options, c.step, after, (*site).powerCut)
			})
		}
		for _, silence := range []time.Duration{5 * time.Second, 25 * time.Second, 70 * time.Second} {
			for after := time.Duration(0); after <= c.length; after += 4 * stride {
				t.Run(fmt.Sprintf("%s/Packets/%s/%s", c.name, silence, after), func(t *testing.T) {
					soak(t, c.options, c.step, after, func(s *site, host string) error { return s.silent(host, silence) })
				})
			}
		}
	}
}

// TestSoakEndpointMove is TestEndpointMove, cut off ten times.
func TestSoakEndpointMove(t *testing.T) { testEndpointMove(t, 10) }

// soak makes new hosts a cluster. Some time after the start of a step, something happens to its host.
func soak(t *testing.T, options lab.InventoryOptions, step string, after time.Duration, happens func(*site, string) error) {
	hosts := append(append([]string{}, options.ControlPlanes...), options.Workers...)
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	s.inventory(options)
	begin := time.Now()
	first := s.upWith(moment{fmt.Sprintf("%s after %s", step, after), last(func(e event) bool { return e.Kind == "started" && e.Step == step }),
		func(s *site, _ *os.Process, e event) error {
			ctx, cancel := context.WithTimeout(s.ctx, after)
			defer cancel()
			<-ctx.Done()
			return happens(s, e.Host)
		}})
	if first.code != 0 {
		t.Logf("the run itself ended with %d: %s", first.code, lastLines(first.stderr))
		second := s.mustUp()
		t.Logf("the next one took %.1fs", second.took.Seconds())
	}
	t.Logf("from nothing to the end %.1fs", time.Since(begin).Seconds())
	s.wantNodes(hosts...)
	s.wantNoTokens()
	s.planned(0)
}
