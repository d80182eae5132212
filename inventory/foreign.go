package inventory

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Format is a kind of file of other tools that can be made a cluster file of. What each is, package convert says.
type Format string

// The formats.
const (
	FormatAnsibleINI  Format = "ansible-ini"
	FormatAnsibleYAML Format = "ansible-yaml" // JSON, as ansible-inventory --list prints it, too
	FormatK0sctl      Format = "k0sctl"
	FormatKubeOne     Format = "kubeone"
	FormatKubeKey     Format = "kubekey"
	FormatRKE         Format = "rke"
	FormatTerraform   Format = "terraform" // outputs as JSON, of the shape that KubeOne reads
	FormatSSHConfig   Format = "ssh-config"
	FormatKubeconfig  Format = "kubeconfig"
)

// Foreign is a file of another tool.
type Foreign struct {
	What   string // in words, with an article: "a k0sctl file"
	Line   int    // where that is seen
	Format Format // "" when it cannot be made a cluster file of
}

// Recognise says by its content which other tool's file this is; nil when it is fairlead's or none that is known.
func Recognise(data []byte) *Foreign {
	top, problem := parseDocument(data)
	return foreign(data, top, problem)
}

// foreign says which other tool's file this is, if it is one that is known. Its keys mean nothing here: to report each of them
// would say less than the tool's name. A file that says that it is fairlead's is never one; top is nil and problem not where the
// file is no YAML.
func foreign(data []byte, top *yaml.Node, problem *Problem) *Foreign {
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
			return &Foreign{What: shape.what, Line: at.Line, Format: shape.format}
		}
	}
	return nil
}

