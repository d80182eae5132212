package convert

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// guestText is what a machine answers, with a line of its profile and the line ends of a terminal.
func guestText(addresses ...string) []byte {
	text := "Welcome to the lab\r\n" + guestKeys + "\r\n" +
		"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPXN2WZsd9Z/6N7bynEYhQGmqkgdvG92nMvDyRdaQl6au/sgJGWJUiLvMkr3MEHqliiz7g2ImrBY0WlLtW9PYow= root@node\r\n" +
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAVpCPVaZGKhty9mj88Cjf0nzlxb51uBbDZ2M4yy47/N root@node\r\n" + guestAddresses + "\r\n"
	for _, a := range addresses {
		device, prefix, _ := strings.Cut(a, " ")
		family := "inet"
		if strings.Contains(prefix, ":") {
			family = "inet6"
		}
		text += "2: " + device + "    " + family + " " + prefix + ` scope global dynamic ` + device + `\       valid_lft 86155sec preferred_lft 86155sec` + "\r\n"
	}
	return []byte(text + guestEnd + "\r\n")
}

// machine is one that runs; way is HostName and Port.
func machine(name, way string, addresses ...string) VagrantMachine {
	host, port, _ := strings.Cut(way, " ")
	return VagrantMachine{Name: name, Guest: guestText(addresses...), SSHConfig: []byte("You appear to be running Vagrant outside of the official installers.\n\nHost " + name + "\n  HostName " + host + "\n  User vagrant\n  Port " + port +
		"\n  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n  IdentityFile /lab/.vagrant/machines/" + name + "/virtualbox/private_key\n\n")}
}

// virtualBox are three machines with the same address behind NAT, a network of their own, and one that does not run.
func virtualBox() []VagrantMachine {
	insecure := machine("worker_2", "127.0.0.1 2201", "eth0 10.0.2.15/24", "eth1 192.168.56.12/24")
	insecure.SSHConfig = []byte(strings.Replace(string(insecure.SSHConfig), "/lab/.vagrant/machines/worker_2/virtualbox/private_key", "/home/me/.vagrant.d/insecure_private_keys/vagrant.key.ed25519", 1))
	return []VagrantMachine{
		machine("control", "127.0.0.1 2222", "eth0 10.0.2.15/24", "eth1 192.168.56.10/24", "docker0 172.17.0.1/16", "cni0 10.244.0.1/24", "flannel.1 10.244.0.0/32"),
		machine("worker1", "127.0.0.1 2200", "eth0 10.0.2.15/24", "eth1 192.168.56.11/24", "eth1 192.168.56.100/24 secondary"),
		insecure,
		{Name: "worker3", Away: "it does not run (poweroff)"},
	}
}

// TestVagrant makes cluster files of machines. They load, with the draft's hosts and no others.
func TestVagrant(t *testing.T) {
	for name, test := range map[string]struct {
		machines []VagrantMachine
		options  Options
	}{
		"vagrant-virtualbox": {machines: virtualBox()},
		"vagrant-libvirt": {machines: []VagrantMachine{
			machine("a", "192.168.121.5 22", "eth0 192.168.121.5/24", "eth0 2001:db8::5/64"), machine("b", "192.168.121.6 22", "eth0 192.168.121.6/24"),
		}},
		"vagrant-cloud": {machines: []VagrantMachine{machine("a", "203.0.113.5 22", "eth0 10.1.0.5/24"), machine("b", "b.example.org 22", "eth0 10.1.0.6/24")}},
	} {
		t.Run(name, func(t *testing.T) {
			draft, err := Vagrant("the machines of Vagrant", test.machines, test.options)
			if err != nil {
				t.Fatal(err)
			}
			text, err := draft.Write()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata/golden", name+".yaml"), text)
			sameHosts(t, draft, text)
		})
	}
}

