package convert

import (
	"maps"
	"slices"
	"strings"

	"fairlead/inventory"
)

// ansibleWhys are reasons by the names of variables (docs.ansible.com, "Connecting to hosts"; kubespray's docs/ansible/vars.md).
func ansibleWhys() map[string]string {
	const notCopied = "a secret, not copied; "
	return map[string]string{
		"ansible_password":                    notCopied + "fairlead logs in with keys",
		"ansible_ssh_pass":                    notCopied + "fairlead logs in with keys",
		"ansible_become_password":             notCopied + "ssh.sudo is where fairlead gets it from",
		"ansible_become_pass":                 notCopied + "ssh.sudo is where fairlead gets it from",
		"ansible_sudo_pass":                   notCopied + "ssh.sudo is where fairlead gets it from",
		"ansible_become":                      "fairlead becomes root by sudo where the user is not root",
		"ansible_become_user":                 "fairlead becomes root",
		"ansible_become_method":               "fairlead becomes root by sudo",
		"ansible_python_interpreter":          "fairlead needs no Python on hosts",
		"etcd_member_name":                    "etcd's members are called by their nodes here",
		"kube_network_plugin":                 "fairlead brings flannel, or none (addons.network)",
		"container_manager":                   "runtime.name says that here",
		"cluster_name":                        "kubespray's is the DNS domain; that is kubernetes.config.ClusterConfiguration.networking.dnsDomain here",
		"access_ip":                           "other hosts reach this one by ip",
		"supplementary_addresses_in_ssl_keys": "names of the API server's certificate stand in kubernetes.config.ClusterConfiguration.apiServer.certSANs",
	}
}

// Groups by what their hosts are, names in lower case with _ for -.
func controlPlaneGroups() []string {
	return []string{
		"kube_control_plane", "kube_master", "kube_masters", "control_plane", "controlplane", "control_planes", "controlplanes", "controller", "controllers",
		"k8s_control_plane", "k8s_master", "k8s_masters", "kubernetes_master", "masters", "master", "server",
	}
}

func workerGroups() []string {
	return []string{
		"kube_node", "kube_nodes", "kube_worker", "kube_workers", "k8s_node", "k8s_nodes", "k8s_worker", "k8s_workers", "kubernetes_worker", "workers", "worker",
		"nodes", "node", "agents", "agent",
	}
}

// named are the names of groups that are among some.
func (a *ansible) named(among []string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		if slices.Contains(among, strings.ReplaceAll(strings.ToLower(name), "-", "_")) {
			all = append(all, name)
		}
	}
	return all
}

// hostSet are hosts in an order.
type hostSet struct {
	order []string
	has   map[string]bool
}

func (s *hostSet) add(names ...string) {
	for _, name := range names {
		if !s.has[name] {
			s.has[name] = true
			s.order = append(s.order, name)
		}
	}
}

// allOf are the hosts of groups, in the order in which these name them: the first of kubespray's is the one that begins.
func (a *ansible) allOf(groups []string) *hostSet {
	set := &hostSet{has: map[string]bool{}}
	for _, g := range groups {
		set.add(a.members(g)...)
	}
	return set
}

// mean makes a draft of the inventory: roles by the groups, the way to each host by its variables.
func (a *ansible) mean(r *reading) {
	r.whys = ansibleWhys()
	control, workers, ok := a.roles(r)
	if !ok {
		return
	}
	vars, used := a.variables(), map[string]bool{}
	bastion := a.bastion(r, vars, used)
	var first map[string]variable
	taken := &hostSet{has: map[string]bool{}}
	taken.add(control.order...)
	taken.add(workers.order...)
	outside, nodes := a.allOf([]string{"bastion"}), a.allOf(a.named([]string{"kube_node", "kube_nodes"}))
	for _, name := range a.order {
		if !taken.has[name] && !outside.has[name] {
			r.draft.AddNote(a.hosts[name].line, name, "left out: no group that is known here makes it a control plane or a worker")
		}
	}
	for _, name := range taken.order {
		h := a.hosts[name]
		host := r.ansibleHost(h, vars[name], used)
		host.Role = inventory.RoleWorker
		if control.has[name] {
			host.Role, host.Pods = inventory.RoleControlPlane, nodes.has[name]
		}
		if first == nil {
			first = vars[name]
		}
		if host.SSH.Jump == nil && host.SSH.Transport != inventory.TransportLocal {
			host.SSH.Jump = bastion
		}
		r.draft.Hosts = append(r.draft.Hosts, host)
	}
	r.ansibleCluster(first, used)
	a.notes(r, used)
}

// roles says which hosts are the control plane and which are workers.
func (a *ansible) roles(r *reading) (control, workers *hostSet, ok bool) {
	groups := a.named(controlPlaneGroups())
	if len(r.options.ControlPlane) > 0 {
		return a.chosen(r)
	}
	control, workers = a.allOf(groups), a.allOf(a.named(workerGroups()))
	if len(control.order) == 0 {
		r.fault(1, "no group makes a host a control plane: there are %s, and kube_control_plane, masters, server and the like are known; name hosts or groups with --control-planes",
			list(slices.Sorted(maps.Keys(a.groups))))
		return nil, nil, false
	}
	etcd := a.allOf(a.named([]string{"etcd"}))
	for _, name := range etcd.order {
		if !control.has[name] {
			r.draft.AddNote(a.hosts[name].line, name, "its etcd is left out: etcd runs on control-plane hosts here")
		}
	}
	if len(a.named([]string{"server", "agent"})) == 2 || a.groups["k3s_cluster"] != nil {
		r.draft.AddNote(0, "", "the hosts are taken, and no data of a k3s cluster that may run there: fairlead builds a new cluster with kubeadm")
	}
	return control, workers, true
}

// chosen are the roles where the user names hosts or groups. All others are workers, or those of the groups of workers.
func (a *ansible) chosen(r *reading) (control, workers *hostSet, ok bool) {
	control = &hostSet{has: map[string]bool{}}
	for _, name := range r.options.ControlPlane {
		members := a.members(name)
		if a.hosts[name] != nil {
			members = append(members, name)
		}
		if len(members) == 0 {
			r.fault(1, "--control-planes %s: neither a host nor a group with hosts is called so; the hosts are %s", name, list(a.order))
			return nil, nil, false
		}
		control.add(members...)
	}
	r.options.ControlPlane = control.order // from here on hosts
	workers = a.allOf(a.named(append(workerGroups(), controlPlaneGroups()...)))
	if len(workers.order) == 0 {
		workers.add(a.order...)
	}
	return control, workers, true
}

// bastion is kubespray's way to all hosts, the host of the group bastion.
func (a *ansible) bastion(r *reading, vars map[string]map[string]variable, used map[string]bool) []string {
	members := a.members("bastion")
	if len(members) == 0 {
		return nil
	}
	if len(members) > 1 {
		r.draft.AddNote(a.groups["bastion"].line, "bastion", "has several hosts, of which fairlead goes through the first")
	}
	h := r.ansibleHost(a.hosts[members[0]], vars[members[0]], used)
	address := h.SSH.Address
	if address == "" {
		address = h.Address.String()
	}
	hop := r.hop(Setting{Value: address, Line: h.Line}, Setting{Value: h.SSH.User, Line: h.Line}, Setting{})
	if h.SSH.Port != 0 && len(hop) == 1 {
		hop[0] += portSuffix(h.SSH.Port)
	}
	return hop
}
