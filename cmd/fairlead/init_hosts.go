package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
)

// lookup finds the addresses of a name.
type lookup func(ctx context.Context, name string) ([]netip.Addr, error)

// lookupIP asks the machine's resolver.
func lookupIP(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

// wantedHosts are the hosts that words of the form [USER@]HOST[:PORT] name: the first is the control plane, others are workers.
// Who has no user of his own gets the first one's, as a list of hosts of one lab is usually meant.
func wantedHosts(ctx context.Context, words []string, find lookup) ([]inventory.Host, error) {
	var hosts []inventory.Host
	given := map[netip.Addr]string{}
	for _, word := range words {
		h, name, err := wordHost(ctx, word, find)
		if err != nil {
			return nil, err
		}
		if first, twice := given[h.Address]; twice {
			return nil, fmt.Errorf("%s: has the address %s, and so has %s: give each host once", word, h.Address, first)
		}
		given[h.Address] = word
		if len(hosts) > 0 && hosts[0].Address.Is4() != h.Address.Is4() {
			return nil, fmt.Errorf("%s: has the address %s, and %s has %s: give all hosts by addresses of one IP family", word, h.Address, words[0], hosts[0].Address)
		}
		h.Name = name
		hosts = append(hosts, h)
	}
	first := slices.IndexFunc(hosts, func(h inventory.Host) bool { return h.SSH.User != "" })
	for i := range hosts {
		if hosts[i].SSH.User == "" && first >= 0 {
			hosts[i].SSH.User = hosts[first].SSH.User
		}
	}
	if len(hosts) > 0 {
		hosts[0].Role = inventory.RoleControlPlane
	}
	inventory.NameHosts(hosts)
	return hosts, nil
}

// wordHost reads one word; name is what the host is called by it, if it is.
func wordHost(ctx context.Context, word string, find lookup) (h inventory.Host, name string, err error) {
	user, rest, found := cutLast(word, "@")
	if found {
		if user == "" {
			return h, "", fmt.Errorf("%s: has no user before the @: write USER@HOST, or HOST alone", word)
		}
		if strings.HasPrefix(user, "-") || strings.ContainsAny(user, "@:/ \t") {
			return h, "", fmt.Errorf("%s: %q is not a login name", word, user)
		}
		h.SSH.User = user
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return h, "", fmt.Errorf("%s: %w", word, err)
	}
	h.SSH.Port = port
	if address, err := netip.ParseAddr(host); err == nil {
		h.Address = address.Unmap()
		return h, "", usable(word, h.Address)
	}
	if h.Address, err = resolve(ctx, host, find); err != nil {
		return h, "", fmt.Errorf("%s: %w", word, err)
	}
	name, _, _ = strings.Cut(strings.ToLower(host), ".")
	return h, name, usable(word, h.Address)
}

// cutLast cuts text at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return "", text, false
}

// splitPort takes the port off HOST:PORT and [HOST]:PORT; 0 where none is given. An IPv6 address without brackets has none.
func splitPort(text string) (host string, port int, err error) {
	if inner, closed := strings.CutSuffix(text, "]"); closed && strings.HasPrefix(inner, "[") {
		return inner[1:], 0, nil
	}
	if strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") || !strings.Contains(text, ":") {
		return text, 0, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, errors.New("is not HOST, HOST:PORT or [IPv6]:PORT")
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || number == 0 || digits[0] == '0' {
		return "", 0, fmt.Errorf("must have a port from 1 to 65535 after the colon, got %q", digits)
	}
	return host, int(number), nil
}

// resolve finds the one address of a name. The cluster file has addresses, as nodes know each other by them.
func resolve(ctx context.Context, name string, find lookup) (netip.Addr, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\.?$`).MatchString(name) {
		return netip.Addr{}, fmt.Errorf("%q is neither an IP address nor a host name", name)
	}
	if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		return netip.Addr{}, fmt.Errorf("is not a host; name the file with -f %s", name)
	}
	found, err := find(ctx, name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("its address cannot be found (%w): give the IP address; aliases of ~/.ssh/config are not read", err)
	}
	var v4, v6 []netip.Addr
	for _, address := range found {
		if address = address.Unmap(); address.Is4() && !slices.Contains(v4, address) {
			v4 = append(v4, address)
		} else if address.Is6() && !slices.Contains(v6, address) {
			v6 = append(v6, address)
		}
	}
	if len(v4) == 0 {
		v4 = v6
	}
	if len(v4) != 1 {
		return netip.Addr{}, fmt.Errorf("has %d addresses %v: give the one that the other hosts reach it by", len(v4), v4)
	}
	return v4[0], nil
}

// usable refuses addresses that the cluster file refuses, in the words of a command line.
func usable(word string, address netip.Addr) error {
	switch {
	case address.IsLoopback() || address.IsUnspecified() || address.IsMulticast():
		return fmt.Errorf("%s: %s is not an address that other hosts can reach it by: give that one", word, address)
	case address.Zone() != "":
		return fmt.Errorf("%s: %s has a zone: give an address without one", word, address)
	}
	return nil
}
