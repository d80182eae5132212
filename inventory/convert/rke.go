package convert

import (
	"slices"
	"strings"

	"fairlead/inventory"
)

// rkeWhys are reasons by the keys of cluster.yml (rke.docs.rancher.com).
func rkeWhys() map[string]string {
	return map[string]string{
		"network":                   "fairlead brings flannel, or none (addons.network)",
		"network.plugin":            "fairlead brings flannel, or none (addons.network)",
		"private_registries":        "registries stand in images.registries here; passwords are never copied",
		"ssh_agent_auth":            "fairlead uses the agent of $SSH_AUTH_SOCK where there is one",
		"authentication":            "certSANs stand in kubernetes.config.ClusterConfiguration.apiServer",
		"addons":                    "manifests of yours stand in addons.manifests",
		"addons_include":            "manifests of yours stand in addons.manifests",
		"ingress":                   "stands in addons.ingress here, with another controller",
		"cloud_provider":            "fairlead knows no cloud providers",
		"bastion_host.ssh_key_path": "hosts to go through have no key of their own here; ~/.ssh/config can name one",
		"nodes[].docker_socket":     "fairlead reaches no Docker from outside",
		"nodes[].ssh_key":           "a secret, not copied; put it into a file that identityFile names",
		"nodes[].ssh_cert":          "fairlead uses the certificate beside the key (KEY-cert.pub)",
		"nodes[].ssh_cert_path":     "fairlead uses the certificate beside the key (KEY-cert.pub)",
		"nodes[].ssh_agent_auth":    "fairlead uses the agent of $SSH_AUTH_SOCK where there is one",
		"ignore_docker_version":     "fairlead brings its runtime",
		"enable_cri_dockerd":        "runtime.name: docker brings cri-dockerd",
	}
}

// readRKE reads cluster.yml. RKE's clusters are not kubeadm's, so only the hosts can be taken.
func readRKE(r *reading, top tree) {
	d := r.draft
	d.AddNote(0, "", "the hosts are taken, and no data of an RKE cluster that may run there: fairlead builds a new cluster with kubeadm")
	d.Name = top.get("cluster_name")
	d.Version = version(top.get("kubernetes_version"))
	services := top.in("services")
	d.PodSubnet = services.in("kube-controller").get("cluster_cidr")
	d.ServiceSubnet = services.in("kube-api").get("service_cluster_ip_range")
	if again := services.in("kube-controller").get("service_cluster_ip_range"); again.Value != "" && d.ServiceSubnet.Value == "" {
		d.ServiceSubnet = again
	}
	bastion := top.in("bastion_host")
	jump := r.hop(bastion.get("address"), bastion.get("user"), bastion.get("port"))
	key := top.get("ssh_key_path")
	nodes := top.items("nodes")
	for _, item := range nodes {
		if h, ok := r.rkeNode(item, key); ok {
			h.SSH.Jump = jump
			d.Hosts = append(d.Hosts, h)
		}
	}
	r.someControlPlane(top.in("nodes"), len(nodes))
}

func (r *reading) rkeNode(t tree, key Setting) (Host, bool) {
	h := Host{Line: t.line}
	h.Role = inventory.RoleWorker
	var roles []string
	for _, role := range t.values("role") {
		roles = append(roles, role.Value)
	}
	w := ways{public: t.get("address"), private: t.get("internal_address"), user: t.get("user"), port: t.get("port"), key: t.get("ssh_key_path")}
	if w.key.Value == "" {
		w.key = key
	}
	r.reach(&h, w)
	h.From = t.get("hostname_override").Value
	h.Labels = t.in("labels").labels()
	h.Taints = t.taints("taints")
	switch {
	case slices.Contains(roles, "controlplane"):
		h.Role = inventory.RoleControlPlane
		h.Pods = slices.Contains(roles, "worker")
		if !slices.Contains(roles, "etcd") {
			r.draft.AddNote(t.line, t.path+".role", "etcd runs on all control-plane hosts here, on this one, too")
		}
	case slices.Contains(roles, "worker"):
		if slices.Contains(roles, "etcd") {
			r.draft.AddNote(t.line, t.path+".role", "etcd runs on control-plane hosts here; this one is a worker alone")
		}
	default:
		r.draft.AddNote(t.line, h.Called(), "left out, as its role is "+clip(strings.Join(roles, ", "))+": etcd runs on control-plane hosts here")
		return h, false
	}
	return h, true
}
