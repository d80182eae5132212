package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// mending is what a finding's Fix says, and what becomes of inventory and hosts when somebody does it.
type mending struct {
	says   string // a part of the Fix
	edit   func(*inventory.Cluster)
	bundle func(*bundle.Manifest)
	host   func(*facts.Host)
	change func(*facts.Facts)
}

// mended is a finding with all the ways out of it that its Fix names.
type mended struct {
	finding string
	before  preflightCase
	ways    []mending
}

// after is the case when one of the ways has been gone.
func (m mended) after(way mending) preflightCase {
	c := m.before
	c.edit = func(cluster *inventory.Cluster) { each(cluster, m.before.edit, way.edit) }
	c.bundle = func(manifest *bundle.Manifest) { each(manifest, m.before.bundle, way.bundle) }
	c.host = func(h *facts.Host) { each(h, m.before.host, way.host) }
	c.change = func(f *facts.Facts) { each(f, m.before.change, way.change) }
	return c
}

func each[T any](value *T, changes ...func(*T)) {
	for _, change := range changes {
		if change != nil {
			change(value)
		}
	}
}

// After doing what a finding says, that finding is gone: in each of the ways that it names.
func TestMendingsMend(t *testing.T) {
	for _, m := range slices.Concat(machineMendings(), networkMendings(), softwareMendings(), clusterMendings(t), cloneMendings(), etcdMendings(t), balancerMendings()) {
		t.Run(m.finding, func(t *testing.T) {
			named := func(findings []Finding) []Finding {
				return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Name != m.finding })
			}
			before := named(m.before.findings(t))
			if len(before) != 1 {
				t.Fatalf("found %d times:\n%s", len(before), lines(before))
			}
			for _, way := range m.ways {
				if !strings.Contains(before[0].Fix, way.says) {
					t.Errorf("it says %q, and not %q", before[0].Fix, way.says)
				}
				if left := named(m.after(way).findings(t)); len(left) > 0 {
					t.Errorf("after %q there is still\n%s", way.says, lines(left))
				}
			}
		})
	}
}

// Every finding is in the tables, but for the one that names more than one way by what is known of the host.
func TestEveryFindingHasAMending(t *testing.T) {
	has := map[string]bool{}
	for _, m := range slices.Concat(machineMendings(), networkMendings(), softwareMendings(), clusterMendings(t), cloneMendings(), etcdMendings(t), balancerMendings()) {
		has[m.finding] = len(m.ways) > 0
	}
	for _, name := range findingNames(t) {
		name = strings.Replace(name, "%d", "10250", 1)
		if !has[name] && name != "ForeignCluster" { // what is to be done depends on whose the host is
			t.Errorf("nobody has tried whether the fix of %s mends it", name)
		}
	}
}

func ignoring(name string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) { c.IgnorePreflight = append(c.IgnorePreflight, name) }
}

func config(fields map[string]any) func(*inventory.Cluster) {
	return world.Config(templates.KindKubelet, fields)
}

