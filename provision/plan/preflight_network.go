package plan

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

const (
	resolvedService  = "systemd-resolved.service"
	firewalldService = "firewalld.service"
	ufwService       = "ufw.service"
	// ufwSwitch says whether ufw is switched on: its service has done its work and counts as active in any case.
	ufwSwitch = "/etc/ufw/ufw.conf"

	resolverFile = "/etc/resolv.conf"
	// resolvedFile has the name servers that systemd-resolved asks itself. kubeadm gives it to kubelets where that runs.
	resolvedFile = "/run/systemd/resolve/resolv.conf"
)

func asksOfNetwork(state desired.State) facts.Query {
	query := facts.Query{Units: []string{resolvedService, firewalldService, ufwService}, Texts: []string{ufwSwitch, resolvedFile}}
	if file, given := givenResolver(state); given && file != "" && file != resolvedFile {
		query.Texts = append(query.Texts, file)
	}
	return query
}

// givenResolver is the file that the inventory has kubelets take name servers from; empty for none at all.
func givenResolver(state desired.State) (file string, given bool) {
	file, given = state.Cluster.Kubernetes.Config[templates.KindKubelet]["resolvConf"].(string)
	return file, given
}

// resolver is the file from which pods get a host's name servers, and these; known is false where nobody has looked.
func (p *planner) resolver(f facts.Host) (file string, servers []netip.Addr, known bool) {
	file, given := givenResolver(p.State)
	switch {
	case given:
	case f.Units[resolvedService].Active == "active":
		file = resolvedFile
	default:
		file = resolverFile
	}
	if file == resolverFile {
		return file, f.Nameservers, true
	}
	text, there := f.Contents[file]
	return file, nameServers(text), file != "" && (there || f.Asked.Includes(facts.Query{Texts: []string{file}}))
}

// nameServers are those that a resolv.conf names, in the way of resolv.conf(5).
func nameServers(text []byte) []netip.Addr {
	var servers []netip.Addr
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "nameserver" {
			if address, err := netip.ParseAddr(fields[1]); err == nil {
				servers = append(servers, address)
			}
		}
	}
	return servers
}

// checkResolver finds what CoreDNS ends with: "plugin/loop: Loop detected", or no name server at all.
func checkResolver(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	file, servers, known := p.resolver(f)
	if !known {
		return "", ""
	}
	mending := "set kubernetes.config.KubeletConfiguration.resolvConf to a file with the real name servers"
	if given, ok := givenResolver(p.State); ok {
		mending = "write the real name servers into " + given
	}
	if len(servers) == 0 {
		return file + " is missing or names no name server: no pod starts without the file, and CoreDNS not without a name server",
			"write one into it, which need not answer where all that pods ask for is in the cluster; or " + mending
	}
	for _, server := range servers {
		if server.IsLoopback() {
			return fmt.Sprintf("%s names %s: CoreDNS would ask itself", file, server), mending
		}
	}
	return "", ""
}

// checkNameServer finds a name server that hosts and pods lose as soon as the cluster has its addresses.
func checkNameServer(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	file, servers, _ := p.resolver(f)
	if file != resolverFile {
		servers = slices.Concat(f.Nameservers, servers)
	}
	for _, server := range servers {
		if key, subnet := p.subnetOf(server); key != "" {
			return fmt.Sprintf("the name server %s is inside kubernetes.%s %s", server, key, subnet),
				"choose another " + key + ", or name another server: a Service or a pod can get this address, and the host would ask that"
		}
	}
	return "", ""
}

// subnetOf is the key of the cluster's own subnet that an address is in.
func (p *planner) subnetOf(address netip.Addr) (key string, subnet netip.Prefix) {
	address = address.Unmap().WithZone("")
	for key, subnets := range map[string]inventory.Subnets{"podSubnet": p.Cluster.Kubernetes.PodSubnet, "serviceSubnet": p.Cluster.Kubernetes.ServiceSubnet} {
		if subnet := subnets.Of(address); subnet.IsValid() { // they do not overlap
			return key, subnet
		}
	}
	return "", netip.Prefix{}
}

// clusterLinks are interfaces that only pod networks and kube-proxy make, those that a reset removes among them.
func clusterLinks() []string {
	return append(resetLinks(), "vxlan.calico", "vxlan-v6.calico", "cilium_host", "cilium_net", "cilium_vxlan", "weave", "kube-bridge", "antrea-gw0", "ovn-k8s-mp0")
}

