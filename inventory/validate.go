package inventory

import (
	"net"
	"net/netip"
	"os/user"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// place is a host with its path in the file.
type place struct {
	Host
	path []string
}

// places lists all hosts in the order of Hosts.
func (c *Cluster) places() []place {
	all := make([]place, 0, len(c.ControlPlane.Hosts)+len(c.Workers))
	for i, h := range c.ControlPlane.Hosts {
		all = append(all, place{h, index([]string{"controlPlane", "hosts"}, i)})
	}
	for i, h := range c.Workers {
		all = append(all, place{h, index([]string{"workers", "hosts"}, i)})
	}
	return all
}

// validate looks at what spans several keys, after decoding.
func (doc *document) validate() {
	places := doc.cluster.places()
	doc.checkUnique(places)
	doc.checkTransport(places)
	doc.checkWays(places)
	doc.checkControlPlane()
	doc.checkSubnets()
	doc.checkAddresses(places)
	doc.checkLoadBalancer(places)
	doc.checkRuntime()
	doc.checkPackages(places)
	doc.checkDistinct([]string{"proxy", "no"}, doc.cluster.Proxy.No)
	doc.checkImages(places)
	doc.checkAddons()
	doc.fillUser()
}

// checkUnique reports names and addresses that two hosts share.
func (doc *document) checkUnique(places []place) {
	names, nodes, addresses := map[string]string{}, map[string]string{}, map[netip.Addr]string{}
	for _, p := range places {
		key := "name"
		if p.Node != "" {
			key = "nodeName"
		}
		if first, taken := nodes[p.NodeName()]; taken && (p.Node != "" || names[p.Name] == "") {
			doc.fault(at(p.path, key), "%s is the name of the node of %s already", p.NodeName(), first)
		} else if p.NodeName() != "" {
			nodes[p.NodeName()] = pathString(p.path)
		}
		if first, taken := names[p.Name]; taken {
			doc.fault(at(p.path, "name"), "%s is the name of %s already", p.Name, first)
		} else if p.Name != "" {
			names[p.Name] = pathString(p.path)
		}
		for _, a := range p.Addresses() {
			if first, taken := addresses[a]; taken {
				doc.fault(at(p.path, "address"), "%s is the address of %s already", a, first)
			} else {
				addresses[a] = pathString(p.path)
			}
		}
	}
}

func (doc *document) checkControlPlane() {
	path := []string{"controlPlane", "hosts"}
	switch n := len(doc.cluster.ControlPlane.Hosts); {
	case n == 0 && !doc.faulty(path) && !doc.faulty(path[:1]):
		doc.fault(path, "must have at least one host")
	case n > 0 && n%2 == 0:
		doc.problems = append(doc.problems, Problem{Path: path, Warning: true, Message: strconv.Itoa(n) +
			" control-plane hosts survive no more failures than " + strconv.Itoa(n-1) + "; use an odd number"})
	}
}

// faulty says whether a problem at exactly this path is known already.
func (d *decoder) faulty(path []string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return slices.Equal(p.Path, path) })
}

// faultyWithin says whether a problem at this path or below it is known already.
func (d *decoder) faultyWithin(path []string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		return len(p.Path) >= len(path) && slices.Equal(p.Path[:len(path)], path)
	})
}

// checkAddresses keeps hosts and the endpoint out of the cluster's own subnets, and in their IP families.
func (doc *document) checkAddresses(places []place) {
	services := doc.cluster.Kubernetes.ServiceSubnet
	for _, p := range places {
		path := at(p.path, "address")
		if !p.Address.IsValid() || len(services) == 0 || !doc.checkFamilies(path, p.Host, services) {
			continue
		}
		for _, a := range p.Addresses() {
			doc.checkAddress(path, a)
		}
	}
	if host, _, err := net.SplitHostPort(doc.cluster.ControlPlane.Endpoint); err == nil {
		if a, err := netip.ParseAddr(host); err == nil {
			doc.checkAddress([]string{"controlPlane", "endpoint"}, a)
		}
	}
}

