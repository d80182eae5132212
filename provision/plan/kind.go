package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

func asksOfKind(desired.State) facts.Query {
	files := []string{templates.KindConfigFile}
	return facts.Query{Paths: append(files, templates.BridgePlugin), Texts: files, Folders: []string{templates.KindFolder}}
}

// ofKind says that kind has made the host: a container, in which kind's folder holds the configuration that kubeadm made a node by.
func ofKind(f facts.Host) bool {
	_, configured := f.Files[templates.KindConfigFile]
	return f.Contained() && f.NotEmpty[templates.KindFolder] && configured
}

// kind plans kubeadm's documents where a node of kind keeps them. When such a container starts with another address, its entry point
// takes the API server's certificate away and has kubeadm make one by that file (fix_certificate in kind's
// images/base/files/usr/local/bin/entrypoint); without a file that fits, it ends, and so does the container.
func (p *planner) kind(host inventory.Host, facts facts.Host) {
	if host.Role != inventory.RoleControlPlane || !facts.Contained() || !facts.NotEmpty[templates.KindFolder] {
		return
	}
	step := hostStep(host, StagePrepare, "kind", "say how kind is to make the API server's certificate anew")
	document, err := templates.Init(p.common.kubeadm, p.templateNode(host, p.Cluster.IgnorePreflight))
	if err != nil {
		p.block(host.Name, step.Title, fmt.Sprint(err))
		return
	}
	p.hostFile(&step, facts, templates.HostFile{Path: templates.KindConfigFile, Mode: 0o600, Content: document})
	p.add(step)
}

// checkKindPlugins finds nodes of kind on which flannel would not work: the image has four of the network's plugins. A package of them would take
// the place of kind's own, and take these along when it goes.
func checkKindPlugins(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	from, _ := p.kubernetesSource(f)
	_, bridge := f.Files[templates.BridgePlugin]
	if !ofKind(f) || bridge || from != adopted || p.Cluster.Kubernetes.Source == inventory.SourceBundle || p.Cluster.Addons.Network.Name == inventory.NetworkNone {
		return "", ""
	}
	return "kind's image has no " + templates.BridgePlugin + ", which flannel needs",
		"have a bundle bring it (kubernetes.bundle), put it there, or write addons.network: {name: none} and bring kind's own network as a manifest"
}

// resetKind plans to take a cluster off a node of kind that kind itself has made. There is no ledger to lead a reset there; but the container was
// made for that cluster, and what its image holds is known.
func (p *planner) resetKind(host inventory.Host, of Belonging) {
	step := hostStep(host, StageReset, stepReset, "take kind's cluster off the node")
	step.because("it goes although %s", of.Reason)
	step.do(Script{Title: "undo what kubeadm and the cluster have made; keep what kind's image holds", Name: templates.ScriptResetKind})
	p.add(step)
}

// kindNetworks are the configuration files of kind's own network.
const kindNetworks = "/etc/cni/net.d/10-kindnet*"

// kindFolders are those that a node of kind has in its image, and that are empty without a cluster.
func kindFolders() []string { return []string{"/etc/kubernetes/manifests", "/var/lib/etcd"} }

// asksOfResetKind is what has to be asked of a node of kind to see whether its cluster is gone.
func asksOfResetKind() facts.Query {
	return facts.Query{
		Remains: true, PathPatterns: []string{kindNetworks}, Paths: []string{templates.KubeletConfigFile, templates.CACertificate, templates.AdminConf},
		Folders: kindFolders(),
	}
}

// kindLeft is what a reset without a ledger has left of a cluster on a node of kind.
func kindLeft(now facts.Host) []string {
	var left []string
	for path := range now.Files {
		if known := path == templates.KubeletConfigFile || path == templates.CACertificate || path == templates.AdminConf; known || strings.HasPrefix(path, strings.TrimSuffix(kindNetworks, "*")) {
			left = append(left, "file "+path)
		}
	}
	slices.Sort(left)
	for _, folder := range kindFolders() {
		if now.NotEmpty[folder] {
			left = append(left, "what is in "+folder)
		}
	}
	return left
}