func machineMendings() []mended {
	unknown := func(h *facts.Host) { h.OS = facts.OS{ID: "void"} }
	return []mended{
		{"OS", preflightCase{host: unknown}, []mending{
			{says: "supported are Debian", host: func(h *facts.Host) { h.OS = facts.OS{ID: "debian"} }}, {says: "ignorePreflight: [OS]", edit: ignoring("OS")},
		}},
		{"Packages", preflightCase{host: unknown, edit: world.All(world.OnlyControlPlane, world.FromRepositories)}, []mending{
			{says: "use a bundle", edit: func(c *inventory.Cluster) {
				c.Kubernetes.Source, c.Runtime = inventory.SourceBundle, inventory.Runtime{}
			}},
		}},
		{"Packages", preflightCase{host: unknown, edit: world.All(world.OnlyControlPlane, world.WithDocker)}, []mending{
			{says: "use a bundle, with its own containerd: runtime.name: containerd", edit: func(c *inventory.Cluster) { c.Runtime.Name = inventory.RuntimeContainerd }},
		}},
		{"Packages", preflightCase{host: unknown, edit: world.All(world.OnlyControlPlane, world.WithPackages)}, []mending{
			{says: "install them by hand, and leave packages out of the inventory for this host", edit: func(c *inventory.Cluster) { c.Packages = nil }},
		}},
		{"PackageNames", preflightCase{edit: world.WithPackages, host: func(h *facts.Host) { h.Candidates["nfs-common"] = "" }}, []mending{
			{says: "write the name that Debian has for it: a host may have packages of its own", edit: func(c *inventory.Cluster) { c.Packages = []string{"nfs-kernel-server"} }},
			{says: "run apt-get update on the host", host: func(h *facts.Host) { h.Candidates["nfs-common"] = "2.6.2" }},
		}},
		{"Systemd", preflightCase{host: func(h *facts.Host) { h.Systemd = 0 }}, []mending{{says: "a host that systemd runs", host: func(h *facts.Host) { h.Systemd = 252 }}}},
		{"Architecture", preflightCase{edit: world.OnlyControlPlane, host: func(h *facts.Host) { h.Architecture = "arm64" }}, []mending{
			{says: "give a bundle for arm64", bundle: func(b *bundle.Manifest) { b.Architecture = "arm64" }},
		}},
		{"Root", preflightCase{host: func(h *facts.Host) { h.Root = false }}, []mending{{says: "let the user become root", host: func(h *facts.Host) { h.Root = true }}}},
		{"Ledger", preflightCase{host: func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: "orbit", Key: "moon"}} }}, []mending{{says: "take the one that wrote it", host: func(h *facts.Host) { h.Ledger = nil }}}},
		{"Ledger", preflightCase{host: func(h *facts.Host) { h.LedgerDamage = "it is empty" }}, []mending{{says: "put back a whole copy", host: func(h *facts.Host) { h.LedgerDamage = "" }}}},
		{"Tools", preflightCase{host: func(h *facts.Host) { h.MissingTools = []string{"ip"} }}, []mending{{says: "install the packages that hold them", host: func(h *facts.Host) { h.MissingTools = nil }}}},
		{"NumCPU", preflightCase{host: func(h *facts.Host) { h.CPUs = 1 }}, []mending{{says: "use a larger machine", host: func(h *facts.Host) { h.CPUs = 2 }}}},
		{"Mem", preflightCase{host: func(h *facts.Host) { h.MemoryKiB = 1 << 20 }}, []mending{{says: "use a larger machine", host: func(h *facts.Host) { h.MemoryKiB = 2 << 20 }}}},
		{"Disk", preflightCase{host: disks(1, 1)}, []mending{{says: "free some space", host: disks(1<<30, 1<<30)}}},
		{"LowDisk", preflightCase{host: disks(1<<30, 1<<40)}, []mending{{says: "free some space", host: disks(1<<39, 1<<40)}}},
		{"Clock", preflightCase{host: clock(1 << 40)}, []mending{{says: "set up time synchronisation", host: clock(0)}}},
		{"Address", preflightCase{host: func(h *facts.Host) { h.Addresses = nil }}, []mending{{says: "give one that the host has itself", host: address("eth1", "192.0.2.11/24")}}},
		{"SystemVerification", preflightCase{host: func(h *facts.Host) { h.CgroupV2 = false }}, []mending{
			{says: "boot with systemd.unified_cgroup_hierarchy=1", host: func(h *facts.Host) { h.CgroupV2 = true }},
			{says: "failCgroupV1: false and ignorePreflight: [SystemVerification]", edit: world.All(config(map[string]any{"failCgroupV1": false}), ignoring("SystemVerification"))},
		}},
		{"SELinux", preflightCase{host: func(h *facts.Host) { h.SELinux = true }}, []mending{
			{says: "set it to permissive", host: func(h *facts.Host) { h.SELinux = false }}, {says: "install container-selinux, and ignorePreflight: [SELinux]", edit: ignoring("SELinux")},
		}},
		{"Swap", preflightCase{host: func(h *facts.Host) { h.Swaps = []facts.Swap{{Device: "/swapfile"}} }}, []mending{
			{says: "take it out, and swapoff -a", host: func(h *facts.Host) { h.Swaps = nil }},
			{says: "KubeletConfiguration.failSwapOn: false", edit: config(map[string]any{"failSwapOn": false})},
		}},
		{"Sysctl", preflightCase{host: sysctlLines(facts.SysctlLine{Path: "/etc/sysctl.d/99-sysctl.conf", Line: 1, Key: "net.ipv4.ip_forward", Value: "0"})}, []mending{
			{says: "take that line out", host: sysctlLines()},
			{says: "have it say 1", host: sysctlLines(facts.SysctlLine{Path: "/etc/sysctl.d/99-sysctl.conf", Line: 1, Key: "net.ipv4.ip_forward", Value: "1"})},
		}},
		{"Hostname", preflightCase{host: func(h *facts.Host) { h.Hostname = "w1" }}, []mending{{says: "hostnamectl set-hostname", host: func(h *facts.Host) { h.Hostname = "cp1" }}}},
		{"MachineID", preflightCase{host: func(h *facts.Host) { h.MachineID = "w1" }}, []mending{{says: "systemd-machine-id-setup", host: func(h *facts.Host) { h.MachineID = "new" }}}},
		{"ProductUUID", preflightCase{edit: world.ThreeControlPlanes, change: func(f *facts.Facts) {
			for _, name := range []string{"cp2", "cp3"} {
				world.ChangeHost(*f, name, func(h *facts.Host) { h.ProductUUID = "a" })
			}
		}}, []mending{{says: "its own UUID", change: func(f *facts.Facts) { world.ChangeHost(*f, "cp2", func(h *facts.Host) { h.ProductUUID = "b" }) }}}},
	}
}

