package fleet

import (
	_ "embed"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Hosts are the addresses of the first n hosts of the network.
func Hosts(network netip.Prefix, n int) []netip.Addr {
	hosts := make([]netip.Addr, 0, n)
	for address := network.Addr().Next(); len(hosts) < n; address = address.Next() {
		hosts = append(hosts, address)
	}
	return hosts
}

// NameOf is the name of the host with that address.
func NameOf(address netip.Addr) string {
	return "host-" + strings.ReplaceAll(address.String(), ".", "-")
}

// recorded is what the probe printed on a machine with Debian 12 on which nothing of Kubernetes
// was installed, with marks for what differs between hosts. It was recorded in a container: what
// a container lacks of a machine (systemd, cgroup v2, a tool) is put in by hand.
//
//go:embed answer.txt
var recorded string

// answerOf is the answer of one host.
func answerOf(address netip.Addr, now time.Time) string {
	return strings.NewReplacer(
		"@ADDRESS@", address.String(),
		"@HOSTNAME@", NameOf(address),
		"@MACHINE-ID@", fmt.Sprintf("%032x", address.As16()),
		"@CLOCK@", strconv.FormatInt(now.UnixNano(), 10),
	).Replace(recorded)
}
