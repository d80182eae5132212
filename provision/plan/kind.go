package plan

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

func asksOfKind(desired.State) facts.Query {
	files := []string{templates.KindConfigFile}
	return facts.Query{Paths: files, Texts: files, Folders: []string{templates.KindFolder}}
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