func networkMendings() []mended {
	real := content("/etc/real-resolv.conf", "nameserver 192.0.2.1\n")
	resolvConf := config(map[string]any{"resolvConf": "/etc/real-resolv.conf"})
	anotherSubnet := func(c *inventory.Cluster) {
		c.Kubernetes.PodSubnet, c.Kubernetes.ServiceSubnet = world.Subnets("172.20.0.0/16"), world.Subnets("172.21.0.0/16")
	}
	without := func(link string) func(*facts.Host) {
		return func(h *facts.Host) {
			h.Addresses = slices.DeleteFunc(slices.Clone(h.Addresses), func(a facts.LinkAddress) bool { return a.Link == link })
		}
	}
	stopped := func(number int) func(*facts.Host) { return func(h *facts.Host) { delete(h.Ports, number) } }
	return []mended{
		{"Resolver", preflightCase{host: nameservers("127.0.0.1")}, []mending{
			{says: "set kubernetes.config.KubeletConfiguration.resolvConf to a file with the real name servers", edit: resolvConf, host: real},
		}},
		{"Resolver", preflightCase{host: nameservers()}, []mending{
			{says: "write one into it", host: nameservers("192.0.2.1")},
			{says: "set kubernetes.config.KubeletConfiguration.resolvConf", edit: resolvConf, host: real},
		}},
		{"Resolver", preflightCase{edit: resolvConf, host: content("/etc/real-resolv.conf", "nameserver 127.0.0.1\n")}, []mending{
			{says: "write the real name servers into /etc/real-resolv.conf", host: real},
		}},
		{"NameServer", preflightCase{host: nameservers("10.96.0.10")}, []mending{
			{says: "choose another serviceSubnet", edit: anotherSubnet}, {says: "name another server", host: nameservers("192.0.2.1")},
		}},
		{"Subnet", preflightCase{host: address("eth1", "10.244.1.1/24")}, []mending{{says: "choose another podSubnet", edit: anotherSubnet}}},
		{"IPv6", preflightCase{edit: world.DualStack, host: withoutIPv6}, []mending{{says: "sysctl -w " + ipv6Off + "=0", host: func(h *facts.Host) { h.Sysctls[ipv6Off] = "0" }}}},
		{"Address", preflightCase{edit: world.DualStack, host: func(h *facts.Host) { h.Addresses[1].Link = "eth1" }}, []mending{
			{says: "give two addresses of one interface", host: func(h *facts.Host) { h.Addresses[1].Link = "eth0" }},
		}},
		{"FormerInterfaces", preflightCase{host: address("cni0", "10.244.5.1/24")}, []mending{
			{says: "ip link delete cni0", host: without("cni0")}, {says: "start the host anew", host: without("cni0")},
		}},
		{"Network", preflightCase{host: func(h *facts.Host) { h.NetworkConfigurations = []string{"10-calico.conflist"} }}, []mending{
			{says: "addons.network.name: none", edit: func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }},
			{says: "remove the file", host: func(h *facts.Host) { h.NetworkConfigurations = nil }},
		}},
		{"Firewalld", preflightCase{host: active(firewalldService)}, []mending{{says: "open 6443, 10250", edit: ignoring("Firewalld")}}},
		{"UFW", preflightCase{host: all(active(ufwService), content(ufwSwitch, "ENABLED=yes\n"))}, []mending{
			{says: "ufw disable", host: content(ufwSwitch, "ENABLED=no\n")}, {says: "ignorePreflight: [UFW]", edit: ignoring("UFW")},
		}},
		{"Proxy", preflightCase{edit: world.OnlyControlPlane, host: func(h *facts.Host) { h.Environment = map[string]string{"HTTPS_PROXY": "http://proxy.lab:3128"} }}, []mending{
			{says: "name the proxy in the inventory", edit: world.WithProxy},
			{says: "add them to NO_PROXY", host: func(h *facts.Host) { h.Environment["NO_PROXY"] = "192.0.2.11,10.96.0.1" }},
		}},
		{"Proxy", preflightCase{edit: world.OnlyControlPlane, host: func(h *facts.Host) {
			h.Environment = map[string]string{"HTTPS_PROXY": "http://proxy.lab:3128", "NO_PROXY": `"192.0.2.11,10.96.0.1"`}
		}}, []mending{
			{says: "write it without quotation marks", host: func(h *facts.Host) { h.Environment["NO_PROXY"] = "192.0.2.11,10.96.0.1" }},
			{says: "name the proxy in the inventory", edit: world.WithProxy},
		}},
		{"Port-10250", preflightCase{host: port(10250, "nginx")}, []mending{{says: "stop that program", host: stopped(10250)}}},
		{"Port-10250", preflightCase{host: port(10250, "kubelet")}, []mending{
			{says: "take that cluster's software off the host", host: stopped(10250)}, {says: "stop that kubelet", host: stopped(10250)},
		}},
	}
}

