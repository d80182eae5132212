package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// MakeReset says how to take fairlead and the cluster off the named hosts, or off all of
// them when names is empty. It is as pure as MakePlan.
func MakeReset(wish desired.State, facts facts.Facts, names []string) (Plan, error) {
	p := newPlanner(wish, facts)
	whole := len(names) == 0 || len(names) == len(wish.Cluster.Hosts())
	if err := p.resettable(names, whole); err != nil {
		return Plan{}, err
	}
	named := map[string]bool{}
	for _, name := range names {
		named[name] = true
	}
	for _, host := range wish.Cluster.Hosts() {
		if !whole && !named[host.Name] {
			continue
		}
		if !p.understands(host) {
			continue
		}
		if !whole {
			p.leave(host)
		}
		p.resetHost(host)
	}
	p.pruneNeeds()
	return p.plan, nil
}

// resettable refuses names that do not exist, and to take the last control plane away
// from workers that stay.
func (p *planner) resettable(names []string, whole bool) error {
	known := map[string]bool{}
	for _, host := range p.Cluster.Hosts() {
		known[host.Name] = true
	}
	for _, name := range names {
		if !known[name] {
			return fmt.Errorf("host %s is not in the inventory", name)
		}
	}
	stays := func(h inventory.Host) bool { return !slices.Contains(names, h.Name) }
	if !whole && !slices.ContainsFunc(p.Cluster.ControlPlane.Hosts, stays) {
		return errors.New("no control plane would be left for the other hosts: reset them too (fairlead reset without names), or keep one")
	}
	lost := p.found.Situation == facts.Silent || p.found.Situation == facts.Half && !p.found.Answers
	if !whole && lost {
		return fmt.Errorf("the node cannot be drained and deleted, the API server does not answer: %w", p.facts.API.Err)
	}
	return nil
}

// leave plans to take one node out of a cluster that lives on.
func (p *planner) leave(host inventory.Host) {
	seen, reached := p.reached(host.Name)
	name := host.NodeName()
	if is := seen.NodeName(); is != "" && seen.CA != nil && !p.foreign(seen) {
		name = is // the host has joined by another name than the inventory has for it
	}
	if _, exists := p.facts.API.Nodes[name]; !exists {
		return
	}
	step := hostStep(host, StageLeave, stepLeave, "drain and delete the node")
	step.because("the rest of the cluster lives on")
	step.do(DrainNode{Name: name})
	if reached && host.Role == inventory.RoleControlPlane {
		// While the Node exists: kubeadm finds the member by it.
		step.Lock = etcdMembership
		step.do(Script{Title: "remove the etcd member", Name: templates.ScriptLeaveEtcd})
	} else {
		step.Host = ""
	}
	step.do(DeleteNode{Name: name})
	p.add(step)
}

// understands says that the host's ledger holds only what can be undone and looked for afterwards.
func (p *planner) understands(host inventory.Host) bool {
	seen, _ := p.reached(host.Name)
	if seen.LedgerDamage != "" {
		p.block(host.Name, "reset the host", ledgerMessage(seen)+": "+ledgerMending)
		return false
	}
	unknown := unknownEntries(seen.Ledger)
	if len(unknown) > 0 {
		p.block(host.Name, "reset the host", "its ledger holds what this fairlead does not know: "+strings.Join(unknown, ", ")+"; take the one that wrote it")
	}
	return len(unknown) == 0
}

func (p *planner) resetHost(host inventory.Host) {
	facts, ok := p.reached(host.Name)
	if !ok {
		p.block(host.Name, "reset the host", "the host cannot be reached")
		return
	}
	if len(facts.Ledger) == 0 {
		return
	}
	step := hostStep(host, StageReset, "reset", "reset the host")
	step.because("the ledger has %d entries", len(facts.Ledger))
	step.Needs = []string{StepID(host.Name, stepLeave)}
	step.do(Script{Title: "undo what the ledger says", Name: templates.ScriptReset})
	p.add(step)
}