// checkFamilies reports a host that has not an address for each subnet, and says whether it has.
func (doc *document) checkFamilies(path []string, h Host, services Subnets) bool {
	switch {
	case h.Second.IsValid() && len(services) == 1:
		doc.fault(path, "has two addresses, and serviceSubnet %s is of one IP family; give one address, or podSubnet and serviceSubnet two subnets each", services)
	case !h.Second.IsValid() && len(services) == 2:
		doc.fault(path, "must be two addresses, such as [192.0.2.11, \"2001:db8::11\"], as podSubnet and serviceSubnet are of two IP families")
	case len(services) == 2 && h.Address.Is4() != services[0].Addr().Is4():
		doc.fault(path, "%s must be the second one, as %s is the second of serviceSubnet", h.Address, services[1])
	default:
		return true
	}
	return false
}

func (doc *document) checkAddress(path []string, a netip.Addr) {
	k := doc.cluster.Kubernetes
	pods, services := k.PodSubnet.Of(a), k.ServiceSubnet.Of(a)
	switch {
	case pods.IsValid():
		doc.fault(path, "%s is inside podSubnet %s; choose another subnet", a, pods)
	case services.IsValid():
		doc.fault(path, "%s is inside serviceSubnet %s; choose another subnet", a, services)
	case len(k.ServiceSubnet) > 0 && !k.ServiceSubnet.speaks(a):
		doc.fault(path, "%s and serviceSubnet %s must be of the same IP family", a, k.ServiceSubnet)
	}
}

// checkWays reports hosts that are reached in the same way, and so are one machine.
func (doc *document) checkWays(places []place) {
	for i, p := range places {
		if p.SSH.Address == "" {
			continue
		}
		for _, other := range places[:i] {
			if sameWay(p.SSH, other.SSH) {
				doc.fault(at(p.path, "ssh", "address"), "%s leads to %s already; two hosts behind one address differ in ssh.port", p.SSH.Address, pathString(other.path))
				break
			}
		}
	}
}

// sameWay says that two hosts are reached in the same way, whoever logs in.
func sameWay(a, b SSH) bool {
	for _, s := range []*SSH{&a, &b} {
		s.User, s.IdentityFile, s.KnownHosts, s.HostKey, s.Address = "", "", "", "", strings.ToLower(s.Address)
	}
	return reflect.DeepEqual(a, b)
}

// fillUser gives the host that is this machine the user this process runs as.
func (doc *document) fillUser() {
	for _, hosts := range [][]Host{doc.cluster.ControlPlane.Hosts, doc.cluster.Workers} {
		for i := range hosts {
			if hosts[i].SSH.Transport != TransportLocal {
				continue
			}
			if current, err := user.Current(); err == nil { // else its commands will say so
				hosts[i].SSH.User = current.Username
			}
		}
	}
}

// complete fills in the defaults that validation must tell from what the file says,
// and the one that depends on the hosts.
func complete(c *Cluster) {
	if c.Kubernetes.Repository.URL == "" {
		c.Kubernetes.Repository.URL = DefaultKubernetesRepository
	}
	if c.Runtime.Repository.URL == "" {
		c.Runtime.Repository.URL = DefaultRuntimeRepository
	}
	if l := c.ControlPlane.LoadBalancer; c.ControlPlane.Endpoint == "" && l != nil && l.VIP.IsValid() {
		c.ControlPlane.Endpoint = l.Address()
	}
	if c.ControlPlane.Endpoint == "" && len(c.ControlPlane.Hosts) > 0 && c.ControlPlane.Hosts[0].Address.IsValid() {
		c.ControlPlane.Endpoint = net.JoinHostPort(c.ControlPlane.Hosts[0].Address.String(), strconv.Itoa(DefaultAPIPort))
		c.ControlPlane.EndpointDerived = true
	}
	_, port, _ := net.SplitHostPort(c.ControlPlane.Endpoint)
	if host, given, err := net.SplitHostPort(c.ControlPlane.PublicEndpoint); err == nil && given == "" {
		c.ControlPlane.PublicEndpoint = net.JoinHostPort(host, port)
	}
}
