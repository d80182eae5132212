package plan

import (
	"net/netip"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

func reach(endpoint string, is facts.Reached) func(*facts.Host) {
	return func(h *facts.Host) { h.Reach = map[string]facts.Reached{endpoint: is} }
}

func endpoint(text string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) { c.ControlPlane.Endpoint = text }
}

func foreignHAProxy(h *facts.Host) {
	h.Packages["haproxy"] = facts.Package{Version: "2.6.12"}
	h.Units[templates.HAProxyService] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled"}
	h.Files[templates.HAProxyConfigFile] = facts.File{Mode: 0o644, SHA256: "theirs"}
}

// balanced gives all control planes running balancers, as they are without their configurations.
func balanced(wish *inventory.Cluster, h *facts.Host, name string) {
	p := planner{common: common{sums: map[string]contentSum{}}}
	p.Cluster = wish
	host, _ := wish.Host(name)
	loaded := ""
	for _, service := range p.balancerServices(host, "eth0") {
		for _, file := range append(service.others, service.config) {
			world.Written(h, file.Path, file.Mode, file.Content)
		}
		h.Ledger = append(h.Ledger, ledger.Entry{Kind: ledger.File, Key: service.config.Path, Was: "absent"}, ledger.Entry{Kind: ledger.Package, Key: service.name, Was: "absent"},
			ledger.Entry{Kind: ledger.Unit, Key: service.unit, Was: "not-found inactive"})
		h.Units[service.unit] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled"}
		h.Packages[service.name] = facts.Package{Version: "1"}
		loaded += service.name + " " + p.common.sum(service.config) + "\n"
	}
	world.Written(h, templates.BalancerLoaded, 0o644, []byte(loaded))
}

// allBalanced are the facts of a cluster whose control planes carry the endpoint. Others of them may have the shared address.
func allBalanced(wish *inventory.Cluster, holders ...string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		for _, host := range wish.ControlPlane.Hosts {
			world.ChangeHost(*f, host.Name, func(h *facts.Host) { balanced(wish, h, host.Name) })
		}
		for _, name := range holders {
			world.ChangeHost(*f, name, address("eth0", "192.0.2.10/32"))
		}
	}
}

