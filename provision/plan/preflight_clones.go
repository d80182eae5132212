package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
)

// Findings about machines that were made alike, as Vagrant's are of one box: with the same address behind NAT, a key that everybody has, and
// names of their own in /etc/hosts.

// insecureKeys are the public ones of the pairs with which Vagrant's boxes come (its repository: keys/). Vagrant takes them out of a machine at
// its first start, if config.ssh.insert_key is left as it is.
func insecureKeys() []string {
	return []string{
		"AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y",
		"AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6Iedplqo" +
			"PkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDk" +
			"bUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ==",
	}
}

func asksOfClones(desired.State) facts.Query { return facts.Query{LoginKeys: insecureKeys()} }

// checkShared finds an address of the inventory that other hosts have, too, such as 10.0.2.15 behind VirtualBox's NAT: nodes that go there meet
// themselves, or nobody.
func checkShared(p *planner, host inventory.Host, f facts.Host) (message, mending string) {
	for _, wanted := range host.Addresses() {
		others := p.othersWith(wanted, host.Name)
		if linkOf(f, wanted) == "" || len(others) == 0 {
			continue
		}
		message = fmt.Sprintf("the address %s is also that of %s, so that it leads the others nowhere, or to themselves", wanted, strings.Join(others, ", "))
		if own := p.ownAddresses(host, f, wanted.Is4()); len(own) > 0 {
			return message, "give address: an address that only this host has: " + strings.Join(own, ", ")
		}
		return message, "give the host one in a network that it shares with the others, as of a private_network in a Vagrantfile"
	}
	return "", ""
}

// othersWith are the other hosts that have an address, on whatever interface.
func (p *planner) othersWith(address netip.Addr, host string) []string {
	return slices.DeleteFunc(slices.Clone(p.common.holders[address]), func(name string) bool { return name == host })
}

// addressHolders are the hosts that have an address, by it; addresses of pod networks aside.
func addressHolders(cluster *inventory.Cluster, seen facts.Facts) map[netip.Addr][]string {
	of := map[netip.Addr][]string{}
	for _, host := range cluster.Hosts() {
		for _, a := range seen.Hosts[host.Name].Addresses {
			if address := a.Prefix.Addr(); address.IsGlobalUnicast() && !ofPods(a.Link) && !endsWith(of[address], host.Name) {
				of[address] = append(of[address], host.Name)
			}
		}
	}
	return of
}

func endsWith(names []string, name string) bool { return len(names) > 0 && names[len(names)-1] == name }

// ownAddresses are those of a family by which only this host can be meant, with their interfaces.
func (p *planner) ownAddresses(host inventory.Host, f facts.Host, ipv4 bool) []string {
	var own []string
	for _, a := range f.Addresses {
		address := a.Prefix.Addr()
		if address.IsGlobalUnicast() && address.Is4() == ipv4 && !ofPods(a.Link) && len(p.othersWith(address, host.Name)) == 0 {
			own = append(own, fmt.Sprintf("%s (%s)", address, a.Link))
		}
	}
	return own
}

// checkOwnName finds a host whose name leads back into itself by /etc/hosts. The cluster that fairlead makes goes by addresses alone; what others
// run in it may not. It is asked for once, before the host is a node: many distributions have such a line.
func checkOwnName(_ *planner, host inventory.Host, f facts.Host) (message, mending string) {
	for _, n := range f.LoopbackNames {
		if n.Name != "localhost" && n.Address != "::1" {
			return fmt.Sprintf("/etc/hosts gives the host's own name, %s, the address %s: a program of the host, or a pod in its network, that tells others where it is by that name "+
					"sends them to themselves", n.Name, n.Address),
				fmt.Sprintf("take the name out of the lines of 127.* there, leave localhost in them, and add a line %q; or ignorePreflight: [HostsFile]", host.Address.String()+" "+n.Name)
		}
	}
	return "", ""
}

// checkLocalhost finds a host that does not know localhost. containerd looks it up to forward ports into pods
// (internal/cri/server/sandbox_portforward_linux.go).
func checkLocalhost(_ *planner, _ inventory.Host, f facts.Host) (message, mending string) {
	if !f.NoLocalhost {
		return "", ""
	}
	return "/etc/hosts does not say where localhost is: kubectl port-forward to the host's pods fails, as does whatever else looks for it", `add the line "127.0.0.1 localhost" there`
}

// checkInsecureKey finds one of the keys that come with Vagrant's boxes among those that let somebody log in.
func checkInsecureKey(_ *planner, _ inventory.Host, f facts.Host) (message, mending string) {
	i := slices.IndexFunc(f.LoginKeys, func(k facts.LoginKey) bool { return slices.Contains(insecureKeys(), k.Key) })
	if i < 0 {
		return "", ""
	}
	return f.LoginKeys[i].Path + " lets in who has Vagrant's insecure key, which is everybody",
		"put a key of your own there, and take that line out; Vagrant does so at the first start of a machine, unless config.ssh.insert_key is false"
}
