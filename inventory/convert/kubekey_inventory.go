package convert

import (
	"cmp"
	"slices"

	"fairlead/inventory"
)

// readKubeKeyInventory reads an Inventory of KubeKey 4: hosts by their names, and groups of hosts and of groups.
func (r *reading) readKubeKeyInventory(top tree) {
	d, spec := r.draft, top.in("spec")
	d.Name = top.in("metadata").get("name")
	d.AddNote(0, "", "versions and networks stand in KubeKey's Config, a file beside this one, which was not read")
	names, hosts := spec.in("hosts").entries()
	groups := spec.in("groups")
	groups.in("k8s_cluster").values("groups") // what is in it is in the other two as well
	control, workers := r.kubekeyGroup(groups, "kube_control_plane", nil), r.kubekeyGroup(groups, "kube_worker", nil)
	etcd := r.kubekeyGroup(groups, "etcd", nil)
	for _, name := range append(slices.Clone(control), workers...) {
		if slices.Contains(names, name.Value) {
			continue
		}
		names, hosts = append(names, name.Value), append(hosts, tree{r: r, line: name.Line})
	}
	for i, name := range names {
		h := r.kubekeyInventoryHost(name, hosts[i])
		switch isWorker := contains(workers, name); {
		case hosts[i].node == nil && name != "localhost":
			d.AddNote(h.Line, name, "left out: a group names it, and spec.hosts has no host of this name")
			continue
		case contains(control, name):
			h.Role, h.Pods = inventory.RoleControlPlane, isWorker
		case isWorker, len(r.options.ControlPlane) > 0:
			h.Role = inventory.RoleWorker
			if isWorker && contains(etcd, name) {
				d.AddNote(h.Line, name, "etcd runs on control-plane hosts here; this one is a worker alone")
			}
		default:
			d.AddNote(h.Line, name, "left out: spec.groups make it neither control plane nor worker")
			continue
		}
		d.Hosts = append(d.Hosts, h)
	}
	r.someControlPlane(spec.in("hosts"), len(names))
}

// kubekeyGroup are the hosts of a group, those of the groups in it first, as KubeKey has them.
func (r *reading) kubekeyGroup(groups tree, name string, within []string) []Setting {
	if slices.Contains(within, name) {
		return nil
	}
	group := groups.in(name)
	var all []Setting
	for _, below := range group.values("groups") {
		all = append(all, r.kubekeyGroup(groups, below.Value, append(slices.Clone(within), name))...)
	}
	return append(all, group.values("hosts")...)
}

func contains(names []Setting, name string) bool {
	return slices.ContainsFunc(names, func(s Setting) bool { return s.Value == name })
}

// kubekeyInventoryHost reads a host. Where no connector says otherwise, localhost is the machine that KubeKey runs on.
func (r *reading) kubekeyInventoryHost(name string, t tree) Host {
	h := Host{Line: t.line, From: name}
	connector := t.in("connector")
	kind := connector.get("type")
	w := ways{
		public: connector.get("host"), private: t.get("internal_ipv4"), second: t.get("internal_ipv6"),
		user: orRoot(connector.get("user"), true), port: connector.get("port"), key: connector.get("private_key"),
	}
	if w.public.Value == "" && w.private.Value == "" {
		w.public = Setting{Value: name, Line: t.line, Key: "the host's name"}
	}
	if w.private.Value == "" {
		w.private, w.second = w.second, Setting{}
	}
	r.reach(&h, w)
	h.Labels, h.Taints = t.in("labels").labels(), t.taints("taints")
	switch way := cmp.Or(kind.Value, map[bool]string{true: "local", false: "ssh"}[name == "localhost"]); way {
	case "ssh":
	case "local":
		h.SSH = inventory.SSH{Transport: inventory.TransportLocal}
	default:
		r.draft.AddNote(kind.Line, kind.Key, clip(way)+" is no way to a host here; SSH is taken")
	}
	return h
}