// balancerCases are about the address that control planes share, and about the load balancers of others.
func balancerCases() []preflightCase {
	const (
		vip, api = "192.0.2.10:8443", "api.lab.example:6443"
		own      = "or put a load balancer of your own in front, and its name into controlPlane.endpoint"
		open     = " (let all hosts of the cluster connect to the load balancer, and it to port 6443 of all control planes)"
	)
	shared := world.All(world.ThreeControlPlanes, world.Shared)
	wish := func() *inventory.Cluster {
		c := &inventory.Cluster{ControlPlane: inventory.ControlPlane{Hosts: []inventory.Host{world.Host("cp1", "192.0.2.11", inventory.RoleControlPlane)}}}
		shared(c)
		return c
	}()
	version := func(v string) func(*inventory.Cluster) {
		return func(c *inventory.Cluster) { c.Kubernetes.Version = v }
	}
	return []preflightCase{
		{name: "a shared address", edit: shared, host: reach(vip, facts.Unreachable)},
		{name: "a shared address that is carried", edit: shared, living: true, change: allBalanced(wish, "cp2"), host: reach(vip, facts.Connected)},
		{name: "a shared address on its way", edit: shared, living: true, change: allBalanced(wish), host: reach(vip, facts.Refused)},
		{name: "a shared address on two hosts", edit: shared, living: true, change: allBalanced(wish, "cp1", "cp3"),
			want: "warning all SharedAddress: 192.0.2.10 is on more than one host: cp1 and cp3 do not hear each other (let the control planes send each other IP protocol 112 (VRRP): firewalls between or on them may drop it; journalctl --unit keepalived says what each has heard)"},
		{name: "a shared address of somebody else", edit: shared, on: "w1", host: reach(vip, facts.Refused),
			want: "error w1 SharedAddress: somebody answers at 192.0.2.10, which no host of the cluster has (give controlPlane.loadBalancer an address that nobody has; or take it from that machine: ip neigh show 192.0.2.10 on the host names its hardware address)"},
		{name: "a shared address of another network", edit: world.All(shared, func(c *inventory.Cluster) { c.ControlPlane.LoadBalancer.VIP = netip.MustParseAddr("198.51.100.10") }),
			change: func(f *facts.Facts) {
				for _, name := range []string{"cp2", "cp3"} {
					world.ChangeHost(*f, name, address("eth0", "198.51.100.2/24"))
				}
			},
			want: "error cp1 SharedAddress: 198.51.100.10 of controlPlane.loadBalancer is in no network of the interface eth0, which has 192.0.2.11/24 (give an address of the network that all control planes are in; across networks, put a load balancer of your own in front, and its name into controlPlane.endpoint)"},
		{name: "an interface that is not there", edit: world.All(world.Shared, func(c *inventory.Cluster) { c.ControlPlane.LoadBalancer.Interface = "bond0" }),
			want: "error cp1 SharedAddress: there is no interface bond0 with an address, which controlPlane.loadBalancer names (give an interface that every control plane has; or leave it out for the one with the host's address)"},
		{name: "an HAProxy of somebody else", edit: shared, host: foreignHAProxy,
			want: "error cp1 Balancer: haproxy is on the host already, and controlPlane.loadBalancer would replace its configuration /etc/haproxy/haproxy.cfg (take it off the host, if nobody needs it; " + own + ")"},
		{name: "an HAProxy on a worker", edit: shared, on: "w1", host: foreignHAProxy},
		{name: "a port of the balancer", edit: shared, host: func(h *facts.Host) { h.Ports[8443] = "nginx" },
			want: `error cp1 BalancerPort: port 8443, which the balancer of controlPlane.loadBalancer needs, is in use by "nginx" (stop that program; or, if it may not go, give controlPlane.loadBalancer another port)`},
		{name: "no package of the balancer", edit: shared, host: func(h *facts.Host) { h.Candidates["keepalived"] = "" },
			want: "error cp1 PackageNames: the host's repositories have no package of the name keepalived, by which a control plane carries controlPlane.loadBalancer: a bundle does not hold it (give the host a repository of Debian's that has it, or run apt-get update on the host, if its indexes are old; " + own + ")"},
		{name: "a kubeadm that asks the endpoint", edit: world.All(world.FromRepositories, world.WithoutBundle, world.Shared, version("1.36.2")),
			firm: true, want: "error all Version: kubeadm 1.36.2 asks the endpoint while it makes the first control plane, and nobody can carry controlPlane.loadBalancer yet (take Kubernetes 1.36.3 or later; " + own + ")"},
		{name: "a kubeadm that does not", edit: world.All(world.FromRepositories, world.WithoutBundle, world.Shared, version("1.36.3"))},
		{name: "somebody's balancer", edit: endpoint(api), host: reach(api, facts.Refused)},
		{name: "somebody's balancer in front of a cluster", edit: endpoint(api), living: true, host: all(reach(api, facts.Connected), func(h *facts.Host) { h.Readyz = map[string]string{api: "ready"} })},
		{name: "a name without an address", edit: endpoint(api), host: reach(api, facts.NoAddress),
			want: "error cp1 Endpoint: api.lab.example:6443 cannot be reached: the host finds no address of that name (give the name an address in DNS, or in /etc/hosts of every host)"},
		{name: "a balancer that takes all connections", edit: endpoint(api), host: reach(api, facts.Connected),
			want: "warning cp1 Endpoint: api.lab.example:6443 takes connections while no API server lives: kubelets would wait there instead of trying again, and start no pods until they give up (have the load balancer check /readyz of the control planes, and refuse or reset connections while none of them answers)"},
		{name: "a balancer that cannot be reached", edit: endpoint(api), living: true, on: "w1", host: reach(api, facts.NoAnswer),
			want: "warning w1 Endpoint: api.lab.example:6443 cannot be reached from the host: nobody answers within two seconds" + open},
		{name: "a balancer that a new host cannot reach", edit: endpoint(api), living: true, on: "w2", host: func(h *facts.Host) {
			*h = world.FreshHost(world.Host("w2", "192.0.2.22", inventory.RoleWorker))
			reach(api, facts.Refused)(h)
		}, change: func(f *facts.Facts) { delete(f.API.Nodes, "w2") }, want: "error w2 Endpoint: api.lab.example:6443 cannot be reached from the host: the connection is refused" + open},
		{name: "a balancer without an API server", edit: endpoint(api), living: true, host: all(reach(api, facts.Connected), func(h *facts.Host) { h.Readyz = map[string]string{api: "EOF"} }),
			want: "warning cp1 Endpoint: behind api.lab.example:6443 no API server of this cluster is ready: EOF (have the load balancer pass TCP connections on as they are, to port 6443 of control planes whose /readyz answers 200)"},
	}
}

