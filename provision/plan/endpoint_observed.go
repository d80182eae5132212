package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// leavingFinding names a host that the cluster's endpoint is the address of, and that goes.
const leavingFinding = "EndpointLeaves"

// atObserved is the wish with the endpoint that the cluster has, where the file gives none: which host comes first in a file
// changes no endpoint.
func atObserved(wish desired.State, seen facts.Facts) desired.State {
	if !wish.Cluster.ControlPlane.EndpointDerived {
		return wish
	}
	if observed := ObservedEndpoint(wish.Cluster, seen); observed != "" {
		if changed, err := wish.WithEndpoint(observed); err == nil {
			return changed
		}
	}
	return wish
}

// ObservedEndpoint is the control plane endpoint that a cluster has, host:port: by what it keeps, or, as long as it does not
// answer, by what its hosts use. It is empty where that is not known.
func ObservedEndpoint(cluster *inventory.Cluster, seen facts.Facts) string {
	if kept := keptEndpoint(seen.API.Settings[templates.KindCluster]); kept != "" {
		return kept
	}
	for _, host := range cluster.ControlPlane.Hosts {
		if is := seen.Hosts[host.Name]; is.Unreachable == nil {
			if at := hostPort(is.Servers[baseName(templates.AdminConf)]); at != "" {
				return at
			}
		}
	}
	for _, host := range cluster.Workers {
		if is := seen.Hosts[host.Name]; is.Unreachable == nil && is.KubeletStarted() {
			if at := hostPort(is.Servers[baseName(templates.KubeletConf)]); at != "" {
				return at
			}
		}
	}
	return ""
}

// keptEndpoint is the endpoint in a ClusterConfiguration, with its port.
func keptEndpoint(document string) string {
	if document == "" {
		return ""
	}
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		return "" // which is told where settings are compared
	}
	is, _ := fields[pathEndpoint].(string)
	if is == "" {
		return ""
	}
	return desired.WithPort(is)
}

// formerEndpoints are the hosts of endpoints that a cluster has had, or was to get in a run that was cut off. Some clients may
// still use them, so API servers go on to have certificates for them, and no proxy comes between.
func formerEndpoints(current string, seen facts.API) []string {
	record := seen.RecordedSettings
	var former []string
	add := func(endpoint string) {
		if host := desired.HostOf(endpoint); host != "" {
			former = append(former, host)
		}
	}
	for each := range strings.SplitSeq(record[desired.FormerEndpoints], ",") {
		if each != "" {
			former = append(former, each)
		}
	}
	for key, text := range record {
		if key != templates.KindCluster && !strings.HasPrefix(key, templates.KindCluster+desired.SettingsToCome) {
			continue
		}
		if fields, err := templates.ParseFields([]byte(text)); err == nil { // else it is told where settings are compared
			is, _ := fields[pathEndpoint].(string)
			add(is)
		}
	}
	add(keptEndpoint(seen.Settings[templates.KindCluster]))
	now := desired.HostOf(current)
	former = slices.DeleteFunc(former, func(host string) bool { return host == now })
	slices.Sort(former)
	return slices.Compact(former)
}

// EndpointLeaves says that the endpoint that a cluster is to have is the address of a host, or of a node, that leaves it. Nobody
// would answer there. It is nil where that is not so.
func EndpointLeaves(wish desired.State, seen facts.Facts, name string, addresses ...netip.Addr) *Finding {
	endpoint := atObserved(wish, seen).Cluster.ControlPlane.Endpoint
	address, err := netip.ParseAddr(desired.HostOf(endpoint))
	if err != nil || !slices.Contains(addresses, address) {
		return nil
	}
	return &Finding{
		Host: name, Name: leavingFinding,
		Message: fmt.Sprintf("the control plane endpoint is %s, the address of %s, which leaves: nobody would answer there", endpoint, name),
		Fix: "give controlPlane.endpoint, a name or an address that the control planes share (or controlPlane.loadBalancer), and run fairlead up" +
			" while that host is still there; or give a name or an address that leads to another control plane by now",
	}
}

// endpointFindings finds an endpoint that is the address of no host of the file, which names no endpoint either.
func (p *planner) endpointFindings() {
	control := p.Cluster.ControlPlane
	address, err := netip.ParseAddr(desired.HostOf(control.Endpoint))
	if !control.EndpointDerived || err != nil {
		return
	}
	if slices.ContainsFunc(control.Hosts, func(h inventory.Host) bool { return slices.Contains(h.Addresses(), address) }) {
		return
	}
	for _, node := range p.facts.API.Nodes {
		is, err := netip.ParseAddr(node.InternalIP)
		if err != nil || is != address {
			continue
		}
		if finding := EndpointLeaves(p.State, p.facts, node.Name, is); finding != nil {
			p.plan.Findings = append(p.plan.Findings, *finding)
		}
		return
	}
	p.plan.Findings = append(p.plan.Findings, Finding{
		Name: endpointFinding, Warning: true,
		Message: fmt.Sprintf("the cluster's control plane endpoint is %s, which the inventory does not name", control.Endpoint),
		Fix:     "write endpoint: " + control.Endpoint + " below controlPlane, or the one that it is to become",
	})
}
