package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/object"
)

// Names of the findings below, as ignorePreflight has them.
const (
	unknownNode  = "UnknownNode"
	removedCheck = "Removed"
)

// strangers finds the nodes that no host of the inventory has: somebody added them, or they were to leave.
func (p *planner) strangers() {
	if !p.found.Answers {
		return
	}
	named := p.named()
	for _, name := range slices.Sorted(maps.Keys(p.facts.API.Nodes)) {
		node := p.facts.API.Nodes[name]
		if named[name] {
			continue
		}
		finding := Finding{
			Name: unknownNode, Warning: true, Message: fmt.Sprintf("the cluster has a node %s, which no host of the inventory is", name),
			Fix: fmt.Sprintf("to have it looked after: %s; to have it leave: %s", joining(node), removing(node)),
		}
		if mark, removed := p.facts.API.Removed[name]; removed {
			finding.Name = removedCheck
			finding.Message = fmt.Sprintf("node %s was removed %s, and has come back: its machine has woken with what it had", name, since(mark))
			finding.Fix = fmt.Sprintf("put its host into the inventory again and reset it: fairlead reset %s; or switch the machine off, and: fairlead remove %s --unreachable", name, name)
		}
		if finding.Name == removedCheck || !p.ignored(finding.Name) {
			p.plan.Findings = append(p.plan.Findings, finding)
		}
	}
}

// named are the nodes that hosts of the inventory are, also those that have joined by another name: there is a finding about these.
func (p *planner) named() map[string]bool {
	names := map[string]bool{}
	for _, host := range p.Cluster.Hosts() {
		names[host.NodeName()] = true
		if seen, reached := p.reached(host.Name); reached && !p.foreign(seen) {
			names[seen.NodeName()] = true
		}
	}
	return names
}

func joining(node object.Node) string {
	command := "fairlead join " + node.Name
	if node.InternalIP != "" {
		command += " --address " + node.InternalIP
	}
	if _, leads := node.Labels[object.LabelControlPlane]; leads {
		command += " --control-plane"
	}
	return command
}

func removing(node object.Node) string {
	if node.Ready {
		return "fairlead remove " + node.Name
	}
	return "fairlead remove " + node.Name + " --unreachable, if its machine is off"
}

func since(mark object.Removed) string {
	if mark.Since.IsZero() {
		return "before"
	}
	return "at " + mark.Since.UTC().Format(time.DateTime) + " UTC"
}

// markOf is the mark of a host that was removed while it could not be reached, by its node's name, by its address with another name,
// or by its machine.
func (p *planner) markOf(host inventory.Host, seen facts.Host) (object.Removed, bool) {
	if mark, ok := p.facts.API.Removed[host.NodeName()]; ok {
		return mark, true
	}
	for _, name := range slices.Sorted(maps.Keys(p.facts.API.Removed)) {
		mark := p.facts.API.Removed[name]
		if mark.MachineID != "" && mark.MachineID == seen.MachineID || mark.Address != "" && mark.Address == host.Address.String() && seen.NodeName() == name {
			return mark, true
		}
	}
	return object.Removed{}, false
}

// woken finds a host that was removed while it could not be reached and still has what it had, and says whether it is one.
func (p *planner) woken(host inventory.Host, seen facts.Host) bool {
	mark, removed := p.markOf(host, seen)
	if !removed || !seen.KubeletStarted() && !facts.HasControlPlane(seen) {
		return false
	}
	p.plan.Findings = append(p.plan.Findings, Finding{
		Host: host.Name, Name: removedCheck,
		Message: fmt.Sprintf("the host was removed from the cluster %s while it could not be reached, and still has what it had", since(mark)),
		Fix:     p.undoing(host) + ", then fairlead up, if it is to be in the cluster again; or take it out of the inventory",
	})
	return true
}