func softwareMendings() []mended {
	packages := world.All(world.FromRepositories, world.OnlyControlPlane)
	bare := func(h *facts.Host) {
		h.Packages, h.Versions, h.Units = map[string]facts.Package{}, map[string]facts.Version{}, map[string]facts.Unit{}
	}
	has := func(programs ...string) func(*facts.Host) {
		return func(h *facts.Host) { world.Programs(h, programs...) }
	}
	return []mended{
		{"ForeignKubernetes", preflightCase{edit: world.OnlyControlPlane, host: all(onDebian("kubelet 1.36.3", "kubeadm 1.36.3"), has("kubelet /usr/bin 1.36.3", "kubeadm /usr/bin 1.36.3"))}, []mending{
			{says: "remove them", host: bare}, {says: "choose the other kubernetes.source", edit: world.FromRepositories},
		}},
		{"ForeignKubernetes", preflightCase{edit: packages, host: has("kubelet /opt/bin 1.36.3", "kubeadm /usr/bin 1.37.2")}, []mending{
			{says: "remove them", host: bare}, {says: "choose the other kubernetes.source", edit: func(c *inventory.Cluster) { c.Kubernetes.Source = inventory.SourceBundle }},
		}},
		{"ForeignRuntime", preflightCase{edit: world.All(packages, world.WithDocker), host: has("containerd /usr/local/bin 2.4.2")}, []mending{{says: "remove that containerd first", host: bare}}},
		{"KindPlugins", preflightCase{edit: packages, host: func(h *facts.Host) { nodeOfKind(h); world.KubernetesOf("/usr/bin", "1.37.2")(h) }}, []mending{
			{says: "kubernetes.bundle", edit: func(c *inventory.Cluster) { c.Kubernetes.Source = inventory.SourceBundle }},
			{says: "put it there", host: func(h *facts.Host) { h.Files[templates.BridgePlugin] = facts.File{Mode: 0o755} }},
			{says: "name: none", edit: func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }},
		}},
		{"ContainerdVersion", preflightCase{edit: packages, host: all(onDebian("containerd 1.6.20"), has("containerd /usr/bin 1.6.20"))}, []mending{{says: "remove the package containerd", host: bare}}},
		{"ContainerdVersion", preflightCase{edit: packages, host: all(onDebian("containerd.io 1.7.28"), has("containerd /usr/bin 1.7.28"))}, []mending{{says: "remove it", host: bare}}},
		{"CRISocket", preflightCase{edit: world.All(world.OnlyControlPlane, world.WithSocket)}, []mending{
			{says: "install and start that container runtime", host: func(h *facts.Host) { h.Sockets["/run/crio/crio.sock"] = true }},
			{says: "correct runtime.criSocket", edit: func(c *inventory.Cluster) { c.Runtime.CRISocket = "unix:///run/other.sock" }, host: func(h *facts.Host) { h.Sockets["/run/other.sock"] = true }},
		}},
		{"DaemonJSON", preflightCase{name: "a daemon.json with a mistake", edit: world.All(packages, world.WithDocker, world.WithRegistries), host: world.DaemonJSON("{")}, []mending{{says: "correct it", host: world.DaemonJSON("{}")}}},
	}
}

