package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
)

// ipv6Off says whether interfaces that are yet to come, those of the pod network among them, have no IPv6.
const ipv6Off = "net.ipv6.conf.default.disable_ipv6"

func asksOfAddresses(state desired.State) facts.Query {
	if !state.Cluster.Kubernetes.PodSubnet.IPv6() {
		return facts.Query{}
	}
	return facts.Query{Sysctls: []string{ipv6Off}}
}

// checkAddress finds an address of the inventory that the host does not have. The two of a dual-stack host have to be on one
// interface for flannel, which sends the pods' packets of both families through that of the first (flannel's pkg/ipmatch).
func checkAddress(p *planner, host inventory.Host, f facts.Host) (string, string) {
	for _, wanted := range host.Addresses() {
		if linkOf(f, wanted) == "" {
			return fmt.Sprintf("no interface has the address %s; the host has %s", wanted, strings.Join(p.globalAddresses(host, f), ", ")),
				"nodes reach each other by this address: give one that the host has itself"
		}
	}
	if !host.Second.IsValid() || p.Cluster.Addons.Network.Name == inventory.NetworkNone {
		return "", ""
	}
	if first, second := linkOf(f, host.Address), linkOf(f, host.Second); first != second {
		return fmt.Sprintf("%s is on the interface %s, and %s on %s: flannel takes one interface for both", host.Address, first, host.Second, second),
			"give two addresses of one interface"
	}
	return "", ""
}

// linkOf is the interface that has an address; empty where none has it.
func linkOf(f facts.Host, wanted netip.Addr) string {
	i := slices.IndexFunc(f.Addresses, func(a facts.LinkAddress) bool { return a.Prefix.Addr() == wanted })
	if i < 0 {
		return ""
	}
	return f.Addresses[i].Link
}

// globalAddresses are those of a host, and of no other, if it has one of its own.
func (p *planner) globalAddresses(host inventory.Host, f facts.Host) []string {
	var all, own []string
	for _, a := range f.Addresses {
		address := a.Prefix.Addr()
		if !address.IsGlobalUnicast() {
			continue
		}
		if all = append(all, address.String()); len(p.othersWith(address, host.Name)) == 0 {
			own = append(own, address.String())
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// checkIPv6 finds a host on which pods would get no address of IPv6, though it has one itself.
func checkIPv6(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if !p.Cluster.Kubernetes.PodSubnet.IPv6() || f.Sysctls[ipv6Off] != "1" {
		return "", ""
	}
	return "IPv6 is switched off for new interfaces: " + ipv6Off + " is 1", "take the line out of /etc/sysctl.conf or /etc/sysctl.d that says so, and: sysctl -w " + ipv6Off + "=0"
}
