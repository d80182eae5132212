package convert

import (
	"strconv"

	"fairlead/inventory"
)

// terraformWhys are reasons by the outputs that KubeOne's examples have (docs.kubermatic.com/kubeone, "Terraform integration").
func terraformWhys() map[string]string {
	whys := map[string]string{
		"kubeone_workers": "machines that KubeOne would make; fairlead makes none",
		"kubeone_hosts.value.control_plane.cloud_provider":   "fairlead knows no cloud providers",
		"kubeone_hosts.value.control_plane.leader_ip":        "the first control-plane host is where the cluster begins",
		"kubeone_api.value.apiserver_alternative_names":      "names of the API server's certificate stand in kubernetes.config.ClusterConfiguration.apiServer.certSANs",
		"kubeone_hosts.value.control_plane.ssh_agent_socket": "fairlead uses the agent of $SSH_AUTH_SOCK",
		"kubeone_hosts.value.control_plane.operating_system": "fairlead looks for itself",
		"kubeone_hosts.value.control_plane.network_id":       "fairlead knows no cloud providers",
		"kubeone_hosts.value.control_plane.bastion_host_key": "the key of a host to go through stands in known_hosts",
	}
	return whys
}

// readTerraform reads what `terraform output -json` prints, in the shape that KubeOne reads: each address is an item of a list, and
// users and ports are those of all hosts of a group.
func readTerraform(r *reading, top tree) {
	for _, name := range []string{"kubeone_hosts", "kubeone_api", "kubeone_static_workers"} {
		for _, key := range []string{"sensitive", "type"} { // what each output has
			if about := top.in(name, key); about.node != nil {
				r.seen[about.node] = true
			}
		}
	}
	d := r.draft
	control := top.in("kubeone_hosts", "value", "control_plane")
	d.Name = control.get("cluster_name")
	d.Endpoint = endpoint(top.in("kubeone_api", "value").get("endpoint"), Setting{})
	d.Schedulable = control.get("untaint").Value == "true"
	if r.terraformHosts(control, inventory.RoleControlPlane) == 0 {
		r.fault(control.line, "%s: has neither private_address nor public_address", control.path)
	}
	_, groups := top.in("kubeone_static_workers", "value").entries()
	for _, group := range groups {
		r.terraformHosts(group, inventory.RoleWorker)
	}
}

// terraformHosts adds the hosts of a group and says how many they are.
func (r *reading) terraformHosts(t tree, role inventory.Role) int {
	private, public, names := t.values("private_address"), t.values("public_address"), t.values("hostnames")
	second, keys := t.firsts("ipv6_addresses"), t.firsts("ssh_hosts_keys")
	user, port, key := orRoot(t.get("ssh_user"), true), t.get("ssh_port"), t.get("ssh_private_key_file")
	bastion := t.get("bastion")
	jump := r.hop(bastion, orRoot(t.get("bastion_user"), bastion.Value != ""), t.get("bastion_port"))
	count := max(len(private), len(public))
	if len(private) > 0 && len(public) > 0 && len(private) != len(public) {
		r.fault(t.line, "%s: has %d private addresses and %d public ones", t.path, len(private), len(public))
		return count
	}
	for i := range count {
		h := Host{Line: t.line}
		h.Role = role
		w := ways{user: user, port: port, key: key, second: nth(second, i)}
		if i < len(private) {
			w.private, h.Line = private[i], private[i].Line
		}
		if i < len(public) {
			w.public, h.Line = public[i], public[i].Line
		}
		if len(jump) > 0 && i < len(private) {
			w.public = Setting{} // KubeOne goes to the private address behind a bastion
		}
		r.reach(&h, w)
		h.SSH.Jump, h.Labels = jump, t.in("labels").labels()
		h.SSH.HostKey, h.From = hostKey(nth(keys, i)), nth(names, i).Value
		r.draft.Hosts = append(r.draft.Hosts, h)
	}
	if len(names) > count {
		r.draft.AddNote(t.line, t.path+".hostnames", strconv.Itoa(len(names)-count)+" of them have no address and are left out")
	}
	return count
}
