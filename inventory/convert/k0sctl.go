package convert

import (
	"fairlead/inventory"
)

// k0sctlWhys are reasons by the keys of k0sctl.yaml (https://docs.k0sproject.io/stable/k0sctl-install/ and k0sctl's README).
func k0sctlWhys() map[string]string {
	return map[string]string{
		"spec.k0s":                              "settings of k0s; fairlead builds with kubeadm",
		"spec.k0s.config":                       "settings of k0s; fairlead builds with kubeadm",
		"spec.k0s.config.spec":                  "settings of k0s; fairlead builds with kubeadm",
		"spec.options":                          "how k0sctl goes about its work",
		"spec.k0s.config.spec.api.sans":         "names of the API server's certificate stand in kubernetes.config.ClusterConfiguration.apiServer.certSANs",
		"spec.hosts[].installFlags":             "flags of k0s; labels and taints have keys of the host here",
		"spec.hosts[].hooks":                    "commands that k0sctl runs; fairlead runs none of the user's",
		"spec.hosts[].files":                    "files that k0sctl uploads; fairlead uploads none of the user's",
		"spec.hosts[].hostname":                 "fairlead does not change what a host calls itself",
		"spec.hosts[].privateInterface":         "fairlead goes by the address",
		"spec.hosts[].ssh.bastion.keyPath":      "hosts to go through have no key of their own here; ~/.ssh/config can name one",
		"spec.hosts[].winRM":                    "fairlead goes to Linux hosts by SSH",
		"spec.hosts[].openSSH.configPath":       "fairlead asks ssh for what ~/.ssh/config says",
		"spec.hosts[].openSSH.options":          "fairlead asks ssh for what ~/.ssh/config says; put them there",
		"spec.hosts[].uploadBinary":             "the binary is k0s's",
		"spec.hosts[].environment":              "proxy: is what fairlead sets of the environment",
		"spec.hosts[].os":                       "fairlead looks for itself",
		"spec.k0s.config.spec.network.provider": "fairlead brings flannel, or none (addons.network)",
	}
}

// readK0sctl reads k0sctl.yaml. A k0s cluster is not kubeadm's, so only its hosts can be taken.
func readK0sctl(r *reading, top tree) {
	top.get("apiVersion")
	top.get("kind")
	d := r.draft
	d.AddNote(0, "", "the hosts are taken, and no data of a k0s cluster that may run there: fairlead builds a new cluster with kubeadm")
	d.Name = top.in("metadata").get("name")
	k0s := top.in("spec", "k0s")
	d.Version = version(k0s.get("version"))
	k0s.in("config").get("apiVersion")
	k0s.in("config").get("kind")
	config := k0s.in("config", "spec")
	d.PodSubnet = config.in("network").get("podCIDR")
	d.ServiceSubnet = config.in("network").get("serviceCIDR")
	d.Endpoint = endpoint(config.in("api").get("externalAddress"), config.in("api").get("port"))
	hosts := top.in("spec").items("hosts")
	for _, item := range hosts {
		r.k0sctlHost(item)
	}
	r.someControlPlane(top.in("spec", "hosts"), len(hosts))
}

func (r *reading) k0sctlHost(t tree) {
	h := Host{Line: t.line}
	role := t.get("role")
	h.Role = inventory.RoleControlPlane
	switch role.Value {
	case "controller":
	case "controller+worker", "single":
		h.Pods = true
	case "worker":
		h.Role = inventory.RoleWorker
	default:
		r.fault(max(role.Line, t.line), "%s.role: must be controller, controller+worker, single or worker, got %q", t.path, clip(role.Value))
	}
	way := t.in("ssh")
	if way.node == nil {
		way = t.in("openSSH")
	}
	w := ways{private: t.get("privateAddress"), public: way.get("address"), user: way.get("user"), port: way.get("port"), key: way.get("keyPath")}
	if t.in("ssh").node != nil && w.user.Value == "" {
		w.user.Value = "root" // k0sctl's default; that of openSSH is ssh's
	}
	r.reach(&h, w)
	h.SSH.HostKey = way.get("hostKey").Value
	bastion := way.in("bastion")
	h.SSH.Jump = r.hop(bastion.get("address"), orRoot(bastion.get("user"), bastion.node != nil), bastion.get("port"))
	if t.in("localhost").get("enabled").Value == "true" {
		h.SSH = inventory.SSH{Transport: inventory.TransportLocal}
	} else if way.node == nil {
		r.fault(t.line, "%s: has neither ssh, openSSH nor localhost", t.path)
	}
	r.draft.Hosts = append(r.draft.Hosts, h)
}

// orRoot is the user that tools take where none is given.
func orRoot(user Setting, needed bool) Setting {
	if user.Value == "" && needed {
		user.Value = "root"
	}
	return user
}

// someControlPlane faults a file without a host to be the control plane, unless the user names one.
func (r *reading) someControlPlane(hosts tree, count int) {
	switch {
	case count == 0:
		r.fault(hosts.line, "%s: names no hosts", hosts.path)
	case len(r.options.ControlPlane) > 0:
	default:
		for _, h := range r.draft.Hosts {
			if h.Role == inventory.RoleControlPlane {
				return
			}
		}
		r.fault(hosts.line, "%s: no host is a control plane; name some with --control-planes", hosts.path)
	}
}
