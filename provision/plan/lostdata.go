package plan

import (
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
)

// lostData finds a control plane that has all but the data of its etcd, in a cluster that lives: what it was a member with is gone,
// and etcd takes nobody for a member who has forgotten what he agreed to. One that has not finished its join is none, and neither is
// one whose kubelet, which asks its own API server, is heard.
func (p *planner) lostData(host inventory.Host, seen facts.Host) bool {
	node, exists := p.registered(host)
	if host.Role != inventory.RoleControlPlane || host.Name == p.found.Host || !exists || node.Ready || !seen.Joined() || p.halfControlPlane(host, seen) ||
		!slices.Contains(seen.Manifests, etcdManifest) || seen.NotEmpty[etcdFolder] && !seen.EtcdUnbegun {
		return false
	}
	p.plan.Findings = append(p.plan.Findings, Finding{
		Host: host.Name, Name: "EtcdData",
		Message: "the host's etcd has lost its data in " + etcdFolder + ", and cannot go on as the member that it was",
		Fix:     "have it leave and join anew: fairlead remove " + host.Name + " --force-drain 1m, then fairlead join " + host.Name + " with its address and --control-plane",
	})
	return true
}
