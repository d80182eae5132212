package model

import (
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// A control plane that has lost all that it had joins again: its former member leaves etcd first, whether or not its Node is
// there. A run that is cut off at any place on that way is gone on with.
func TestUpJoinsAWipedControlPlane(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(*inventory.Cluster)
		change func(*Simulation)
	}{
		"its node is there": {world.OtherNodeNames, func(*Simulation) {}},
		"its node is gone":  {world.OtherNodeNames, func(s *Simulation) { delete(s.Facts.API.Nodes, "ip-192-0-2-13.lab.example") }},
		// The certificate is for its second address all the same.
		"the cluster was made without it": {world.DualStack, func(s *Simulation) {
			delete(s.Facts.API.Nodes, "cp3")
			settings := s.Facts.API.Settings
			settings[templates.KindCluster] = strings.ReplaceAll(settings[templates.KindCluster], "  - 2001:db8::13\n", "")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			whole := inUse(t, world.All(world.ThreeControlPlanes, c.edit))
			whole.WantConverged()
			cp3, _ := whole.State.Cluster.Host("cp3")
			_ = whole.change(cp3.Name, func(h *facts.Host) error {
				*h = world.FreshHost(cp3)
				ofUser(h)
				return nil
			})
			c.change(whole)
			whole.stale = map[string]bool{}
			for n := 0; ; n++ {
				s := whole.Fork()
				s.cutOff(n, true, n%2 == 0)
				err := s.up()
				reached, _ := s.uncut()
				if reached != (err != nil) {
					t.Fatalf("cut at %d: reached %v, and up says %v", n, reached, err)
				}
				s.WantConverged()
				if !reached {
					break
				}
			}
		})
	}
}