// TestVagrantAddresses: which address of each machine is the node's.
func TestVagrantAddresses(t *testing.T) {
	const a, b = "127.0.0.1 2222", "127.0.0.1 2200"
	nat := "eth0 10.0.2.15/24"
	give := func(name, address string) map[string]netip.Addr {
		return map[string]netip.Addr{name: netip.MustParseAddr(address)}
	}
	two := func(ofA, ofB []string) []VagrantMachine {
		return []VagrantMachine{machine("a", a, append([]string{nat}, ofA...)...), machine("b", b, append([]string{nat}, ofB...)...)}
	}
	several := two([]string{"eth1 192.168.56.11/24", "eth2 172.28.0.11/24"}, []string{"eth1 192.168.56.12/24", "eth2 172.28.0.12/24"})
	for name, test := range map[string]struct {
		machines []VagrantMachine
		options  Options
		want     string // addresses in order
		fails    string // part of the error
	}{
		"one machine behind NAT":           {machines: []VagrantMachine{machine("a", a, nat)}, want: "10.0.2.15"},
		"one machine with a network":       {machines: []VagrantMachine{machine("a", a, nat, "eth1 192.168.56.11/24")}, want: "192.168.56.11"},
		"one machine with containers":      {machines: []VagrantMachine{machine("a", a, nat, "eth1 192.168.56.11/24", "docker0 172.17.0.1/16", "cni0 10.244.0.1/24")}, want: "192.168.56.11"},
		"a public network beside":          {machines: two([]string{"eth1 203.0.113.1/24", "eth2 10.9.0.1/24"}, []string{"eth1 203.0.113.2/24", "eth2 10.9.0.2/24"}), want: "10.9.0.1 10.9.0.2"},
		"a public network alone":           {machines: two([]string{"eth1 203.0.113.1/24"}, []string{"eth1 203.0.113.2/24"}), want: "203.0.113.1 203.0.113.2"},
		"a network of one":                 {machines: two([]string{"eth1 192.168.56.11/24", "eth2 172.28.0.11/24"}, []string{"eth1 192.168.56.12/24"}), want: "192.168.56.11 192.168.56.12"},
		"different networks":               {machines: two([]string{"eth1 192.168.56.11/24"}, []string{"eth1 192.168.57.12/24"}), want: "192.168.56.11 192.168.57.12"},
		"the way in, and what was asked":   {machines: []VagrantMachine{machine("a", "192.168.121.5 22", "eth0 192.168.121.5/24", "eth1 10.9.0.1/24"), machine("b", "192.168.121.6 22", "eth0 192.168.121.6/24", "eth1 10.9.0.2/24")}, want: "10.9.0.1 10.9.0.2"},
		"--network":                        {machines: several, options: Options{Network: netip.MustParsePrefix("172.28.0.0/16")}, want: "172.28.0.11 172.28.0.12"},
		"--network of IPv6":                {machines: two([]string{"eth1 2001:db8::1/64"}, []string{"eth1 2001:db8::2/64"}), options: Options{Network: netip.MustParsePrefix("2001:db8::/64")}, want: "2001:db8::1 2001:db8::2"},
		"--address of one tells":           {machines: several, options: Options{Addresses: give("a", "172.28.0.11")}, want: "172.28.0.11 172.28.0.12"},
		"--address from elsewhere":         {machines: two(nil, []string{"eth1 192.168.56.12/24"}), options: Options{Addresses: give("a", "198.51.100.7")}, want: "198.51.100.7 192.168.56.12"},
		"--address and --network":          {machines: several, options: Options{Addresses: give("a", "192.168.56.11"), Network: netip.MustParsePrefix("172.28.0.0/24")}, want: "192.168.56.11 172.28.0.12"},
		"ambiguous":                        {machines: several, fails: "the machines have 172.28.0.0/24 and 192.168.56.0/24 in common: choose with --network CIDR, or say --address NAME=IP for each\n  a: 192.168.56.11/24 (eth1), 172.28.0.11/24 (eth2)\n  b: 192.168.56.12/24 (eth1), 172.28.0.12/24 (eth2)"},
		"nothing but NAT":                  {machines: two(nil, nil), fails: "machine a: has no IPv4 address that the others reach: give the machines a private_network in the Vagrantfile, or say --network CIDR or --address a=IP\n  a: none of its own\n  b: none of its own"},
		"--network that one is not in":     {machines: two([]string{"eth1 192.168.56.11/24"}, nil), options: Options{Network: netip.MustParsePrefix("192.168.56.0/24")}, fails: "machine b: has 0 addresses of its own in 192.168.56.0/24: choose another --network CIDR, or say --address b=IP\n  a: 192.168.56.11/24 (eth1)\n  b: none of its own"},
		"two addresses in one network":     {machines: two([]string{"eth1 192.168.56.11/24", "eth2 192.168.56.13/24"}, []string{"eth1 192.168.56.12/24"}), fails: "machine a: has 2 addresses that may be the one by which the others reach it: choose with --network CIDR, or say --address a=IP"},
		"--address of no machine":          {machines: several[:1], options: Options{Addresses: give("c", "192.0.2.1"), Network: netip.MustParsePrefix("172.28.0.0/24")}, fails: "c: no host of the file is called so"},
		"none that runs":                   {machines: []VagrantMachine{{Name: "a", Away: "it does not run (saved)"}}, fails: "the machines of Vagrant: no machine runs; start them with: vagrant up"},
		"an answer that is not whole":      {machines: []VagrantMachine{{Name: "a", SSHConfig: several[0].SSHConfig, Guest: []byte(guestKeys + "\n")}}, fails: "machine a: its answer by vagrant ssh is not whole: is its login shell one of POSIX?"},
		"a configuration of another one":   {machines: []VagrantMachine{{Name: "c", SSHConfig: several[0].SSHConfig, Guest: several[0].Guest}}, fails: "machine c: vagrant ssh-config says nothing of it"},
		"a configuration that is no such":  {machines: []VagrantMachine{{Name: "a", SSHConfig: []byte("hello"), Guest: several[0].Guest}}, fails: "names no host alone"},
		"a port that is none is an answer": {machines: []VagrantMachine{machine("a", "127.0.0.1 none", nat)}, fails: "must be a port from 1 to 65535"},
	} {
		t.Run(name, func(t *testing.T) {
			draft, err := Vagrant("the machines of Vagrant", test.machines, test.options)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("got  %v\nwant %s", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range draft.Hosts {
				got = append(got, h.Address.String())
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}

// TestVagrantPins: a key is pinned where Vagrant's way to the machine leaves neither this machine nor a private network.
func TestVagrantPins(t *testing.T) {
	for name, test := range map[string]struct {
		way, more string
		pinned    bool
	}{
		"a forwarded port": {"127.0.0.1 2222", "", true}, "of IPv6": {"::1 2222", "", true}, "a private network": {"192.168.121.5 22", "", true},
		"the world": {"203.0.113.5 22", "", false}, "a name": {"a.example.org 22", "", false},
		"another host's network": {"192.168.121.5 22", "  ProxyCommand ssh -W %h:%p far\n", false}, "a jump": {"192.168.121.5 22", "  ProxyJump far\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine("a", test.way, "eth0 10.9.0.1/24")
			m.SSHConfig = append(m.SSHConfig, test.more...)
			draft, err := Vagrant("the machines of Vagrant", []VagrantMachine{m}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := draft.Hosts[0].SSH.HostKey != ""; got != test.pinned {
				t.Errorf("pinned: %v, want %v", got, test.pinned)
			}
		})
	}
}

// TestVagrantWords: what is said of machines, and which host key is taken.
func TestVagrantWords(t *testing.T) {
	draft, err := Vagrant("the machines of Vagrant", []VagrantMachine{machine("a", "127.0.0.1 2222", "eth0 10.0.2.15/24")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if h := draft.Hosts[0]; !strings.HasPrefix(h.SSH.HostKey, "ssh-ed25519 AAAA") || strings.Contains(h.SSH.HostKey, "root@") || h.SSH.Address != "127.0.0.1" {
		t.Errorf("%+v", h.SSH)
	}
	text, err := draft.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"#   a: its address is behind NAT", "#   hostKey: was read by `vagrant ssh`, which takes whatever host key it is shown"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "#   line") {
		t.Error("lines of a text that nobody has seen are named")
	}
}