func balancerMendings() []mended {
	const api = "api.lab.example:6443"
	withoutVIP := func(c *inventory.Cluster) { c.ControlPlane.LoadBalancer, c.ControlPlane.Endpoint = nil, api }
	other := func(text string) func(*inventory.Cluster) {
		return func(c *inventory.Cluster) {
			c.ControlPlane.LoadBalancer.VIP = netip.MustParseAddr(text)
			c.ControlPlane.Endpoint = c.ControlPlane.LoadBalancer.Address()
		}
	}
	return []mended{
		{"Balancer", preflightCase{edit: world.Shared, host: foreignHAProxy}, []mending{
			{says: "take it off the host", host: func(h *facts.Host) {
				delete(h.Packages, "haproxy")
				delete(h.Units, templates.HAProxyService)
				delete(h.Files, templates.HAProxyConfigFile)
			}},
			{says: "its name into controlPlane.endpoint", edit: withoutVIP},
		}},
		{"BalancerPort", preflightCase{edit: world.Shared, host: func(h *facts.Host) { h.Ports[8443] = "nginx" }}, []mending{
			{says: "stop that program", host: func(h *facts.Host) { delete(h.Ports, 8443) }},
			{says: "give controlPlane.loadBalancer another port", edit: func(c *inventory.Cluster) { c.ControlPlane.LoadBalancer.Port = 9443 }},
		}},
		{"SharedAddress", preflightCase{edit: world.Shared, host: reach("192.0.2.10:8443", facts.Connected)}, []mending{
			{says: "give controlPlane.loadBalancer an address that nobody has", edit: other("192.0.2.9")},
			{says: "take it from that machine", host: reach("192.0.2.10:8443", facts.Unreachable)},
		}},
		{"SharedAddress", preflightCase{edit: world.All(world.Shared, other("198.51.100.10"))}, []mending{
			{says: "give an address of the network", edit: other("192.0.2.9")}, {says: "its name into controlPlane.endpoint", edit: withoutVIP},
		}},
		{"Endpoint", preflightCase{edit: endpoint(api), host: reach(api, facts.NoAddress)}, []mending{
			{says: "give the name an address", host: reach(api, facts.Refused)},
		}},
		{"Endpoint", preflightCase{edit: endpoint(api), host: reach(api, facts.Connected)}, []mending{
			{says: "refuse or reset connections", host: reach(api, facts.Refused)},
		}},
		{"Endpoint", preflightCase{edit: endpoint(api), living: true, host: reach(api, facts.NoAnswer)}, []mending{
			{says: "let all hosts of the cluster connect", host: reach(api, facts.Connected)},
		}},
	}
}
