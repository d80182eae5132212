package lab

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
)

// Last parts of the addresses: cp1 has .11, w1 has .21, every other name the first free one of its range.
const (
	controlPlaneBase = 10
	workerBase       = 20
	otherFirst       = 31
	otherLast        = 250
	spareLast        = 251
)

// assignAddresses chooses an address in the subnet, a /24, for each name that has none in taken, and returns them
// in the names' order. A name in taken keeps its address.
func assignAddresses(subnet netip.Prefix, taken map[string]netip.Addr, names []string) ([]netip.Addr, error) {
	if !subnet.Addr().Is4() || subnet.Bits() != 24 || subnet != subnet.Masked() {
		return nil, fmt.Errorf("use subnet %s: want an IPv4 network with 24 bits, such as %s", subnet, DefaultSubnet)
	}
	used := make(map[netip.Addr]bool)
	for _, address := range taken {
		used[address] = true
	}
	label := regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	seen := make(map[string]bool)
	addresses := make([]netip.Addr, 0, len(names))
	for _, name := range names {
		if !label.MatchString(name) || seen[name] {
			return nil, fmt.Errorf("use host name %q: want distinct DNS labels", name)
		}
		seen[name] = true
		address, found := taken[name]
		if !found {
			var err error
			if address, err = chooseAddress(subnet, name, used); err != nil {
				return nil, err
			}
			used[address] = true
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// chooseAddress returns the name's own address, or the first unused one for names without.
func chooseAddress(subnet netip.Prefix, name string, used map[netip.Addr]bool) (netip.Addr, error) {
	match := regexp.MustCompile(`^(cp|w)([1-9])$`).FindStringSubmatch(name)
	if match != nil {
		number, err := strconv.Atoi(match[2])
		if err != nil {
			return netip.Addr{}, err
		}
		base := workerBase
		if match[1] == "cp" {
			base = controlPlaneBase
		}
		if address := withLast(subnet, base+number); !used[address] {
			return address, nil
		}
	}
	for last := otherFirst; last <= otherLast; last++ {
		if address := withLast(subnet, last); !used[address] {
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("choose address for %s: none is free in %s", name, subnet)
}

// parseIPv6 reads the IPv6 network of a lab, which may have none.
func parseIPv6(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	subnet, err := netip.ParsePrefix(text)
	if err != nil || !subnet.Addr().Is6() || subnet.Bits() != 64 || subnet != subnet.Masked() {
		return netip.Prefix{}, fmt.Errorf("use subnet %s: want an IPv6 network with 64 bits, such as fd00:89:1::/64", text)
	}
	return subnet, nil
}

// subnets are those of the lab's network.
func (l *Lab) subnets() []netip.Prefix {
	if !l.ipv6.IsValid() {
		return []netip.Prefix{l.subnet}
	}
	return []netip.Prefix{l.subnet, l.ipv6}
}

// host is a host of the lab. Where the lab has IPv6, its second address ends as the first.
func (l *Lab) host(name string, address netip.Addr, container string) Host {
	h := Host{Name: name, Address: address, Container: container}
	if l.ipv6.IsValid() {
		bytes := l.ipv6.Addr().As16()
		bytes[15] = address.As4()[3]
		h.Second = netip.AddrFrom16(bytes)
	}
	return h
}

// Spare is an address of the lab's network that no host gets, such as one that hosts share.
func (l *Lab) Spare() netip.Addr { return withLast(l.subnet, spareLast) }

// withLast returns the subnet's address with the given last byte.
func withLast(subnet netip.Prefix, last int) netip.Addr {
	bytes := subnet.Addr().As4()
	bytes[3] = byte(last)
	return netip.AddrFrom4(bytes)
}
