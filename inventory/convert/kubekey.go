package convert

import (
	"strings"

	"fairlead/inventory"
)

// kubekeyWhys are reasons by the keys of KubeKey's configuration (kubekey's docs/config-example.md).
func kubekeyWhys() map[string]string {
	return map[string]string{ //nolint:gosec // names of keys that hold secrets, and no secrets
		"spec.hosts[].password":                          "a secret, not copied; fairlead logs in with keys",
		"spec.hosts[].privateKey":                        "a secret, not copied; put it into a file that identityFile names",
		"spec.hosts[].arch":                              "fairlead looks for itself",
		"spec.network.plugin":                            "fairlead brings flannel, or none (addons.network)",
		"spec.registry":                                  "registries stand in runtime and images.registries; secrets are never copied",
		"spec.addons":                                    "manifests of yours stand in addons.manifests",
		"spec.kubernetes.clusterName":                    "KubeKey's name is the DNS domain; that is kubernetes.config.ClusterConfiguration.networking.dnsDomain here",
		"spec.kubernetes.containerManager":               "runtime.name says that here",
		"spec.controlPlaneEndpoint.internalLoadbalancer": "fairlead brings no load balancer",
	}
}

// readKubeKey reads a configuration of KubeKey.
func readKubeKey(r *reading, top tree) {
	top.get("apiVersion")
	if top.get("kind").Value == "Inventory" {
		r.readKubeKeyInventory(top)
		return
	}
	d, spec := r.draft, top.in("spec")
	d.Name = top.in("metadata").get("name")
	d.Version = version(spec.in("kubernetes").get("version"))
	d.PodSubnet = spec.in("network").get("kubePodsCIDR")
	d.ServiceSubnet = spec.in("network").get("kubeServiceCIDR")
	r.kubekeyEndpoint(spec.in("controlPlaneEndpoint"))
	members := r.kubekeyRoles(spec.in("roleGroups"))
	hosts := spec.items("hosts")
	for _, item := range hosts {
		r.kubekeyHost(item, members)
	}
	r.someControlPlane(spec.in("hosts"), len(hosts))
}

// kubekeyRoles reads which hosts have which role: names of hosts with the lines that say it.
func (r *reading) kubekeyRoles(t tree) map[string]map[string]int {
	members := map[string]map[string]int{}
	for _, group := range []struct{ role, key string }{
		{"control-plane", "control-plane"}, {"control-plane", "master"}, {"worker", "worker"}, {"etcd", "etcd"},
	} {
		if members[group.role] == nil {
			members[group.role] = map[string]int{}
		}
		for _, name := range t.values(group.key) {
			all, err := expand(name.Value)
			if err != nil {
				r.fault(name.Line, "%s: %v", name.Key, err)
			}
			for _, host := range all {
				members[group.role][host] = name.Line
			}
		}
	}
	return members
}

// kubekeyEndpoint reads where the API servers are reached: the address of a load balancer, else its name.
func (r *reading) kubekeyEndpoint(t tree) {
	domain, address, port := t.get("domain"), t.get("address"), t.get("port")
	if address.Value == "" {
		if domain.Value != "" {
			r.draft.AddNote(domain.Line, domain.Key, "left out: KubeKey writes this name into /etc/hosts of each host, fairlead does not")
		}
		return
	}
	if domain.Value != "" {
		r.draft.AddNote(domain.Line, domain.Key, "left out: the address beside it is the endpoint")
	}
	r.draft.Endpoint = endpoint(address, port)
}

func (r *reading) kubekeyHost(t tree, members map[string]map[string]int) {
	h := Host{Line: t.line}
	name := t.get("name")
	h.From = name.Value
	internal := t.get("internalAddress")
	second := internal
	internal.Value, second.Value, _ = strings.Cut(strings.ReplaceAll(internal.Value, " ", ""), ",")
	r.reach(&h, ways{public: t.get("address"), private: internal, second: second, user: orRoot(t.get("user"), true), port: t.get("port"), key: t.get("privateKeyPath")})
	h.Labels = t.in("labels").labels()
	_, isControl := members["control-plane"][h.From]
	_, isWorker := members["worker"][h.From]
	line, isEtcd := members["etcd"][h.From]
	switch {
	case isControl:
		h.Role = inventory.RoleControlPlane
		h.Pods = isWorker
	case isWorker:
		h.Role = inventory.RoleWorker
		if isEtcd {
			r.draft.AddNote(line, h.From, "etcd runs on control-plane hosts here; this one is a worker alone")
		}
	case len(r.options.ControlPlane) > 0:
		h.Role = inventory.RoleWorker
	default:
		r.draft.AddNote(t.line, h.From, "left out: spec.roleGroups make it neither control plane nor worker")
		return
	}
	r.draft.Hosts = append(r.draft.Hosts, h)
}
