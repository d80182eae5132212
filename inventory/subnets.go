package inventory

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Subnets are those of the pods or of the Services: one, or one of each IP family in a dual-stack cluster. The first is of the
// family that nodes and Services have first.
type Subnets []netip.Prefix

// String writes them as kubeadm does: with a comma between them.
func (s Subnets) String() string { return strings.Join(s.texts(), ",") }

// MarshalText implements encoding.TextMarshaler.
func (s Subnets) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Of is the subnet that an address is in; not valid where it is in none of them.
func (s Subnets) Of(a netip.Addr) netip.Prefix {
	if i := slices.IndexFunc(s, func(p netip.Prefix) bool { return p.Contains(a) }); i >= 0 {
		return s[i]
	}
	return netip.Prefix{}
}

// IPv6 says that one of them is of IPv6.
func (s Subnets) IPv6() bool {
	return slices.ContainsFunc(s, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// speaks says that one of them is of an address's family.
func (s Subnets) speaks(a netip.Addr) bool {
	return slices.ContainsFunc(s, func(p netip.Prefix) bool { return p.Addr().Is4() == a.Is4() })
}

// alike says that both have the same families in the same order.
func (s Subnets) alike(other Subnets) bool {
	return slices.EqualFunc(s, other, func(a, b netip.Prefix) bool { return a.Addr().Is4() == b.Addr().Is4() })
}

func (s Subnets) texts() []string {
	texts := make([]string, len(s))
	for i, p := range s {
		texts[i] = p.String()
	}
	return texts
}

// parseSubnets reads some of this package's own subnets.
func parseSubnets(s string) Subnets {
	var subnets Subnets
	for text := range strings.SplitSeq(s, ",") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil
		}
		subnets = append(subnets, p)
	}
	return subnets
}

// part is one of several values, with where it stands.
type part struct {
	text string
	path []string
}

// parts reads texts that stand in a list, or in one text with commas between them.
func (d *decoder) parts(node *yaml.Node, path []string) ([]part, bool) {
	var all []part
	if target(node).Kind != yaml.SequenceNode {
		s, ok := d.text(node, path)
		for text := range strings.SplitSeq(s, ",") {
			all = append(all, part{strings.TrimSpace(text), path})
		}
		return all, ok
	}
	items := d.items(node, path)
	for i, item := range items {
		if s, ok := d.text(item, index(path, i)); ok {
			all = append(all, part{s, index(path, i)})
		}
	}
	return all, len(items) > 0 && len(all) == len(items)
}

// families reads one value, or one of each IP family: several is what to call more of them, read says what an address of such
// a value is, or has reported why it is none.
func families[T any](d *decoder, node *yaml.Node, path []string, several string, read func(part) (T, netip.Addr)) []T {
	parts, ok := d.parts(node, path)
	if !ok {
		if target(node).Kind == yaml.SequenceNode && len(target(node).Content) == 0 {
			d.fault(path, "must not be empty")
		}
		return nil
	}
	var all []T
	var addresses []netip.Addr
	for _, p := range parts {
		value, address := read(p)
		if !address.IsValid() {
			return nil
		}
		all, addresses = append(all, value), append(addresses, address)
	}
	if len(all) > 2 || len(all) == 2 && addresses[0].Is4() == addresses[1].Is4() {
		d.fault(path, "must be one %s, or two of which one is of IPv4 and one of IPv6", several)
		return nil
	}
	return all
}

// subnets reads subnets in canonical form.
func (d *decoder) subnets(node *yaml.Node, path []string) Subnets {
	return families(d, node, path, "subnet", func(at part) (netip.Prefix, netip.Addr) {
		p, err := netip.ParsePrefix(at.text)
		switch {
		case err != nil:
			d.fault(at.path, "must be a subnet such as %s, got %q", DefaultPodSubnet, clip(at.text))
		case p.Addr().Is4In6():
			d.fault(at.path, "write the IPv4 subnet without ::ffff:")
		case p != p.Masked():
			d.fault(at.path, "%s has bits set after its mask; did you mean %s?", p, p.Masked())
		case p.String() != at.text:
			d.fault(at.path, "write it in its shortest form: %s", p)
		default:
			return p, p.Addr()
		}
		return p, netip.Addr{}
	})
}

// checkSubnets applies kubeadm's rules (cmd/kubeadm/app/apis/kubeadm/validation).
func (doc *document) checkSubnets() {
	pods, services := doc.cluster.Kubernetes.PodSubnet, doc.cluster.Kubernetes.ServiceSubnet
	doc.checkPodSubnets(pods)
	servicePath := []string{"kubernetes", "serviceSubnet"}
	doc.checkServiceSubnets(servicePath, services)
	switch {
	case len(pods) == 0 || len(services) == 0:
	case !pods.alike(services) && len(pods) == 1 && len(services) == 1:
		doc.fault(servicePath, "%s and podSubnet %s must be of the same IP family", services, pods)
	case !pods.alike(services):
		doc.fault(servicePath, "%s and podSubnet %s must be of the same IP families, in the same order", services, pods)
	default:
		for i, p := range pods { // alike, so that those of one family stand in one place
			if p.Overlaps(services[i]) {
				doc.fault(servicePath, "%s overlaps podSubnet %s", services[i], p)
			}
		}
	}
}

// checkPodSubnets: every node gets a part of the pod subnet, which must leave at most 16 bits for nodes.
func (doc *document) checkPodSubnets(pods Subnets) {
	path := []string{"kubernetes", "podSubnet"}
	for _, p := range pods {
		node, given := doc.nodeMask(p.Addr())
		switch bits := p.Bits(); {
		case !given:
		case bits > node:
			doc.fault(path, "%s is too small: every node needs a /%d of it", p, node)
		case bits < node-16:
			doc.fault(path, "%s is too large: kubeadm takes at most a /%d, as every node gets a /%d", p, node-16, node)
		}
	}
}

// checkServiceSubnets: the service subnet must have at least 10 and at most 2^20 addresses.
func (doc *document) checkServiceSubnets(path []string, services Subnets) {
	for _, p := range services {
		size := p.Addr().BitLen()
		if bits := p.Bits(); bits > size-4 {
			doc.fault(path, "%s is too small: kubeadm needs at least a /%d", p, size-4)
		} else if bits < size-20 {
			doc.fault(path, "%s is too large: kubeadm takes at most a /%d", p, size-20)
		}
	}
}

// nodeMask is how long the prefix of a node's own pod subnet is: what the controller manager is told, else its defaults. given
// is false where it is told to hand out none, or a number that kubeadm complains of itself.
func (doc *document) nodeMask(family netip.Addr) (bits int, given bool) {
	argument, bits := "node-cidr-mask-size-ipv4", 24
	if family.Is6() {
		argument, bits = "node-cidr-mask-size-ipv6", 64
	}
	manager, _ := doc.cluster.Kubernetes.Config["ClusterConfiguration"]["controllerManager"].(map[string]any)
	arguments, _ := manager["extraArgs"].([]any)
	given = true
	for _, item := range arguments {
		fields, _ := item.(map[string]any)
		value, _ := fields["value"].(string)
		switch fields["name"] {
		case argument:
			n, err := strconv.Atoi(value)
			bits, given = n, given && err == nil
		case "allocate-node-cidrs":
			given = given && value != "false"
		}
	}
	return bits, given
}
