package convert

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// bridges begin the names of devices whose addresses lead into the machine itself: those of containers' and pods' networks.
func bridges() []string {
	return []string{"docker", "br-", "cni", "flannel", "podman", "nerdctl", "virbr", "lxcbr", "lxdbr", "kube-", "cali", "vxlan.calico", "cilium", "weave", "tunl"}
}

// vagrantNAT is the network that VirtualBox gives to each machine for itself, with the same address in each; only a forwarded port leads in.
func vagrantNAT() netip.Prefix { return netip.MustParsePrefix("10.0.2.0/24") }

// vagrantAddresses gives each machine the address by which the others reach it.
func (r *reading) vagrantAddresses(guests []guest) error {
	r.dropForeign(guests)
	var asked []guest
	for _, g := range guests {
		if given, ok := r.options.Addresses[g.name]; ok {
			g.addresses = slices.DeleteFunc(g.addresses, func(a guestAddress) bool { return a.prefix.Addr() != given })
			if len(g.addresses) == 0 || !given.Is4() || r.options.Network.IsValid() {
				continue // it tells nothing of the others, and for itself nothing is left to find
			}
		}
		asked = append(asked, g)
	}
	if r.options.Network.IsValid() {
		return inNetwork(asked, r.options.Network)
	}
	return r.likeliest(asked)
}

// dropForeign takes out the addresses that are no machine's alone, and those of bridges.
func (r *reading) dropForeign(guests []guest) {
	owners := map[netip.Addr][]string{}
	for _, g := range guests {
		for _, a := range g.addresses {
			if addr := a.prefix.Addr(); !slices.Contains(owners[addr], g.name) {
				owners[addr] = append(owners[addr], g.name)
			}
		}
	}
	for i := range guests {
		guests[i].addresses = slices.DeleteFunc(guests[i].addresses, func(a guestAddress) bool {
			_, ok := usable(a.prefix.Addr().String())
			bridge := slices.ContainsFunc(bridges(), func(start string) bool { return strings.HasPrefix(a.device, start) })
			return !ok || bridge || len(owners[a.prefix.Addr()]) > 1
		})
	}
	for _, addr := range slices.SortedFunc(maps.Keys(owners), netip.Addr.Compare) {
		if len(owners[addr]) > 1 {
			r.draft.AddNote(0, addr.String(), "is an address of "+list(owners[addr])+" alike, and so of none for the others")
		}
	}
}

// inNetwork gives each machine its one address in a network.
func inNetwork(guests []guest, network netip.Prefix) error {
	for _, g := range guests {
		within := slices.DeleteFunc(slices.Clone(g.addresses), func(a guestAddress) bool { return !network.Contains(a.prefix.Addr()) })
		if len(within) != 1 {
			return unsettled(fmt.Sprintf("machine %s: has %d addresses of its own in %s: choose another --network CIDR, or say --address %s=IP", g.name, len(within), network, g.name), guests)
		}
		g.host.Address = within[0].prefix.Addr()
	}
	return nil
}

// likeliest gives each machine its address in the one network that all of them have. Of several, private ones come first, and one
// that the Vagrantfile asks for before the one that is there for Vagrant to get in. What is then left to choose is an error.
func (r *reading) likeliest(guests []guest) error {
	for i := range guests {
		guests[i].addresses = slices.DeleteFunc(guests[i].addresses, func(a guestAddress) bool { return !a.prefix.Addr().Is4() })
		if len(guests[i].addresses) == 0 {
			return unsettled(fmt.Sprintf("machine %s: has no IPv4 address that the others reach: give the machines a private_network in the Vagrantfile, "+
				"or say --network CIDR or --address %s=IP", guests[i].name, guests[i].name), guests)
		}
	}
	networks := shared(guests)
	networks = prefer(networks, func(n netip.Prefix) bool { return n.Addr().IsPrivate() })
	networks = prefer(networks, func(n netip.Prefix) bool {
		return !slices.ContainsFunc(guests, func(g guest) bool { return g.wayIn(n) })
	})
	if len(networks) > 1 {
		return unsettled(fmt.Sprintf("the machines have %s in common: choose with --network CIDR, or say --address NAME=IP for each", networksText(networks)), guests)
	}
	for _, g := range guests {
		own := g.addresses
		if len(networks) == 1 {
			own = slices.DeleteFunc(slices.Clone(own), func(a guestAddress) bool { return a.network() != networks[0] })
		}
		if len(own) != 1 {
			return unsettled(fmt.Sprintf("machine %s: has %d addresses that may be the one by which the others reach it: choose with --network CIDR, or say --address %s=IP",
				g.name, len(own), g.name), guests)
		}
		g.host.Address = own[0].prefix.Addr()
		if g.wayIn(own[0].network()) && own[0].network() == vagrantNAT() {
			r.draft.AddNote(0, g.name, "its address is behind NAT, where no other machine gets: enough for a cluster of this one alone")
		}
	}
	return nil
}

// wayIn says that a network is the one by which Vagrant gets to the machine.
func (g guest) wayIn(network netip.Prefix) bool {
	address, err := netip.ParseAddr(g.host.SSH.Address)
	if err != nil {
		return false
	}
	return network.Contains(address) || address.IsLoopback() && network == vagrantNAT()
}

// shared are the networks in which all machines are, in order.
func shared(guests []guest) []netip.Prefix {
	count := map[netip.Prefix]int{}
	for _, g := range guests {
		of := map[netip.Prefix]bool{}
		for _, a := range g.addresses {
			of[a.network()] = true
		}
		for network := range of {
			count[network]++
		}
	}
	maps.DeleteFunc(count, func(_ netip.Prefix, n int) bool { return n < len(guests) })
	return slices.SortedFunc(maps.Keys(count), func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
}

// prefer are those that fit, or all where none does.
func prefer(networks []netip.Prefix, fits func(netip.Prefix) bool) []netip.Prefix {
	if !slices.ContainsFunc(networks, fits) {
		return networks
	}
	return slices.DeleteFunc(networks, func(n netip.Prefix) bool { return !fits(n) })
}

func networksText(networks []netip.Prefix) string {
	words := make([]string, len(networks))
	for i, n := range networks {
		words[i] = n.String()
	}
	return strings.Join(words, " and ")
}

// unsettled is an error with all that there is to choose from.
func unsettled(message string, guests []guest) error {
	var text strings.Builder
	text.WriteString(message)
	for _, g := range guests {
		words := make([]string, len(g.addresses))
		for i, a := range g.addresses {
			words[i] = a.String()
		}
		_, _ = fmt.Fprintf(&text, "\n  %s: %s", g.name, cmp.Or(strings.Join(words, ", "), "none of its own"))
	}
	return errors.New(text.String())
}
