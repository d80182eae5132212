//go:build cluster

package cluster

import (
	"slices"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// haSite makes new hosts, and an inventory of them with an address that the control planes share. What answers there
// comes from packages, which one more host serves.
func haSite(t *testing.T, controlPlanes, workers []string) *site {
	t.Helper()
	hosts := slices.Concat(controlPlanes, workers)
	s := freshSite(t, slices.Concat(hosts, []string{repositoryHost})...)
	t.Cleanup(func() { shared.up = false })
	server := s.repositories(hosts...)
	for _, host := range hosts {
		s.shell(host, "apt-get update --quiet")
	}
	s.t.Logf("packages come from %s, the shared address is %s", server.URL(), s.vip())
	s.haInventory(controlPlanes, workers)
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, host := range controlPlanes {
			out, err := s.tryShell(host, "ip -br addr; journalctl --no-pager -n 40 -u keepalived -u haproxy")
			t.Logf("host %s: %v\n%s", host, err, out)
		}
	})
	return s
}

// haInventory writes an inventory of these hosts with the shared address.
func (s *site) haInventory(controlPlanes, workers []string) {
	s.t.Helper()
	s.inventory(lab.InventoryOptions{ControlPlanes: controlPlanes, Workers: workers, Bundle: shared.bundle})
	s.edit("controlPlane:\n", "controlPlane:\n  loadBalancer: {vip: "+s.vip()+"}\n")
}

// vip is the address that the control planes share.
func (s *site) vip() string { return s.lab.Spare().String() }

// endpoint is the host:port of the cluster's API servers in the lab's inventories with a shared address.
func (s *site) endpoint() string { return s.vip() + ":8443" }

// wantProbed fails the test unless a prober's asks were all answered, and each soon enough after the other.
func (s *site) wantProbed(what string, r proberReport, gap time.Duration, failed int) {
	s.t.Helper()
	if r.Asked < 5 || r.Failed > failed || r.LongestGap > gap {
		s.t.Errorf("%s: of %d asks %d failed, want at most %d; the longest gap was %v, want at most %v", what, r.Asked, r.Failed, failed, r.LongestGap, gap)
	}
}
