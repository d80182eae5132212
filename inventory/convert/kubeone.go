package convert

import (
	"strings"

	"fairlead/inventory"
)

// kubeoneWhys are reasons by the keys of kubeone.yaml (API reference of kubeone.k8c.io, docs.kubermatic.com/kubeone).
func kubeoneWhys() map[string]string {
	const host = "[]."
	whys := map[string]string{
		"cloudProvider":                    "fairlead knows no cloud providers",
		"dynamicWorkers":                   "fairlead makes no machines",
		"machineController":                "fairlead makes no machines",
		"operatingSystemManager":           "fairlead makes no machines",
		"clusterNetwork.cni":               "fairlead brings flannel, or none (addons.network)",
		"clusterNetwork.podSubnetIPv6":     "a second subnet stands in kubernetes.podSubnet, after a comma",
		"clusterNetwork.serviceSubnetIPv6": "a second subnet stands in kubernetes.serviceSubnet, after a comma",
		"containerRuntime":                 "registries stand in runtime and images.registries; secrets are never copied",
		"registryConfiguration":            "images from a registry of your own are images.rewrite here",
		"proxy":                            "stands in proxy here; not copied, as it may hold a password",
		"apiEndpoint.alternativeNames":     "names of the API server's certificate stand in kubernetes.config.ClusterConfiguration.apiServer.certSANs",
		"addons":                           "manifests of yours stand in addons.manifests",
		"helmReleases":                     "fairlead has no charts; addons.manifests takes what helm template prints",
		"features":                         "settings of kubeadm stand in kubernetes.config",
	}
	for _, list := range []string{"controlPlane.hosts", "staticWorkers.hosts"} {
		whys[list+host+"sshAgentSocket"] = "fairlead uses the agent of $SSH_AUTH_SOCK"
		whys[list+host+"bastionHostPublicKey"] = "the key of a host to go through stands in known_hosts"
		whys[list+host+"isLeader"] = "the first control-plane host is where the cluster begins"
		whys[list+host+"kubelet"] = "settings of all kubelets stand in kubernetes.config.KubeletConfiguration"
		whys[list+host+"operatingSystem"] = "fairlead looks for itself"
		whys[list+host+"sshCertFile"] = "fairlead uses the certificate beside the key (KEY-cert.pub)"
	}
	return whys
}

// readKubeOne reads kubeone.yaml.
func readKubeOne(r *reading, top tree) {
	top.get("apiVersion")
	top.get("kind")
	d := r.draft
	d.Name = top.get("name")
	d.Version = version(top.in("versions").get("kubernetes"))
	d.PodSubnet = top.in("clusterNetwork").get("podSubnet")
	d.ServiceSubnet = top.in("clusterNetwork").get("serviceSubnet")
	family := top.in("clusterNetwork").get("ipFamily")
	if strings.Contains(family.Value, "+") {
		d.PodSubnet = both(d.PodSubnet, top.in("clusterNetwork").get("podSubnetIPv6"))
		d.ServiceSubnet = both(d.ServiceSubnet, top.in("clusterNetwork").get("serviceSubnetIPv6"))
	}
	if strings.HasPrefix(family.Value, "IPv6") {
		d.AddNote(family.Line, family.Key, "the first address of a host and the first subnets are those of IPv4 here: turn them round for "+clip(family.Value))
	}
	api := top.in("apiEndpoint")
	d.Endpoint = endpoint(api.get("host"), api.get("port"))
	controls := top.in("controlPlane").items("hosts")
	for _, item := range controls {
		h := r.kubeoneHost(item, inventory.RoleControlPlane)
		taints := item.in("taints")
		h.Pods = taints.node != nil && len(taints.node.Content) == 0 // the default is kubeadm's taint
		d.Hosts = append(d.Hosts, h)
	}
	for _, item := range top.in("staticWorkers").items("hosts") {
		d.Hosts = append(d.Hosts, r.kubeoneHost(item, inventory.RoleWorker))
	}
	if len(controls) == 0 {
		r.fault(1, "controlPlane.hosts: names no hosts; those that terraform makes are in its output: terraform output -json >tf.json, then import that")
	}
}

func (r *reading) kubeoneHost(t tree, role inventory.Role) Host {
	h := Host{Line: t.line}
	h.Role = role
	w := ways{
		public: t.get("publicAddress"), private: t.get("privateAddress"),
		user: orRoot(t.get("sshUsername"), true), port: t.get("sshPort"), key: t.get("sshPrivateKeyFile"),
	}
	if six := t.items("ipv6Addresses"); len(six) > 0 {
		w.second = six[0].value()
	}
	r.reach(&h, w)
	h.SSH.HostKey = hostKey(t.get("sshHostPublicKey"))
	h.From = t.get("hostname").Value
	bastion := t.get("bastion")
	h.SSH.Jump = r.hop(bastion, orRoot(t.get("bastionUser"), bastion.Value != ""), t.get("bastionPort"))
	if len(h.SSH.Jump) > 0 && h.Address.IsValid() {
		h.SSH.Address = "" // KubeOne goes to the private address behind a bastion
	}
	h.Labels = t.in("labels").labels()
	h.Taints = t.taints("taints")
	return h
}
