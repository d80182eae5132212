package inventory

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Proxy says through which proxies hosts, and what runs on them, reach the world.
type Proxy struct {
	HTTP, HTTPS string // URLs without a path, for http and https; "" for none
	// No lists what is reached without a proxy: domains, which with a leading dot stand
	// for the hosts below them, IP addresses, subnets, and host:port.
	No []string
}

// proxy reads the proxies, of which there must be one.
func (d *decoder) proxy(node *yaml.Node, path []string) Proxy {
	var p Proxy
	mapping(d, node, path, &p, proxyFields())
	switch {
	case d.given(path, "http", p.HTTP) || d.given(path, "https", p.HTTPS) || d.faulty(path):
	case len(p.No) > 0:
		d.fault(at(path, "no"), "has no effect without http and https; give one of them, or remove proxy")
	default:
		d.fault(path, "must have http or https; without a proxy, remove the key")
	}
	return p
}

func proxyFields() []field[Proxy] {
	return []field[Proxy]{
		{"http", false, func(d *decoder, n *yaml.Node, p []string, x *Proxy) { x.HTTP = d.proxyURL(n, p) }},
		{"https", false, func(d *decoder, n *yaml.Node, p []string, x *Proxy) { x.HTTPS = d.proxyURL(n, p) }},
		{"no", false, func(d *decoder, n *yaml.Node, p []string, x *Proxy) { x.No = d.each(n, p, directProblem) }},
	}
}

// proxyURL reads the URL of a proxy. One without a port can be used, but curl and what
// builds on it take another one than Go's programs do.
func (d *decoder) proxyURL(node *yaml.Node, path []string) string {
	s := strings.TrimSuffix(d.matching(node, path, proxyProblem), "/")
	if u, err := url.Parse(s); err == nil && u.Scheme == "http" && u.Port() == "" {
		d.problems = append(d.problems, Problem{Path: path, Warning: true,
			Message: "has no port, for which some programs take 80 and others 1080; write it"})
	}
	return s
}

func proxyProblem(s string) string {
	u, err := url.Parse(s)
	if err == nil && u.User != nil {
		return "must be without user and password: kubeadm copies proxies into pods, where everybody can read them; " +
			"give the proxy a rule for the hosts' addresses instead"
	}
	if problem := webProblem(s, "http://proxy.lab:3128"); problem != "" {
		return problem
	}
	if u.Path != "" && u.Path != "/" {
		return "must be without a path"
	}
	return ""
}

// directProblem says what is wrong with a destination that is reached without a proxy.
func directProblem(s string) string {
	switch {
	case strings.Contains(s, "*"):
		return "must be without *; a leading dot stands for all hosts of a domain, and for no proxy at all, remove proxy"
	case strings.Contains(s, ",") || strings.ContainsFunc(s, unicode.IsSpace):
		return "must be one destination; write several as items of the list"
	case strings.Contains(s, "://"):
		return noScheme
	case strings.Contains(s, "@"):
		return noDirect // without what may be a password
	case strings.Contains(s, "/"):
		return directSubnetProblem(s)
	}
	return directHostProblem(s)
}

const noDirect = "must be a domain (.corp.example), an IP address, a subnet (10.0.0.0/8) or host:port"

func directHostProblem(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return ""
	}
	host, port, ok := cutPort(s)
	if !ok || strings.HasPrefix(s, ".") && port != "" {
		return fmt.Sprintf("%s, got %q", noDirect, clip(s))
	}
	if port != "" && !isPort(port[1:]) {
		return fmt.Sprintf("must end in a port from 1 to 65535, got %q", clip(port[1:]))
	}
	return registryHostProblem(strings.TrimPrefix(host, "."))
}

func directSubnetProblem(s string) string {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return fmt.Sprintf("%s, got %q", noDirect, clip(s))
	case p != p.Masked():
		return fmt.Sprintf("%s has bits set after its mask; did you mean %s?", p, p.Masked())
	}
	return ""
}
