package plan

import (
	"net/netip"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

func address(link, prefix string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.Addresses = append(h.Addresses, facts.LinkAddress{Link: link, Prefix: netip.MustParsePrefix(prefix)})
	}
}

func all(changes ...func(*facts.Host)) func(*facts.Host) {
	return func(h *facts.Host) {
		for _, change := range changes {
			change(h)
		}
	}
}

// content gives a host the text of a file, of which it was asked.
func content(path, text string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.Asked = facts.Ask(h.Asked, facts.Query{Texts: []string{path}})
		if text != "" {
			h.Contents[path] = []byte(text)
		}
	}
}

func active(unit string) func(*facts.Host) {
	return func(h *facts.Host) { h.Units[unit] = facts.Unit{Load: "loaded", Active: "active"} }
}

func sysctlLines(lines ...facts.SysctlLine) func(*facts.Host) {
	return func(h *facts.Host) { h.SysctlLines = lines }
}

func withoutIPv6(h *facts.Host) { h.Sysctls[ipv6Off] = "1" }

// networkCases are about name servers, and about what else is in the way of a cluster's network.
func networkCases() []preflightCase {
	const (
		mending  = "set kubernetes.config.KubeletConfiguration.resolvConf to a file with the real name servers"
		none     = " is missing or names no name server: no pod starts without the file, and CoreDNS not without a name server (write one into it, which need not answer where all that pods ask for is in the cluster; or "
		server   = " (choose another serviceSubnet, or name another server: a Service or a pod can get this address, and the host would ask that)"
		services = ": the host would look for pods and Services in that network)"
		real     = "/etc/real-resolv.conf"
		ufw      = "warning w1 UFW: ufw is active, which lets nobody in by default (ufw disable; or open 6443/tcp, 10250/tcp and 8472/udp to the hosts (2379:2380/tcp among control planes), " +
			"ufw allow in on cni0, ufw default allow routed, and ignorePreflight: [UFW])"
	)
	resolvConf := func(file string) func(*inventory.Cluster) {
		return world.Config(templates.KindKubelet, map[string]any{"resolvConf": file})
	}
	sysctl := func(file string, value string) facts.SysctlLine {
		return facts.SysctlLine{Path: file, Line: 12, Key: "net.ipv4.ip_forward", Value: value}
	}
	return []preflightCase{
		{name: "no name server", on: "w1", host: nameservers(), want: "error w1 Resolver: /etc/resolv.conf" + none + mending + ")"},
		{name: "no name server but systemd-resolved's", host: all(nameservers(), active(resolvedService), content(resolvedFile, "nameserver 192.0.2.1\n"))},
		{name: "systemd-resolved without name servers", host: all(nameservers("127.0.0.53"), active(resolvedService), content(resolvedFile, "# none\nsearch lab\n")),
			want: "error cp1 Resolver: " + resolvedFile + none + mending + ")"},
		{name: "systemd-resolved without its file", host: all(nameservers("127.0.0.53"), active(resolvedService), content(resolvedFile, "")),
			want: "error cp1 Resolver: " + resolvedFile + none + mending + ")"},
		{name: "systemd-resolved that asks this host", host: all(nameservers("127.0.0.53"), active(resolvedService), content(resolvedFile, "nameserver 127.0.0.1")),
			want: "error cp1 Resolver: " + resolvedFile + " names 127.0.0.1: CoreDNS would ask itself (" + mending + ")"},
		{name: "a name server of its own, and another file for pods", edit: resolvConf(real), host: nameservers("127.0.0.1")},
		{name: "another file for pods, which names a server", edit: resolvConf(real), host: all(nameservers("127.0.0.1"), content(real, "nameserver\t192.0.2.1\r\n"))},
		{name: "another file for pods, which names this host", edit: resolvConf(real), host: all(nameservers("192.0.2.1"), content(real, "nameserver ::1\n")),
			want: "error cp1 Resolver: " + real + " names ::1: CoreDNS would ask itself (write the real name servers into " + real + ")"},
		{name: "another file for pods, which is not there", edit: resolvConf(real), host: content(real, ""),
			want: "error cp1 Resolver: " + real + none + "write the real name servers into " + real + ")"},
		{name: "no file for pods", edit: resolvConf(""), host: nameservers("127.0.0.1")},

		{name: "a name server among Services", on: "w1", host: nameservers("192.0.2.1", "10.96.0.10"), want: "error w1 NameServer: the name server 10.96.0.10 is inside kubernetes.serviceSubnet 10.96.0.0/12" + server},
		{name: "a name server of systemd-resolved among Services", host: all(nameservers("127.0.0.53"), active(resolvedService), content(resolvedFile, "nameserver 192.0.2.1\nnameserver 10.100.0.53\n")),
			want: "error cp1 NameServer: the name server 10.100.0.53 is inside kubernetes.serviceSubnet 10.96.0.0/12" + server},
		{name: "a name server among pods", living: true, host: nameservers("10.244.0.53"),
			want: "error cp1 NameServer: the name server 10.244.0.53 is inside kubernetes.podSubnet 10.244.0.0/16 (choose another podSubnet, or name another server: a Service or a pod can get this address, and the host would ask that)"},

		{name: "another network among pods", on: "w1", host: address("eth1", "10.244.7.9/24"), want: "error w1 Subnet: interface eth1 has the address 10.244.7.9/24, which is inside kubernetes.podSubnet 10.244.0.0/16 (choose another podSubnet" + services},
		{name: "another network among Services", living: true, host: address("docker0", "10.97.0.1/16"),
			want: "error cp1 Subnet: interface docker0 has the address 10.97.0.1/16, which is inside kubernetes.serviceSubnet 10.96.0.0/12 (choose another serviceSubnet" + services},
		{name: "a network around that of the pods", host: address("eth1", "10.1.0.9/8")},
		{name: "the interfaces of the cluster", living: true, host: all(address("cni0", "10.244.0.1/24"), address("flannel.1", "10.244.0.0/32"), address("kube-ipvs0", "10.96.0.1/32"), address("veth1", "10.244.0.1/32"), address("cali0123", "10.244.0.2/32"))},
		{name: "interfaces of a former cluster", on: "w1", host: all(address("cni0", "10.244.5.1/24"), address("cni0", "fe80::1/64"), address("flannel.1", "10.244.5.0/32"), address("kube-ipvs0", "10.96.0.1/32")),
			want: "error w1 FormerInterfaces: interfaces of another cluster are there: cni0 (10.244.5.1/24), flannel.1 (10.244.5.0/32), kube-ipvs0 (10.96.0.1/32) " +
				"(if no cluster runs on the host any more: ip link delete cni0 && ip link delete flannel.1 && ip link delete kube-ipvs0; or start the host anew)"},

		{name: "two addresses", edit: world.DualStack},
		{name: "a second address that the host does not have", on: "w1", edit: world.DualStack, host: func(h *facts.Host) { h.Addresses = h.Addresses[:1] },
			want: "error w1 Address: no interface has the address 2001:db8::21; the host has 192.0.2.21 (nodes reach each other by this address: give one that the host has itself)"},
		{name: "two addresses of two interfaces", edit: world.DualStack, host: func(h *facts.Host) { h.Addresses[1].Link = "eth1" },
			want: "error cp1 Address: 192.0.2.11 is on the interface eth0, and 2001:db8::11 on eth1: flannel takes one interface for both (give two addresses of one interface)"},
		{name: "two addresses of two interfaces with another pod network", edit: world.All(world.DualStack, func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }),
			host: func(h *facts.Host) { h.Addresses[1].Link = "eth1" }},
		{name: "no IPv6 for pods", on: "w1", edit: world.IPv6Only, host: withoutIPv6,
			want: "error w1 IPv6: IPv6 is switched off for new interfaces: net.ipv6.conf.default.disable_ipv6 is 1 (take the line out of /etc/sysctl.conf or /etc/sysctl.d that says so, and: sysctl -w net.ipv6.conf.default.disable_ipv6=0)"},
		{name: "no IPv6 for pods that need none", host: withoutIPv6},
		{name: "another network among pods of the second family", edit: world.DualStack, host: address("eth1", "fd00:10:244:7::9/64"),
			want: "error cp1 Subnet: interface eth1 has the address fd00:10:244:7::9/64, which is inside kubernetes.podSubnet fd00:10:244::/56 (choose another podSubnet" + services},
		{name: "a name server among Services of the second family", edit: world.DualStack, host: nameservers("fd00:10:96::a"),
			want: "error cp1 NameServer: the name server fd00:10:96::a is inside kubernetes.serviceSubnet fd00:10:96::/112" + server},
		{name: "a sysctl of the second family that is undone at boot", edit: world.DualStack, host: sysctlLines(facts.SysctlLine{Path: "/etc/sysctl.d/zz.conf", Line: 1, Key: "net.ipv6.conf.all.forwarding", Value: "0"}),
			want: "error cp1 Sysctl: /etc/sysctl.d/zz.conf:1 sets net.ipv6.conf.all.forwarding to 0 at boot, after /etc/sysctl.d/99-fairlead.conf has set it to 1 (take that line out, or have it say 1)"},

		{name: "firewalld", on: "w1", host: active(firewalldService),
			want: "warning w1 Firewalld: firewalld runs (open 6443, 10250 and 8472/udp, put the pod subnet and cni0 into the trusted zone, and ignorePreflight: [Firewalld])"},
		{name: "firewalld that does not run", host: func(h *facts.Host) { h.Units[firewalldService] = facts.Unit{Load: "loaded", Active: "inactive"} }},
		{name: "ufw", on: "w1", host: all(active(ufwService), content(ufwSwitch, "# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n")), want: ufw},
		{name: "ufw, perhaps", on: "w1", host: active(ufwService), want: ufw},
		{name: "ufw that is switched off", host: all(active(ufwService), content(ufwSwitch, "ENABLED=no\n"))},
		{name: "ufw that does not run", host: content(ufwSwitch, "ENABLED=yes\n")},

		{name: "a sysctl that is undone at boot", on: "w1", host: sysctlLines(sysctl("/usr/lib/sysctl.d/10-a.conf", "0"), sysctl("/etc/sysctl.d/99-fairlead.conf", "1"), sysctl("/etc/sysctl.d/99-sysctl.conf", "0")),
			want: "error w1 Sysctl: /etc/sysctl.d/99-sysctl.conf:12 sets net.ipv4.ip_forward to 0 at boot, after /etc/sysctl.d/99-fairlead.conf has set it to 1 (take that line out, or have it say 1)"},
		{name: "a sysctl that is as it should be at last", host: sysctlLines(sysctl("/etc/sysctl.d/99-sysctl.conf", "0"), sysctl("/etc/sysctl.d/zz.conf", "1"))},
		{name: "a sysctl that is undone before", host: sysctlLines(sysctl("/etc/sysctl.d/99-cloud.conf", "0"))},
		{name: "a sysctl of a cluster of the other kind", host: sysctlLines(facts.SysctlLine{Path: "/etc/sysctl.d/zz.conf", Line: 1, Key: "net.ipv6.conf.all.forwarding", Value: "0"})},
	}
}
