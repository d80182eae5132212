package inventory

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// DefaultBalancerPort is where the control planes' own load balancer listens: on the same hosts API servers have DefaultAPIPort.
const DefaultBalancerPort = 8443

// BalancerHealthPort is where a balancer says to its own host that it is there.
const BalancerHealthPort = 18443

// LoadBalancer is an address that the control planes share, and the balancer that each of them has behind it.
type LoadBalancer struct {
	VIP       netip.Addr // of the hosts' network, and none of the hosts'
	Interface string     // that has the address; "" for the one that has the host's own
	Port      int        // default: DefaultBalancerPort
}

// Address is host:port of the balancer that has the shared address.
func (l LoadBalancer) Address() string {
	return net.JoinHostPort(l.VIP.String(), strconv.Itoa(l.Port))
}

// BalancerPackages are those that a control plane with a shared address gets: programs of the host's distribution.
func BalancerPackages() []string { return []string{"haproxy", "keepalived"} }

// loadBalancer reads what control planes share.
func (d *decoder) loadBalancer(node *yaml.Node, path []string) *LoadBalancer {
	l := LoadBalancer{Port: DefaultBalancerPort}
	mapping(d, node, path, &l, []field[LoadBalancer]{
		{"vip", true, func(d *decoder, n *yaml.Node, p []string, l *LoadBalancer) {
			if s, ok := d.text(n, p); ok {
				l.VIP = d.address(s, p)
			}
		}},
		{"interface", false, func(d *decoder, n *yaml.Node, p []string, l *LoadBalancer) {
			l.Interface = d.matching(n, p, interfaceProblem)
		}},
		{"port", false, func(d *decoder, n *yaml.Node, p []string, l *LoadBalancer) {
			l.Port = d.port(n, p)
		}},
	})
	return &l
}

// interfaceProblem says what is wrong with the name of a network interface. The kernel's rule is wider (dev_valid_name); what
// else it allows would mean something to the programs that the name is given to.
func interfaceProblem(s string) string {
	if !regexp.MustCompile(`^[-a-zA-Z0-9._@]{1,15}$`).MatchString(s) || s == "." || s == ".." {
		return strconv.Quote(clip(s)) + " is not the name of a network interface, such as eth0"
	}
	return ""
}

// checkLoadBalancer reports what cannot be with the rest of the file.
func (doc *document) checkLoadBalancer(places []place) {
	l := doc.cluster.ControlPlane.LoadBalancer
	if l == nil {
		return
	}
	path := []string{"controlPlane", "loadBalancer"}
	switch l.Port {
	case DefaultAPIPort:
		doc.fault(at(path, "port"), "%d is the port of the API servers on the same hosts; leave it out for %d", l.Port, DefaultBalancerPort)
	case BalancerHealthPort, 2379, 2380, 10248, 10249, 10250, 10256, 10257, 10259:
		doc.fault(at(path, "port"), "%d is in use on every control plane; leave it out for %d", l.Port, DefaultBalancerPort)
	}
	if !doc.faultyWithin(path) {
		doc.checkSharedEndpoint(*l)
	}
	if l.VIP.IsValid() {
		doc.checkSharedAddress(at(path, "vip"), l.VIP, places)
	}
}

// checkSharedEndpoint reports an endpoint that does not lead to the address that is shared.
func (doc *document) checkSharedEndpoint(l LoadBalancer) {
	path := []string{"controlPlane", "endpoint"}
	host, port, err := net.SplitHostPort(doc.cluster.ControlPlane.Endpoint)
	if err != nil {
		return // there is none, or it is reported
	}
	if port != strconv.Itoa(l.Port) {
		doc.fault(path, "must end in port %d of loadBalancer, got %s; leave endpoint out, or give a name that leads to %s", l.Port, port, l.VIP)
	}
	if a, err := netip.ParseAddr(host); err == nil && a != l.VIP {
		doc.fault(path, "%s is another address than vip %s of loadBalancer; leave endpoint out", a, l.VIP)
	}
}

// checkSharedAddress reports an address that control planes cannot share.
func (doc *document) checkSharedAddress(path []string, vip netip.Addr, places []place) {
	doc.checkAddress(path, vip)
	for _, p := range places {
		switch {
		case slices.Contains(p.Addresses(), vip):
			doc.fault(path, "%s is the address of %s; give one that no host has", vip, pathString(p.path))
			return
		case p.Role == RoleControlPlane && p.Address.IsValid() && p.Address.Is4() != vip.Is4() && !doc.faulty(path):
			doc.fault(path, "%s must be of the IP family of the hosts' first addresses, such as %s", vip, p.Address)
			return
		}
	}
}