func clusterMendings(t *testing.T) []mended {
	t.Helper()
	const foreignImage = "registry.lab:5000/k8s/pause:3.10.2"
	ports := portCases(t)[1]
	other := func(name string) func(*inventory.Cluster) {
		cases := portCases(t)
		return cases[slices.IndexFunc(cases, func(c preflightCase) bool { return c.name == name })].edit
	}
	return []mended{
		{"DirAvailable--var-lib-etcd", preflightCase{host: func(h *facts.Host) { h.NotEmpty[etcdFolder] = true }}, []mending{{says: "move it away", host: func(h *facts.Host) { delete(h.NotEmpty, etcdFolder) }}}},
		{"DirAvailable--var-lib-etcd", preflightCase{host: func(h *facts.Host) {
			h.NotEmpty[etcdFolder], h.Ledger = true, []ledger.Entry{{Kind: ledger.Tree, Key: etcdFolder, Was: "absent"}}
		}}, []mending{
			{says: "move it away", host: func(h *facts.Host) { delete(h.NotEmpty, etcdFolder) }},
			{says: "fairlead reset cp1", host: func(h *facts.Host) { delete(h.NotEmpty, etcdFolder); h.Ledger = nil }},
		}},
		{"DuplicateNode", preflightCase{living: true, on: "w1", host: func(h *facts.Host) { *h = world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker)) }}, []mending{
			{says: "remove that node first", change: func(f *facts.Facts) { delete(f.API.Nodes, "w1") }},
			{says: "give the host another name", edit: func(c *inventory.Cluster) { c.Workers[0].Node = "w9" }, change: func(f *facts.Facts) { delete(f.API.Nodes, "w9") }},
		}},
		{"UnknownNode", preflightCase{living: true, change: stranger}, []mending{
			{says: "fairlead join w7 --address 192.0.2.27", edit: func(c *inventory.Cluster) {
				c.Workers = append(c.Workers, world.Host("w7", "192.0.2.27", inventory.RoleWorker))
			}},
			{says: "fairlead remove w7", change: func(f *facts.Facts) { delete(f.API.Nodes, "w7") }},
		}},
		{"EtcdData", preflightCase{living: true, edit: world.ThreeControlPlanes, on: "cp3", host: func(h *facts.Host) { delete(h.NotEmpty, etcdFolder) }, change: silent("cp3")}, []mending{
			{says: "have it leave and join anew", host: func(h *facts.Host) { *h = world.FreshHost(world.Host("cp3", "192.0.2.13", inventory.RoleControlPlane)) }, change: func(f *facts.Facts) { delete(f.API.Nodes, "cp3") }},
		}},
		{"Removed", preflightCase{living: true, on: "w1", host: func(h *facts.Host) {
			h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/etc/kubernetes", Was: "absent"}}
			world.Claimed(h, "lab")
		}, change: removed("w1")}, []mending{
			{says: "fairlead reset w1", host: func(h *facts.Host) { *h = world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker)) }, change: func(f *facts.Facts) { delete(f.API.Nodes, "w1") }},
		}},
		{"NodeName", preflightCase{living: true, on: "w1", host: func(h *facts.Host) {
			h.Certificates = append(h.Certificates, facts.Certificate{Path: templates.KubeletClientCertificate, Subject: "CN=system:node:other,O=system:nodes"})
		}}, []mending{{says: "write nodeName: other", edit: func(c *inventory.Cluster) { c.Workers[0].Node = "other" }}}},
		{"MaxSessions", preflightCase{host: func(h *facts.Host) { h.SSHSessions = 3 }}, []mending{{says: "MaxSessions 10", host: func(h *facts.Host) { h.SSHSessions = 10 }}}},
		{"Forwarding", preflightCase{host: notForwarding}, []mending{{says: "AllowTcpForwarding yes", host: func(h *facts.Host) { h.Forwarding = nil }}}},
		{"Forwarding", preflightCase{edit: inContainers, host: notForwarding}, []mending{{says: "install bash", host: func(h *facts.Host) { h.Forwarding = nil }}}},
		{"ClusterName", preflightCase{living: true, on: "w1", host: func(h *facts.Host) { world.Claimed(h, "prod") }}, []mending{
			{says: "correct the host's address", host: func(h *facts.Host) { world.Claimed(h, "lab") }},
			{says: "ignorePreflight: [ClusterName]", edit: ignoring("ClusterName")},
		}},
		{"Unread", preflightCase{host: unread("cpus", "", "many", "it is no number")}, []mending{{says: "look on the host at: nproc", host: func(h *facts.Host) { h.Unread = nil }}}},
		{"Cordoned", preflightCase{living: true, change: func(f *facts.Facts) { world.ChangeNode(*f, "w1", func(n *object.Node) { n.Unschedulable = true }) }}, []mending{
			{says: "kubectl uncordon w1", change: func(f *facts.Facts) { world.ChangeNode(*f, "w1", func(n *object.Node) { n.Unschedulable = false }) }},
		}},
		{"Version", preflightCase{living: true, change: func(f *facts.Facts) { f.API.ServerVersion = "1.36.3" }}, []mending{{says: "put the cluster's version into kubernetes.version", edit: world.Version("1.36.3")}}},
		{"Bundle", preflightCase{bundle: func(b *bundle.Manifest) { b.KubernetesVersion = "1.36.3" }}, []mending{{says: "give the bundle of that version", bundle: func(b *bundle.Manifest) { b.KubernetesVersion = "1.37.2" }}}},
		{"Endpoint", preflightCase{living: true, on: "w1", host: noServer}, []mending{
			{says: "have it name https://192.0.2.11:6443", change: func(f *facts.Facts) { f.Hosts["w1"].Servers["kubelet.conf"] = oldServer }},
		}},
		{"Endpoint", preflightCase{living: true, edit: derivedEndpoint, change: clusterHas(t, "192.0.2.99:6443", "controlPlaneEndpoint")}, []mending{
			{says: "write endpoint: 192.0.2.99:6443", edit: func(c *inventory.Cluster) {
				c.ControlPlane.EndpointDerived, c.ControlPlane.Endpoint = false, "192.0.2.99:6443"
			}},
		}},
		{"EndpointLeaves", preflightCase{living: true, edit: derivedEndpoint, change: endpointOfNode(t)}, []mending{
			{says: "give controlPlane.endpoint", edit: func(c *inventory.Cluster) { c.ControlPlane.EndpointDerived = false; atNew(c) }},
		}},
		{"Settings", preflightCase{living: true, change: clusterHas(t, "10.1.0.0/16", "networking", "podSubnet")}, []mending{
			{says: "put back the value that the cluster has", edit: func(c *inventory.Cluster) { c.Kubernetes.PodSubnet = world.Subnets("10.1.0.0/16") }, change: clusterHas(t, "10.1.0.0/16", "networking", "podSubnet")},
		}},
		{"HostPorts", ports, []mending{
			{says: "give one of them another port", edit: other("other ports")},
			{says: "place them on different hosts", edit: other("other hosts")},
			{says: "take one of them out of the host's network", edit: func(c *inventory.Cluster) { c.Addons.Manifests[0].HostNetwork = false }},
		}},
		{"Images", preflightCase{change: func(f *facts.Facts) {
			f.ImageProblems = []facts.ImageProblem{{Host: "w1", Image: foreignImage, Registry: "registry.lab:5000", Err: &facts.Problem{Kind: facts.ImageMissing, Text: "not in the registry"}}}
		}}, []mending{{says: "fairlead images mirror --to registry.lab:5000", change: func(f *facts.Facts) { f.ImageProblems = nil }}}},
	}
}
