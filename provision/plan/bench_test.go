package plan

import (
	"fmt"
	"net/netip"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
)

// fleet is an inventory of that many hosts, three of them control planes.
func fleet(hosts int) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) {
		world.ThreeControlPlanes(c)
		address := netip.MustParseAddr("192.0.3.0")
		c.Workers = nil
		for i := range hosts - len(c.ControlPlane.Hosts) {
			address = address.Next()
			c.Workers = append(c.Workers, world.Host(fmt.Sprintf("worker-%d", i), address.String(), inventory.RoleWorker))
		}
	}
}

func fresh(_ testing.TB, wish desired.State) facts.Facts {
	return world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
}

// BenchmarkMake plans for fleets of different sizes: the time per host should not grow.
func BenchmarkMake(b *testing.B) {
	for _, c := range []struct {
		name string
		edit func(*inventory.Cluster)
		of   func(testing.TB, desired.State) facts.Facts
	}{
		{"fresh", nil, fresh},
		{"converged", nil, world.Converged},
		{"fresh with a proxy", func(c *inventory.Cluster) { c.Proxy.HTTPS = "http://proxy.lab:3128" }, fresh},
		{"fresh with an own registry and all add-ons", func(c *inventory.Cluster) { world.AllAddons(c); c.Images.Host = "cp1" }, fresh},
	} {
		for _, hosts := range []int{10, 100, 1000, 3000} {
			b.Run(fmt.Sprintf("%s/%d hosts", c.name, hosts), func(b *testing.B) {
				wish := world.State(b, func(cluster *inventory.Cluster) {
					fleet(hosts)(cluster)
					if c.edit != nil {
						c.edit(cluster)
					}
				})
				seen := c.of(b, wish)
				for b.Loop() {
					Make(wish, seen)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(hosts), "µs/host")
			})
		}
	}
}
