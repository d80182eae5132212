package world

import (
	"net/netip"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/facts"
)

// Subnets reads subnets with commas between them.
func Subnets(text string) inventory.Subnets {
	var subnets inventory.Subnets
	for each := range strings.SplitSeq(text, ",") {
		subnets = append(subnets, netip.MustParsePrefix(each))
	}
	return subnets
}

// DualStack gives the cluster subnets of both IP families, and each host that has one address of IPv4 a second one.
func DualStack(c *inventory.Cluster) {
	c.Kubernetes.PodSubnet, c.Kubernetes.ServiceSubnet = Subnets("10.244.0.0/16,fd00:10:244::/56"), Subnets("10.96.0.0/12,fd00:10:96::/112")
	eachHost(c, func(h *inventory.Host) { h.Second = sixth(h.Address) })
}

// IPv6Only gives the cluster and its hosts addresses of IPv6 in the place of those of IPv4.
func IPv6Only(c *inventory.Cluster) {
	c.Kubernetes.PodSubnet, c.Kubernetes.ServiceSubnet = Subnets("fd00:10:244::/56"), Subnets("fd00:10:96::/112")
	eachHost(c, func(h *inventory.Host) { h.Address = sixth(h.Address) })
	c.ControlPlane.Endpoint = netip.AddrPortFrom(c.ControlPlane.Hosts[0].Address, inventory.DefaultAPIPort).String()
}

// Publicly gives the cluster an endpoint for people.
func Publicly(endpoint string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) { c.ControlPlane.PublicEndpoint = endpoint }
}

// Shared gives the control planes an address that they share, with a balancer behind it.
func Shared(c *inventory.Cluster) {
	c.ControlPlane.LoadBalancer = &inventory.LoadBalancer{VIP: netip.MustParseAddr("192.0.2.10"), Port: inventory.DefaultBalancerPort}
	c.ControlPlane.Endpoint = c.ControlPlane.LoadBalancer.Address()
}

func eachHost(c *inventory.Cluster, edit func(*inventory.Host)) {
	for _, hosts := range [][]inventory.Host{c.ControlPlane.Hosts, c.Workers} {
		for i := range hosts {
			edit(&hosts[i])
		}
	}
}

// sixth is 2001:db8::11 for 192.0.2.11.
func sixth(a netip.Addr) netip.Addr {
	text := a.String()
	return netip.MustParseAddr("2001:db8::" + text[strings.LastIndex(text, ".")+1:])
}

// linkAddresses are those of a host's only interface.
func linkAddresses(host inventory.Host) []facts.LinkAddress {
	var all []facts.LinkAddress
	for _, a := range host.Addresses() {
		bits := 24
		if a.Is6() {
			bits = 64
		}
		all = append(all, facts.LinkAddress{Link: "eth0", Prefix: netip.PrefixFrom(a, bits)})
	}
	return all
}
