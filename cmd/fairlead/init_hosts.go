package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/user"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/remote/sshconfig"
)

// directory finds out where a name leads.
type directory struct {
	// addresses finds the addresses of a DNS name.
	addresses func(ctx context.Context, name string) ([]netip.Addr, error)
	// config is what ssh's configuration says.
	config func(ctx context.Context, q sshconfig.Question) (sshconfig.Answer, error)
	// user is who runs this, as whom ssh logs in where nobody says anything.
	user string
}

// newDirectory asks this machine's resolver and its ssh.
func newDirectory() directory {
	d := directory{config: sshconfig.New(sshconfig.Options{}).Resolve, addresses: func(ctx context.Context, name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	}}
	if me, err := user.Current(); err == nil { // else no user of ssh's configuration is taken for a default
		d.user = me.Username
	}
	return d
}

// wantedHosts are the hosts that words of the form [USER@]HOST[:PORT][=ADDRESS[,ADDRESS]] name: the first is the control plane, others are workers.
// Who has no user of his own, nor one by ssh's configuration, gets the first one's, as a list of hosts of one lab is usually
// meant.
func wantedHosts(ctx context.Context, words []string, find directory) ([]inventory.Host, error) {
	var hosts []inventory.Host
	given := map[netip.Addr]string{}
	settled := map[int]bool{} // those whose user ssh's configuration says
	for i, word := range words {
		w, err := nodeWord(word)
		if err != nil {
			return nil, err
		}
		h, config, err := w.find(ctx, find)
		if err != nil {
			return nil, err
		}
		for _, address := range h.Addresses() {
			if first, twice := given[address]; twice {
				return nil, fmt.Errorf("%s: has the address %s, and so has %s: give each host once", word, address, first)
			}
			given[address] = word
		}
		if len(hosts) > 0 && !slices.EqualFunc(hosts[0].Addresses(), h.Addresses(), func(a, b netip.Addr) bool { return a.Is4() == b.Is4() }) {
			return nil, fmt.Errorf("%s: has the address %s, and %s has %s: give all hosts by addresses of one IP family, or all by two in the same order",
				word, addressWords(h), words[0], addressWords(hosts[0]))
		}
		settled[i] = config.User != "" && config.User != find.user
		hosts = append(hosts, h)
	}
	shareUser(hosts, settled)
	if len(hosts) > 0 {
		hosts[0].Role = inventory.RoleControlPlane
	}
	inventory.NameHosts(hosts)
	return hosts, nil
}

// shareUser gives hosts without a user that of the first host that has one, but for those whose user is settled.
func shareUser(hosts []inventory.Host, settled map[int]bool) {
	first := slices.IndexFunc(hosts, func(h inventory.Host) bool { return h.SSH.User != "" })
	for i := range hosts {
		if hosts[i].SSH.User == "" && first >= 0 && !settled[i] {
			hosts[i].SSH.User = hosts[first].SSH.User
		}
	}
}

// addressWords are a host's addresses as nodeWord and --address take them.
func addressWords(h inventory.Host) string {
	var words []string
	for _, address := range h.Addresses() {
		words = append(words, address.String())
	}
	return strings.Join(words, ",")
}
