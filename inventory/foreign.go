package inventory

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// foreign says which other tool's file this is, if it is one that is known. Its keys mean nothing here: to report each of them
// would say less than the tool's name. A file that says that it is fairlead's is never one; top is nil and problem not where the
// file is no YAML.
func foreign(data []byte, top *yaml.Node, problem *Problem) *Problem {
	if top == nil || top.Kind != yaml.MappingNode {
		if list := foreignList(top); list != nil {
			return list
		}
		return foreignText(data, problem)
	}
	key, version := lookup(top, "apiVersion")
	if version != nil && (version.Kind != yaml.ScalarNode || strings.HasPrefix(version.Value, "fairlead/")) {
		return nil
	}
	if version != nil {
		return foreignVersion(top, key, version.Value)
	}
	for _, shape := range foreignShapes() {
		if at := shape.fits(top); at != nil {
			return isOther(at.Line, shape.what)
		}
	}
	return nil
}

// isOther is the problem of a file of another tool.
func isOther(line int, what string) *Problem {
	return &Problem{Line: line, Message: "this is " + what + ", not a cluster file of fairlead; write one with: fairlead init USER@HOST..."}
}

// foreignGroups are API groups of files that tell of clusters.
func foreignGroups() map[string]string {
	return map[string]string{
		"k0sctl.k0sproject.io": "a k0sctl file", "kubeone.k8c.io": "a KubeOne file", "kubeone.io": "a KubeOne file",
		"kubekey.kubesphere.io": "a KubeKey file", "kubeadm.k8s.io": "a configuration of kubeadm", "kubelet.config.k8s.io": "a configuration of the kubelet",
		"kubeproxy.config.k8s.io": "a configuration of kube-proxy", "kind.x-k8s.io": "a kind file", "k3d.io": "a k3d file", "eksctl.io": "an eksctl file",
		"kops.k8s.io": "a kops file", "apps.sealos.io": "a sealos file", "cluster.x-k8s.io": "an object of Cluster API", "rke.cattle.io": "an object of Rancher",
		"minikube.sigs.k8s.io": "a minikube file",
	}
}

// foreignVersion goes by the apiVersion. What has none of the groups above is an object of Kubernetes, if it has a kind and
// metadata; else it is a cluster file with a mistake.
func foreignVersion(top, key *yaml.Node, version string) *Problem {
	group, _, _ := strings.Cut(version, "/")
	if what := foreignGroups()[group]; what != "" {
		return isOther(key.Line, what)
	}
	_, kind := lookup(top, "kind")
	_, metadata := lookup(top, "metadata")
	switch {
	case kind == nil || kind.Kind != yaml.ScalarNode:
		return nil
	case version == "v1" && kind.Value == "Config":
		return isOther(key.Line, "a kubeconfig")
	case metadata != nil:
		return isOther(key.Line, "an object of Kubernetes ("+clip(kind.Value)+" of "+clip(version)+")")
	}
	return nil
}

// foreignShape knows a file by its keys.
type foreignShape struct {
	what string
	fits func(top *yaml.Node) *yaml.Node // where it is seen, or nil
}

func foreignShapes() []foreignShape {
	return []foreignShape{
		{"an RKE file (cluster.yml)", func(top *yaml.Node) *yaml.Node { return listWith(top, "nodes", "address") }},
		{"a configuration of Talos", func(top *yaml.Node) *yaml.Node { return hasAll(top, "machine", "cluster") }},
		{"an Ansible inventory", ansibleGroups},
		{"a Compose file", func(top *yaml.Node) *yaml.Node { return mappingWith(top, "services", "image") }},
		{"a cloud-init file", func(top *yaml.Node) *yaml.Node { return hasAll(top, "runcmd") }},
	}
}

// hasAll gives the first of some keys where all are there.
func hasAll(mapping *yaml.Node, names ...string) *yaml.Node {
	for _, name := range names {
		if key, _ := lookup(mapping, name); key == nil {
			return nil
		}
	}
	key, _ := lookup(mapping, names[0])
	return key
}

// listWith gives a key whose value is a list of mappings of which the first has a certain key.
func listWith(top *yaml.Node, name, inside string) *yaml.Node {
	key, list := lookup(top, name)
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 || hasAll(target(list.Content[0]), inside) == nil {
		return nil
	}
	return key
}

// mappingWith gives a key whose value is a mapping to mappings of which the first has a certain key.
func mappingWith(top *yaml.Node, name, inside string) *yaml.Node {
	key, value := lookup(top, name)
	if value == nil || value.Kind != yaml.MappingNode || len(value.Content) < 2 || hasAll(target(value.Content[1]), inside) == nil {
		return nil
	}
	return key
}

// ansibleGroups gives the first of groups: mappings with hosts or children that are mappings. Ours are lists.
func ansibleGroups(top *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(top.Content); i += 2 {
		for _, name := range []string{"hosts", "children"} {
			if _, members := lookup(target(top.Content[i+1]), name); members != nil && members.Kind == yaml.MappingNode {
				return top.Content[i]
			}
		}
	}
	return nil
}

// foreignList goes by the keys of a list's first item.
func foreignList(top *yaml.Node) *Problem {
	if top == nil || top.Kind != yaml.SequenceNode || len(top.Content) == 0 || target(top.Content[0]).Kind != yaml.MappingNode {
		return nil
	}
	switch first := target(top.Content[0]); {
	case hasAll(first, "hostname", "ip") != nil:
		return isOther(first.Line, "a list of hosts for k3sup plan")
	case hasAll(first, "hosts", "tasks") != nil, hasAll(first, "hosts", "roles") != nil, hasAll(first, "import_playbook") != nil:
		return isOther(first.Line, "an Ansible playbook")
	}
	return nil
}

// foreignLine knows a file that is no YAML by one of its lines.
type foreignLine struct{ what, pattern string }

func foreignLines() []foreignLine {
	return []foreignLine{
		{"a Vagrantfile", `^\s*Vagrant\.configure\b`},
		{"a Terraform file", `^\s*(resource|module|provider|data|terraform|variable)(\s+"[^"]*")*\s*\{`},
		{"an Ansible inventory", `^\[[A-Za-z0-9_.-]+(:(children|vars))?\]\s*([#;].*)?$`},
		{"an Ansible inventory", `^\S+\s+(.*\s)?ansible_[a-z_]+\s*=`},
		{"a configuration of ssh", `^\s*Host(Name)?\s+\S`},
		{"a private key", `^-----BEGIN [A-Z ]*PRIVATE KEY-----`},
	}
}

// foreignText goes by the lines of a file that is no YAML mapping.
func foreignText(data []byte, problem *Problem) *Problem {
	if problem == nil || bytes.Contains(data, []byte("apiVersion: "+APIVersion)) {
		return nil
	}
	lines := strings.Split(string(data), "\n")
	for _, known := range foreignLines() {
		pattern := regexp.MustCompile(known.pattern)
		if i := slices.IndexFunc(lines, func(line string) bool { return pattern.MatchString(strings.TrimRight(line, "\r")) }); i >= 0 {
			return isOther(i+1, known.what)
		}
	}
	return nil
}
