package plan

import (
	"net/netip"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
)

// cloneCases are about machines that were made alike.
func cloneCases() []preflightCase {
	const nat = "10.0.2.15/24"
	behindNAT := func(more func(*facts.Facts)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			for name := range f.Hosts {
				world.ChangeHost(*f, name, address("eth9", nat))
			}
			if more != nil {
				more(f)
			}
		}
	}
	firstNAT := func(c *inventory.Cluster) { c.ControlPlane.Hosts[0].Address = netip.MustParsePrefix(nat).Addr() }
	const shared = "error cp1 SharedAddress: the address 10.0.2.15 is also that of w1, w2, so that it leads the others nowhere, or to themselves "
	hosts := func(names ...string) func(*facts.Host) {
		return func(h *facts.Host) {
			for i := 0; i < len(names); i += 2 {
				h.LoopbackNames = append(h.LoopbackNames, facts.LoopbackName{Name: names[i], Address: names[i+1]})
			}
		}
	}
	key := func(path, key string) func(*facts.Host) {
		return func(h *facts.Host) { h.LoginKeys = append(h.LoginKeys, facts.LoginKey{Path: path, Key: key}) }
	}
	ownName := func(name, is, line string) string {
		return "warning w1 HostsFile: /etc/hosts gives the host's own name, " + name + ", the address " + is + ": a program of the host, or a pod in its network, that tells others " +
			"where it is by that name sends them to themselves (take the name out of the lines of 127.* there, leave localhost in them, and add a line \"" + line + "\"; or ignorePreflight: [HostsFile])"
	}
	insecure := func(host, path string) string {
		return "warning " + host + " InsecureKey: " + path + " lets in who has Vagrant's insecure key, which is everybody (put a key of your own there, and take that line out; " +
			"Vagrant does so at the first start of a machine, unless config.ssh.insert_key is false)"
	}
	return []preflightCase{
		{name: "an address that all have beside their own", change: behindNAT(nil)},
		{name: "an address that all have for one's own", edit: firstNAT, change: behindNAT(func(f *facts.Facts) {
			world.ChangeHost(*f, "cp1", all(address("eth1", "192.168.56.11/24"), address("eth2", "172.28.0.11/24"), address("eth1", "2001:db8::7/64"), address("veth1", "192.168.57.1/24")))
		}), want: shared + "(give address: an address that only this host has: 192.168.56.11 (eth1), 172.28.0.11 (eth2))"},
		{name: "nothing but an address that all have", edit: firstNAT, change: behindNAT(nil),
			want: shared + "(give the host one in a network that it shares with the others, as of a private_network in a Vagrantfile)"},
		{name: "an address of a host that is away", edit: firstNAT, change: behindNAT(func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) { *h = facts.Host{Unreachable: world.NoRoute()} })
		}), want: "error cp1 SharedAddress: the address 10.0.2.15 is also that of w2, so that it leads the others nowhere, or to themselves " +
			"(give the host one in a network that it shares with the others, as of a private_network in a Vagrantfile)"},
		{name: "an address on two of a host's interfaces", host: address("eth1", "192.0.2.11/24")},
		{name: "the address of another host's pods", on: "w1", host: address("veth1", "192.0.2.11/24")},
		{name: "not one's own address, of those that all have", edit: firstNAT, host: func(h *facts.Host) { h.Addresses = h.Addresses[:0]; address("eth1", "192.168.56.11/24")(h) },
			want: "error cp1 Address: no interface has the address 10.0.2.15; the host has 192.168.56.11 (nodes reach each other by this address: give one that the host has itself)"},

		{name: "its name at 127.0.1.1", on: "w1", host: hosts("localhost", "127.0.0.1", "w1", "127.0.1.1"), want: ownName("w1", "127.0.1.1", "192.0.2.21 w1")},
		{name: "its long name first", on: "w1", host: hosts("w1.example.org", "127.0.2.1", "w1", "127.0.2.1", "localhost", "127.0.0.1"), want: ownName("w1.example.org", "127.0.2.1", "192.0.2.21 w1.example.org")},
		{name: "its name beside localhost", on: "w1", host: hosts("localhost", "127.0.0.1", "w1", "127.0.0.1"), want: ownName("w1", "127.0.0.1", "192.0.2.21 w1")},
		{name: "localhost alone", on: "w1", host: hosts("localhost", "127.0.0.1", "localhost", "::1")},
		{name: "its name at loopback of IPv6", on: "w1", host: hosts("localhost", "127.0.0.1", "w1", "::1")},
		{name: "its name at 127.0.1.1 in a cluster that lives with it", living: true, on: "w1", host: hosts("w1", "127.0.1.1")},

		{name: "no localhost", living: true, on: "w1", host: func(h *facts.Host) { h.NoLocalhost = true },
			want: "warning w1 Localhost: /etc/hosts does not say where localhost is: kubectl port-forward to the host's pods fails, as does whatever else looks for it " +
				"(add the line \"127.0.0.1 localhost\" there)"},

		{name: "Vagrant's insecure key", on: "w2", host: key("/home/vagrant/.ssh/authorized_keys", insecureKeys()[0]), want: insecure("w2", "/home/vagrant/.ssh/authorized_keys")},
		{name: "Vagrant's insecure RSA key of root", living: true, host: key("/root/.ssh/authorized_keys", insecureKeys()[1]), want: insecure("cp1", "/root/.ssh/authorized_keys")},
		{name: "another key", host: key("/root/.ssh/authorized_keys", "AAAA")},
	}
}

// cloneMendings are what findings of this kind say is to be done.
func cloneMendings() []mended {
	behindNAT := func(f *facts.Facts) {
		for name := range f.Hosts {
			world.ChangeHost(*f, name, address("eth9", "10.0.2.15/24"))
		}
	}
	of := func(text string) func(*inventory.Cluster) {
		return func(c *inventory.Cluster) { c.ControlPlane.Hosts[0].Address = netip.MustParseAddr(text) }
	}
	insecure := func(h *facts.Host) {
		h.LoginKeys = []facts.LoginKey{{Path: "/home/vagrant/.ssh/authorized_keys", Key: insecureKeys()[0]}}
	}
	ownName := func(h *facts.Host) { h.LoopbackNames = []facts.LoopbackName{{Name: "cp1", Address: "127.0.1.1"}} }
	return []mended{
		{"SharedAddress", preflightCase{edit: of("10.0.2.15"), host: address("eth1", "192.168.56.11/24"), change: behindNAT}, []mending{
			{says: "an address that only this host has: 192.168.56.11", edit: of("192.168.56.11")},
		}},
		{"SharedAddress", preflightCase{edit: of("10.0.2.15"), change: behindNAT}, []mending{
			{says: "give the host one in a network that it shares with the others", edit: of("192.168.56.11"), host: address("eth1", "192.168.56.11/24")},
		}},
		{"HostsFile", preflightCase{host: ownName}, []mending{
			{says: "take the name out of the lines of 127.*", host: func(h *facts.Host) { h.LoopbackNames = nil }}, {says: "ignorePreflight: [HostsFile]", edit: ignoring("HostsFile")},
		}},
		{"Localhost", preflightCase{host: func(h *facts.Host) { h.NoLocalhost = true }}, []mending{{says: "127.0.0.1 localhost", host: func(h *facts.Host) { h.NoLocalhost = false }}}},
		{"InsecureKey", preflightCase{host: insecure}, []mending{{says: "take that line out", host: func(h *facts.Host) { h.LoginKeys = nil }}}},
	}
}