// problem is that of a cluster file which is this file of another tool; name is what it is called.
func (f *Foreign) problem(name string) *Problem {
	mend := "write one with: fairlead init USER@HOST..."
	if f.Format != "" {
		if !regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./-]*$`).MatchString(name) {
			name = "FILE"
		}
		mend = "make one of it with: fairlead import " + name
	}
	return &Problem{Line: f.Line, Message: "this is " + f.What + ", not a cluster file of fairlead; " + mend}
}

// foreignGroups are API groups of files that tell of clusters.
func foreignGroups() map[string]Foreign {
	return map[string]Foreign{
		"k0sctl.k0sproject.io":    {What: "a k0sctl file", Format: FormatK0sctl},
		"kubeone.k8c.io":          {What: "a KubeOne file", Format: FormatKubeOne},
		"kubeone.io":              {What: "a KubeOne file", Format: FormatKubeOne},
		"kubekey.kubesphere.io":   {What: "a KubeKey file", Format: FormatKubeKey},
		"kubeadm.k8s.io":          {What: "a configuration of kubeadm"},
		"kubelet.config.k8s.io":   {What: "a configuration of the kubelet"},
		"kubeproxy.config.k8s.io": {What: "a configuration of kube-proxy"},
		"kind.x-k8s.io":           {What: "a kind file"},
		"k3d.io":                  {What: "a k3d file"},
		"eksctl.io":               {What: "an eksctl file"},
		"kops.k8s.io":             {What: "a kops file"},
		"apps.sealos.io":          {What: "a sealos file"},
		"cluster.x-k8s.io":        {What: "an object of Cluster API"},
		"rke.cattle.io":           {What: "an object of Rancher"},
		"minikube.sigs.k8s.io":    {What: "a minikube file"},
	}
}

// foreignVersion goes by the apiVersion. What has none of the groups above is an object of Kubernetes, if it has a kind and
// metadata; else it is a cluster file with a mistake.
func foreignVersion(top, key *yaml.Node, version string) *Foreign {
	group, _, _ := strings.Cut(version, "/")
	if known, is := foreignGroups()[group]; is {
		known.Line = key.Line
		return &known
	}
	_, kind := lookup(top, "kind")
	_, metadata := lookup(top, "metadata")
	switch {
	case kind == nil || kind.Kind != yaml.ScalarNode:
		return nil
	case version == "v1" && kind.Value == "Config":
		return &Foreign{What: "a kubeconfig", Line: key.Line, Format: FormatKubeconfig}
	case metadata != nil:
		return &Foreign{What: "an object of Kubernetes (" + clip(kind.Value) + " of " + clip(version) + ")", Line: key.Line}
	}
	return nil
}

// foreignShape knows a file by its keys.
type foreignShape struct {
	what   string
	format Format
	fits   func(top *yaml.Node) *yaml.Node // where it is seen, or nil
}

func foreignShapes() []foreignShape {
	return []foreignShape{
		{"an RKE file (cluster.yml)", FormatRKE, func(top *yaml.Node) *yaml.Node { return listWith(top, "nodes", "address") }},
		{"a configuration of Talos", "", func(top *yaml.Node) *yaml.Node { return hasAll(top, "machine", "cluster") }},
		{"an output of terraform for KubeOne", FormatTerraform, func(top *yaml.Node) *yaml.Node { return mappingTo(top, "kubeone_hosts", "value") }},
		{"an output of terraform without kubeone_hosts", "", terraformOutputs},
		{"an Ansible inventory", FormatAnsibleYAML, func(top *yaml.Node) *yaml.Node { return mappingTo(top, "_meta", "hostvars") }},
		{"an Ansible inventory", FormatAnsibleYAML, ansibleGroups},
		{"a Compose file", "", func(top *yaml.Node) *yaml.Node { return mappingWith(top, "services", "image") }},
		{"a cloud-init file", "", func(top *yaml.Node) *yaml.Node { return hasAll(top, "runcmd") }},
	}
}

// mappingTo gives a key whose value is a mapping with a certain key.
func mappingTo(top *yaml.Node, name, inside string) *yaml.Node {
	key, value := lookup(top, name)
	if value == nil || target(value).Kind != yaml.MappingNode || hasAll(target(value), inside) == nil {
		return nil
	}
	return key
}

// terraformOutputs gives the first key of a file whose keys all are outputs: `terraform output -json` says of each whether it is
// sensitive, its type and its value.
func terraformOutputs(top *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(top.Content); i += 2 {
		if output := target(top.Content[i+1]); output.Kind != yaml.MappingNode || hasAll(output, "sensitive", "type", "value") == nil {
			return nil
		}
	}
	if len(top.Content) == 0 {
		return nil
	}
	return top.Content[0]
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
func foreignList(top *yaml.Node) *Foreign {
	if top == nil || top.Kind != yaml.SequenceNode || len(top.Content) == 0 || target(top.Content[0]).Kind != yaml.MappingNode {
		return nil
	}
	switch first := target(top.Content[0]); {
	case hasAll(first, "hostname", "ip") != nil:
		return &Foreign{What: "a list of hosts for k3sup plan", Line: first.Line}
	case hasAll(first, "hosts", "tasks") != nil, hasAll(first, "hosts", "roles") != nil, hasAll(first, "import_playbook") != nil:
		return &Foreign{What: "an Ansible playbook", Line: first.Line}
	}
	return nil
}

// foreignLine knows a file that is no YAML by one of its lines.
type foreignLine struct {
	what    string
	format  Format
	pattern string
}

func foreignLines() []foreignLine {
	return []foreignLine{
		{"a Vagrantfile", "", `^\s*Vagrant\.configure\b`},
		{"a Terraform file", "", `^\s*(resource|module|provider|data|terraform|variable)(\s+"[^"]*")*\s*\{`},
		{"an Ansible inventory", FormatAnsibleINI, `^\[[A-Za-z0-9_.-]+(:(children|vars))?\]\s*([#;].*)?$`},
		{"an Ansible inventory", FormatAnsibleINI, `^\S+\s+(.*\s)?ansible_[a-z_]+\s*=`},
		{"a configuration of ssh", FormatSSHConfig, `^\s*Host(Name)?\s+\S`},
		{"a private key", "", `^-----BEGIN [A-Z ]*PRIVATE KEY-----`},
	}
}

// foreignText goes by the lines of a file that is no YAML mapping.
func foreignText(data []byte, problem *Problem) *Foreign {
	if problem == nil || bytes.Contains(data, []byte("apiVersion: "+APIVersion)) {
		return nil
	}
	lines := strings.Split(string(data), "\n")
	var found *Foreign
	for _, known := range foreignLines() {
		pattern := regexp.MustCompile(known.pattern)
		i := slices.IndexFunc(lines, func(line string) bool { return pattern.MatchString(strings.TrimRight(line, "\r")) })
		switch {
		case i < 0:
		case found == nil:
			found = &Foreign{What: known.what, Line: i + 1, Format: known.format}
		case found.Format != "" && known.format != "" && found.Format != known.format:
			return &Foreign{What: fmt.Sprintf("%s by its line %d and %s by its line %d", found.What, found.Line, known.what, i+1), Line: i + 1}
		}
	}
	return found
}
