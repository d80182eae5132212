package inventory

import (
	"cmp"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// address reads the IP address of a host.
func (d *decoder) address(node *yaml.Node, path []string) netip.Addr {
	s, ok := d.text(node, path)
	if !ok {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		d.fault(path, "%s", addressProblem(s))
	case a.Zone() != "":
		d.fault(path, "%q has a zone; give an address without one", clip(s))
	case a.Is4In6():
		d.fault(path, "write the IPv4 address as %s", a.Unmap())
	case a.IsUnspecified() || a.IsLoopback() || a.IsMulticast():
		d.fault(path, "%s is not the address of a machine other hosts can reach", a)
	default:
		return a
	}
	return netip.Addr{}
}

func addressProblem(s string) string {
	quoted := strconv.Quote(clip(s))
	if _, err := netip.ParsePrefix(s); err == nil {
		return quoted + " is a subnet; give the host's IP address alone"
	}
	if host, _, err := net.SplitHostPort(s); err == nil {
		if _, err := netip.ParseAddr(host); err == nil {
			return quoted + " has a port; give the address alone and set ssh.port"
		}
	}
	if plain := withoutLeadingZeros(s); plain != s {
		return quoted + " has leading zeros, which some programs take for octal; write " + plain
	}
	if isSubdomain(strings.ToLower(s)) && strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return quoted + " is a host name; give the IP address, which must not change"
	}
	return quoted + " is not an IP address"
}

// withoutLeadingZeros is an IPv4 address as it is written; what is none comes back as it was.
func withoutLeadingZeros(s string) string {
	parts := strings.Split(s, ".")
	for i, part := range parts {
		parts[i] = cmp.Or(strings.TrimLeft(part, "0"), "0")
	}
	if a, err := netip.ParseAddr(strings.Join(parts, ".")); err == nil && a.Is4() {
		return a.String()
	}
	return s
}

// endpoint reads host:port.
func (d *decoder) endpoint(node *yaml.Node, path []string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if _, ipErr := netip.ParseAddr(s); ipErr == nil || isSubdomain(s) {
			d.fault(path, "has no port; write %s", net.JoinHostPort(s, strconv.Itoa(DefaultAPIPort)))
		} else {
			d.fault(path, "must be host:port, such as api.example.org:%d, got %q", DefaultAPIPort, clip(s))
		}
		return ""
	}
	if digits := strings.TrimLeft(port, "0"); digits != port && isPort(digits) {
		d.fault(path, "has a leading zero in its port; write %s", net.JoinHostPort(clip(host), digits))
		return ""
	}
	if !isPort(port) {
		d.fault(path, "must end in a port from 1 to 65535, got %q", clip(port))
		return ""
	}
	if a, err := netip.ParseAddr(host); (err != nil || a.Zone() != "") && !isSubdomain(host) {
		d.fault(path, "%q is neither an IP address nor a DNS name in lower case", clip(host))
		return ""
	}
	return s
}

// subnet reads a subnet in canonical form.
func (d *decoder) subnet(node *yaml.Node, path []string) netip.Prefix {
	s, ok := d.text(node, path)
	if !ok {
		return netip.Prefix{}
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil && strings.Contains(s, ","):
		d.fault(path, "must be one subnet; two IP families at once are not supported")
	case err != nil:
		d.fault(path, "must be a subnet such as %s, got %q", DefaultPodSubnet, clip(s))
	case p.Addr().Is4In6():
		d.fault(path, "write the IPv4 subnet without ::ffff:")
	case p != p.Masked():
		d.fault(path, "%s has bits set after its mask; did you mean %s?", p, p.Masked())
	case p.String() != s:
		d.fault(path, "write it in its shortest form: %s", p)
	default:
		return p
	}
	return netip.Prefix{}
}

// parseSubnet reads one of this package's own subnets.
func parseSubnet(s string) netip.Prefix {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
