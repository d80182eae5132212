package inventory

import (
	"cmp"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// addresses reads the IP address of a host, or the two that it has in a dual-stack cluster.
func (d *decoder) addresses(node *yaml.Node, path []string, h *Host) {
	all := families(d, node, path, "address", func(at part) (netip.Addr, netip.Addr) {
		a := d.address(at.text, at.path)
		return a, a
	})
	if len(all) > 0 {
		h.Address = all[0]
	}
	if len(all) > 1 {
		h.Second = all[1]
	}
}

// address reads an IP address that other hosts can reach.
func (d *decoder) address(s string, path []string) netip.Addr {
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
		if isEndpointHost(s) {
			d.fault(path, "has no port; write %s", net.JoinHostPort(s, strconv.Itoa(DefaultAPIPort)))
		} else {
			d.fault(path, "must be host:port, such as api.example.org:%d, got %q", DefaultAPIPort, clip(s))
		}
		return ""
	}
	if problem := endpointProblem(host, port); problem != "" {
		d.fault(path, "%s", problem)
		return ""
	}
	return s
}

// publicEndpoint reads host or host:port. An address of IPv6 has brackets where a port follows.
func (d *decoder) publicEndpoint(node *yaml.Node, path []string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	if bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"); isEndpointHost(s) || strings.Contains(bare, ":") && isEndpointHost(bare) {
		return net.JoinHostPort(bare, "") // its port is the endpoint's, which may follow below
	}
	host, port, err := net.SplitHostPort(s)
	switch problem := endpointProblem(host, port); {
	case strings.Contains(s, "://"):
		d.fault(path, noScheme)
	case err != nil:
		d.fault(path, "must be host or host:port, such as api.example.org:%d, got %q", DefaultAPIPort, clip(s))
	case problem != "":
		d.fault(path, "%s", problem)
	default:
		return s
	}
	return ""
}

// endpointProblem says what is wrong with an endpoint's two parts.
func endpointProblem(host, port string) string {
	digits := strings.TrimLeft(port, "0")
	switch {
	case digits != port && isPort(digits):
		return "has a leading zero in its port; write " + net.JoinHostPort(clip(host), digits)
	case !isPort(port):
		return "must end in a port from 1 to 65535, got " + strconv.Quote(clip(port))
	case !isEndpointHost(host):
		return strconv.Quote(clip(host)) + " is neither an IP address nor a DNS name in lower case"
	}
	return ""
}

// isEndpointHost says that a text is an IP address without a zone, or a DNS name.
func isEndpointHost(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == "" || isSubdomain(s)
}
