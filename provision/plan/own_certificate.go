package plan

import (
	"maps"
	"net/netip"
	"slices"

	"fairlead/inventory"
	"fairlead/templates"
)

// A control plane's certificate is for its own address by kubeadm's doing, and for the names that the cluster keeps. The second address
// of one that joins a living cluster of two IP families is neither.

// ownCertificate has a control plane that joins get the certificate for its second address before kubeadm runs, which keeps one that is
// there and goes with the cluster (cmd/kubeadm/app/phases/certs). The first ones have it by init.
func (p *planner) ownCertificate(step *Step, host inventory.Host) {
	kept, exists := p.facts.API.Settings[templates.KindCluster]
	if !host.Second.IsValid() || p.first != "" || !exists {
		return
	}
	live, err := templates.ReadSettings(templates.KindCluster, []byte(kept))
	if err != nil {
		return // the settings say so
	}
	if isFor(live, host.Second) {
		return
	}
	document, err := templates.Reconfiguration(p.common.kubeadm, p.templateNode(host, nil), templates.Settings{templates.KindCluster: forSecond(live, host)})
	if err != nil {
		p.block(host.Name, step.Title, err.Error())
		return
	}
	step.do(certify(document)...)
}

// certify makes the API server's certificate anew.
func certify(document []byte) []Action {
	return []Action{
		forgetServerCertificate(),
		RunKubeadm{Document: document, Verb: []string{"init", "phase", "certs", "apiserver"}},
	}
}

// forSecond is a ClusterConfiguration by which a host's certificate is for its second address, too.
func forSecond(cluster templates.Fields, host inventory.Host) templates.Fields {
	if !host.Second.IsValid() || isFor(cluster, host.Second) {
		return cluster
	}
	server, _ := cluster["apiServer"].(templates.Fields)
	names, _ := server["certSANs"].([]any)
	cluster, server = maps.Clone(cluster), maps.Clone(server)
	if server == nil {
		server = templates.Fields{}
	}
	server["certSANs"] = append(slices.Clone(names), host.Second.String())
	cluster["apiServer"] = server
	return cluster
}

// isFor says that API servers' certificates are for an address by a ClusterConfiguration.
func isFor(cluster templates.Fields, address netip.Addr) bool {
	server, _ := cluster["apiServer"].(templates.Fields)
	names, _ := server["certSANs"].([]any)
	return slices.Contains(names, any(address.String()))
}

// withSecond are settlements by which a host's certificate is for its second address, too. The cluster does not keep that.
func withSecond(all map[string]settlement, host inventory.Host) map[string]settlement {
	cluster, exists := all[templates.KindCluster]
	if !exists {
		return all
	}
	all = maps.Clone(all)
	cluster.settled = forSecond(cluster.settled, host)
	all[templates.KindCluster] = cluster
	return all
}
