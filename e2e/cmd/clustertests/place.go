package main

import (
	"fmt"
	"net/netip"
	"strconv"
)

const (
	// labMemory is what the machine must have for each lab, in KiB: the hosts of one need up to five GiB of it.
	labMemory = 8 << 20 * 9 / 10
	// mostLabs is where more labs would not end sooner: the longest group is then the measure.
	mostLabs = 4
)

// place is a lab that tests may use.
type place struct {
	name   string
	subnet netip.Prefix
}

// suits is the number of labs for a machine: one needs a core and some 8 GiB, of which the kernel keeps a little.
func suits(cores, memory int) int {
	return max(1, min(cores, memory/labMemory, mostLabs))
}

// places are labs side by side: the first has the name and the subnet, and the others what follows.
func places(count int, name, subnet string) ([]place, error) {
	first, err := netip.ParsePrefix(subnet)
	if err != nil {
		return nil, fmt.Errorf("-subnet: %w", err)
	}
	if !first.Addr().Is4() || first.Bits() != 24 || first != first.Masked() {
		return nil, fmt.Errorf("-subnet: %s is no IPv4 network with 24 bits", subnet)
	}
	all := []place{{name, first}}
	for i := 1; i < count; i++ {
		bytes := first.Addr().As4()
		if int(bytes[2])+i > 255 {
			return nil, fmt.Errorf("-subnet: after %s there are not %d more", subnet, count-1)
		}
		bytes[2] += byte(i)
		all = append(all, place{name + "-" + strconv.Itoa(i+1), netip.PrefixFrom(netip.AddrFrom4(bytes), 24)})
	}
	return all, nil
}
