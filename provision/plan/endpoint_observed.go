package plan

import (
	"fmt"
	"net/netip"
	"path"
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
	if observed := observedEndpoint(wish.Cluster, seen); observed != "" {
		if changed, err := wish.WithEndpoint(observed); err == nil {
			return changed
		}
	}
	return wish
}

// observedEndpoint is the control plane endpoint that a cluster has, host:port: by what it keeps, or, as long as it does not
// answer, by what its hosts use. It is empty where that is not known.
func observedEndpoint(cluster *inventory.Cluster, seen facts.Facts) string {
	if kept := keptEndpoint(seen.API.Settings[templates.KindCluster]); kept != "" {
		return kept
	}
	for _, host := range cluster.ControlPlane.Hosts {
		if is := seen.Hosts[host.Name]; is.Unreachable == nil {
			if at := hostPort(is.Servers[path.Base(templates.AdminConf)]); at != "" {
				return at
			}
		}
	}
	for _, host := range cluster.Workers {
		if is := seen.Hosts[host.Name]; is.Unreachable == nil && is.KubeletStarted() {
			if at := hostPort(is.Servers[path.Base(templates.KubeletConf)]); at != "" {
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

// leadsTo says that an endpoint is one of some addresses. One by a name leads where the name's owner says.
func leadsTo(endpoint string, addresses ...netip.Addr) bool {
	address, err := netip.ParseAddr(desired.HostOf(endpoint))
	return err == nil && slices.Contains(addresses, address)
}

// endpointFindings finds an endpoint that is the address of no host of the file, which names no endpoint either: that of a node that
// leaves, where nobody would answer, or of nobody.
func (p *planner) endpointFindings() {
	control := p.Cluster.ControlPlane
	if _, err := netip.ParseAddr(desired.HostOf(control.Endpoint)); !control.EndpointDerived || err != nil {
		return
	}
	if slices.ContainsFunc(control.Hosts, func(h inventory.Host) bool { return leadsTo(control.Endpoint, h.Addresses()...) }) {
		return
	}
	for _, node := range p.facts.API.Nodes {
		is, err := netip.ParseAddr(node.InternalIP)
		if err != nil || !leadsTo(control.Endpoint, is) {
			continue
		}
		p.plan.Findings = append(p.plan.Findings, Finding{
			Host: node.Name, Name: leavingFinding,
			Message: fmt.Sprintf("the control plane endpoint is %s, the address of %s, which leaves: nobody would answer there", control.Endpoint, node.Name),
			Fix: "give controlPlane.endpoint, a name or an address that the control planes share (or controlPlane.loadBalancer), and run fairlead up" +
				" while that host is still there; or give a name or an address that leads to another control plane by now",
		})
		return
	}
	p.plan.Findings = append(p.plan.Findings, Finding{
		Name: endpointFinding, Warning: true,
		Message: fmt.Sprintf("the cluster's control plane endpoint is %s, which the inventory does not name", control.Endpoint),
		Fix:     "write endpoint: " + control.Endpoint + " below controlPlane, or the one that it is to become",
	})
}
