package convert

import (
	"maps"
	"slices"
	"strings"

	"fairlead/inventory"

	"gopkg.in/yaml.v3"
)

// pickVar takes the first of some variables that is given, and marks all as used.
func pickVar(vars map[string]variable, used map[string]bool, names ...string) variable {
	var found variable
	for _, name := range names {
		used[name] = true
		if v, given := vars[name]; given && found.key == "" {
			found = v
		}
	}
	return found
}

// setting is a variable as one value; one that is a template, a vault or a collection is noted and not given.
func (r *reading) setting(v variable) Setting {
	switch {
	case v.key == "":
		return Setting{}
	case v.vault:
		r.draft.AddNote(v.line, v.key, "a secret (vault), not copied")
	case v.node != nil:
		r.draft.AddNote(v.line, v.key, "is not one value, and left out")
	case isTemplate(v.value):
		r.draft.AddNote(v.line, v.key, "is a template, which only Ansible can fill in: try `ansible-inventory -i FILE --list --yaml | fairlead import -`")
	default:
		return Setting{Value: v.value, Key: v.key, Line: v.line}
	}
	return Setting{}
}

// ansibleHost reads a host's variables.
func (r *reading) ansibleHost(a *ansibleHost, vars map[string]variable, used map[string]bool) Host {
	h := Host{Line: a.line, From: a.name}
	get := func(names ...string) Setting { return r.setting(pickVar(vars, used, names...)) }
	w := ways{
		public: get("ansible_host", "ansible_ssh_host"), user: get("ansible_user", "ansible_ssh_user"), port: get("ansible_port", "ansible_ssh_port"),
		key: get("ansible_ssh_private_key_file", "ansible_private_key_file"), private: get("ip"), second: get("ip6"),
	}
	if other := get("access_ip"); w.private.Value == "" {
		w.private = other
	} else if other.Value != "" && other.Value != w.private.Value {
		r.draft.AddNote(other.Line, other.Key, r.why(other.Key))
	}
	if w.public.Value == "" {
		w.public = Setting{Value: a.name, Line: a.line, Key: "the host's name"}
	}
	r.reach(&h, w)
	if given := vars["ansible_host"].key + vars["ansible_ssh_host"].key; h.SSH.Address == a.name && h.Address.IsValid() && given != "" {
		h.SSH.Address = "" // what is given cannot be read; Ansible would not go by the name
	}
	for _, name := range []string{"ansible_ssh_common_args", "ansible_ssh_extra_args"} {
		if s := get(name); s.Value != "" {
			r.sshArguments(&h, variable{key: s.Key, value: s.Value, line: s.Line})
		}
	}
	if s := get("ansible_connection"); s.Value != "" {
		r.connection(&h, variable{key: s.Key, value: s.Value, line: s.Line})
	}
	h.Labels, h.Taints = r.nodeLabels(pickVar(vars, used, "node_labels")), r.nodeTaints(pickVar(vars, used, "node_taints"))
	return h
}

// parsed is a variable that is a collection: in INI files that is a text of Python's, which YAML reads, too.
func (v variable) parsed() *yaml.Node {
	if v.node != nil || v.value == "" || v.vault || isTemplate(v.value) {
		return v.node
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(v.value), &doc) != nil || len(doc.Content) != 1 {
		return nil
	}
	return doc.Content[0]
}

func (r *reading) nodeLabels(v variable) map[string]string {
	if v.key == "" {
		return nil
	}
	var labels map[string]string
	if node := v.parsed(); node == nil || node.Decode(&labels) != nil {
		r.draft.AddNote(v.line, v.key, "is no mapping of labels, and left out")
		return nil
	}
	return labels
}

func (r *reading) nodeTaints(v variable) []inventory.Taint {
	if v.key == "" {
		return nil
	}
	var texts []string
	if node := v.parsed(); node == nil || node.Decode(&texts) != nil {
		r.draft.AddNote(v.line, v.key, "is no list of taints, and left out")
		return nil
	}
	var taints []inventory.Taint
	for _, text := range texts {
		head, effect, _ := strings.Cut(text, ":")
		key, value, _ := strings.Cut(head, "=")
		if t := (inventory.Taint{Key: key, Value: value, Effect: effect}); !ofControlPlane(t) {
			taints = append(taints, t)
		}
	}
	return taints
}

// ansibleCluster reads what kubespray and k3s-ansible say of the cluster, as the first control-plane host has it.
func (r *reading) ansibleCluster(vars map[string]variable, used map[string]bool) {
	get := func(names ...string) Setting { return r.setting(pickVar(vars, used, names...)) }
	d := r.draft
	d.Version = version(get("kube_version", "kubernetes_version", "k3s_version"))
	d.PodSubnet = get("kube_pods_subnet")
	d.ServiceSubnet = get("kube_service_addresses")
	balancer := pickVar(vars, used, "loadbalancer_apiserver")
	if balancer.key == "" {
		return
	}
	var at struct {
		Address string
		Port    string
	}
	if node := balancer.parsed(); node == nil || node.Decode(&at) != nil || at.Address == "" || isTemplate(at.Address+at.Port) {
		r.draft.AddNote(balancer.line, balancer.key, "has no address and port that are plain values, and is left out")
		return
	}
	d.Endpoint = endpoint(Setting{Value: at.Address, Key: balancer.key, Line: balancer.line}, Setting{Value: at.Port})
}

// notes has the variables that mean nothing here, and the folders that were not looked into.
func (a *ansible) notes(r *reading, used map[string]bool) {
	add := func(vars []variable) {
		for _, v := range vars {
			switch {
			case used[v.key]:
			case v.vault:
				r.draft.AddNote(v.line, v.key, "a secret (vault), not copied")
			default:
				r.draft.AddNote(v.line, clip(v.key), r.why(v.key))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		add(a.groups[name].vars)
	}
	for _, name := range a.order {
		add(a.hosts[name].vars)
	}
	if !a.whole {
		r.draft.AddNote(0, "", "variables in group_vars and host_vars were not read; with them: ansible-inventory -i FILE --list --yaml | fairlead import -")
	}
}
