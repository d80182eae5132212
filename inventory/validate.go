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
	doc.checkRuntime()
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
		if first, taken := addresses[p.Address]; taken {
			doc.fault(at(p.path, "address"), "%s is the address of %s already", p.Address, first)
		} else if p.Address.IsValid() {
			addresses[p.Address] = pathString(p.path)
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

// checkSubnets applies kubeadm's rules: a node gets a /24 (IPv6: a /64) of the pod
// subnet, which must leave at most 16 bits for nodes; the service subnet must have
// at least 10 and at most 2^20 addresses.
func (doc *document) checkSubnets() {
	pods, services := doc.cluster.Kubernetes.PodSubnet, doc.cluster.Kubernetes.ServiceSubnet
	podPath, servicePath := []string{"kubernetes", "podSubnet"}, []string{"kubernetes", "serviceSubnet"}
	if pods.IsValid() {
		node := 24
		if pods.Addr().Is6() {
			node = 64
		}
		if bits := pods.Bits(); bits > node {
			doc.fault(podPath, "%s is too small: every node needs a /%d of it", pods, node)
		} else if bits < node-16 {
			doc.fault(podPath, "%s is too large: kubeadm takes at most a /%d, as every node gets a /%d", pods, node-16, node)
		}
	}
	if services.IsValid() {
		size := services.Addr().BitLen()
		if bits := services.Bits(); bits > size-4 {
			doc.fault(servicePath, "%s is too small: kubeadm needs at least a /%d", services, size-4)
		} else if bits < size-20 {
			doc.fault(servicePath, "%s is too large: kubeadm takes at most a /%d", services, size-20)
		}
	}
	switch {
	case !pods.IsValid() || !services.IsValid():
	case pods.Addr().Is4() != services.Addr().Is4():
		doc.fault(servicePath, "%s and podSubnet %s must be of the same IP family", services, pods)
	case pods.Overlaps(services):
		doc.fault(servicePath, "%s overlaps podSubnet %s", services, pods)
	}
}

// checkAddresses keeps hosts and the endpoint out of the cluster's own subnets.
func (doc *document) checkAddresses(places []place) {
	k := doc.cluster.Kubernetes
	check := func(path []string, a netip.Addr) {
		switch {
		case !a.IsValid():
		case k.PodSubnet.Contains(a):
			doc.fault(path, "%s is inside podSubnet %s; choose another subnet", a, k.PodSubnet)
		case k.ServiceSubnet.Contains(a):
			doc.fault(path, "%s is inside serviceSubnet %s; choose another subnet", a, k.ServiceSubnet)
		case k.ServiceSubnet.IsValid() && a.Is4() != k.ServiceSubnet.Addr().Is4():
			doc.fault(path, "%s and serviceSubnet %s must be of the same IP family", a, k.ServiceSubnet)
		}
	}
	for _, p := range places {
		check(at(p.path, "address"), p.Address)
	}
	if host, _, err := net.SplitHostPort(doc.cluster.ControlPlane.Endpoint); err == nil {
		if a, err := netip.ParseAddr(host); err == nil {
			check([]string{"controlPlane", "endpoint"}, a)
		}
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
	if c.ControlPlane.Endpoint != "" || len(c.ControlPlane.Hosts) == 0 || !c.ControlPlane.Hosts[0].Address.IsValid() {
		return
	}
	c.ControlPlane.Endpoint = net.JoinHostPort(c.ControlPlane.Hosts[0].Address.String(), strconv.Itoa(DefaultAPIPort))
}