// ofPods says that an interface is one that a pod network may have made, for itself or for a pod.
func ofPods(link string) bool {
	return slices.Contains(clusterLinks(), link) || slices.ContainsFunc([]string{"veth", "cali", "tunl", "wireguard.cali", "lxc", "cilium", "kube-", "nodelocaldns", "vxlan", "genev", "ovn"},
		func(prefix string) bool { return strings.HasPrefix(link, prefix) })
}

// checkSubnet finds another network of the host behind addresses that pods or Services get.
func checkSubnet(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	for _, a := range f.Addresses {
		if ofPods(a.Link) {
			continue
		}
		if key, subnet := p.subnetOf(a.Prefix.Addr()); key != "" {
			return fmt.Sprintf("interface %s has the address %s, which is inside kubernetes.%s %s", a.Link, a.Prefix, key, subnet),
				"choose another " + key + ": the host would look for pods and Services in that network"
		}
	}
	return "", ""
}

// checkFormerLinks finds what a former cluster has left: the next pod network uses interfaces of these names as they are, and
// pods fail with addresses of another network.
func checkFormerLinks(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	var left, commands []string
	for _, a := range f.Addresses {
		if slices.Contains(clusterLinks(), a.Link) && !slices.Contains(commands, "ip link delete "+a.Link) {
			left = append(left, fmt.Sprintf("%s (%s)", a.Link, a.Prefix))
			commands = append(commands, "ip link delete "+a.Link)
		}
	}
	if len(left) == 0 {
		return "", ""
	}
	return "interfaces of another cluster are there: " + strings.Join(left, ", "),
		"if no cluster runs on the host any more: " + strings.Join(commands, " && ") + "; or start the host anew"
}

// flannelConfiguration is what flannel's pods write, ours and upstream's.
const flannelConfiguration = "10-flannel.conflist"

// checkNetwork finds another pod network: containerd takes the first configuration by name
// (internal/cri/server/cni_conf_syncer.go, go-cni), and two networks in one cluster fail oddly.
func checkNetwork(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if p.Cluster.Addons.Network.Name == inventory.NetworkNone {
		return "", ""
	}
	for _, name := range f.NetworkConfigurations {
		if name != flannelConfiguration {
			return "another pod network is configured: /etc/cni/net.d/" + name,
				"addons.network.name: none, if the cluster has that network; else remove the file"
		}
	}
	return "", ""
}

func checkFirewalld(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.Units[firewalldService].Active != "active" {
		return "", ""
	}
	return "firewalld runs", "open 6443, 10250 and 8472/udp, put the pod subnet and cni0 into the trusted zone, and ignorePreflight: [Firewalld]"
}

func checkUFW(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	is, known := f.Contents[ufwSwitch]
	if f.Units[ufwService].Active != "active" || known && !switchedOn(string(is)) {
		return "", ""
	}
	return "ufw is active, which lets nobody in by default", "ufw disable; or open 6443/tcp, 10250/tcp and 8472/udp to the hosts (2379:2380/tcp among control planes), " +
		"ufw allow in on cni0, ufw default allow routed, and ignorePreflight: [UFW]"
}

// switchedOn reads the one line that counts of ufw.conf.
func switchedOn(text string) bool {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && key == "ENABLED" {
			return strings.EqualFold(strings.Trim(value, `"' `), "yes")
		}
	}
	return false
}

// checkSysctl finds a line that wins over fairlead's file at boot, and says something else: files are read in the order of
// their names, whatever their folders (sysctl.d(5)).
func checkSysctl(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	ipv6 := p.Cluster.Kubernetes.PodSubnet.IPv6()
	ours := templates.SysctlFile(ipv6).Path
	for _, wanted := range templates.Sysctls(ipv6) {
		var last facts.SysctlLine
		for _, line := range f.SysctlLines {
			if line.Key == wanted.Key && path.Base(line.Path) > path.Base(ours) {
				last = line
			}
		}
		if last.Path != "" && last.Value != wanted.Value {
			return fmt.Sprintf("%s:%d sets %s to %s at boot, after %s has set it to %s", last.Path, last.Line, last.Key, last.Value, ours, wanted.Value),
				"take that line out, or have it say " + wanted.Value
		}
	}
	return "", ""
}
