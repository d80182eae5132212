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

// ResetOrder is what a reset is to do.
type ResetOrder struct {
	// Names are the hosts; none stands for all.
	Names []string
	// Foreign resets hosts, too, that are not of the inventory's cluster, or not provably.
	Foreign bool
	// Asked says that somebody looks at whose the hosts are before anything is changed, and has to agree.
	Asked bool
}

// RefusedError says which hosts a reset does not touch without being told to.
type RefusedError struct {
	Cluster string
	Hosts   []Belonging
}

// Error implements error.
func (e *RefusedError) Error() string {
	lines := []string{"nothing was changed, as not all hosts are known to be of cluster " + e.Cluster + ":"}
	for _, b := range e.Hosts {
		lines = append(lines, fmt.Sprintf("  %s: %s", b.Host, b.Reason))
	}
	return strings.Join(lines, "\n")
}

// MakeReset says how to take fairlead and the cluster off hosts. It is as pure as Make. Before anything is planned, each host is
// held against the cluster: an address may be that of another cluster's host. The ledger is enough for the rest:
// facts that cannot be read are named, and stop nothing.
func MakeReset(wish desired.State, seen facts.Facts, order ResetOrder) (Plan, error) {
	p, names := newPlanner(wish, seen), order.Names
	whole := len(names) == 0 || len(names) == len(wish.Cluster.Hosts())
	of, refused := order.sort(wish, seen)
	if err := p.resettable(names, whole, of); err != nil {
		return Plan{}, err
	}
	if len(refused.Hosts) > 0 {
		return Plan{}, refused
	}
	for _, host := range wish.Cluster.Hosts() {
		if !whole && !slices.Contains(names, host.Name) {
			continue
		}
		p.plan.Findings = append(p.plan.Findings, warnings(unreadFindings(host.Name, seen.Hosts[host.Name].Unread, false))...)
		if !p.understands(host) {
			continue
		}
		if !whole && of[host.Name].Verdict != Foreign { // whose Node is that of another machine
			p.leave(host)
		}
		p.resetHost(host, of[host.Name])
		if _, reached := p.reached(host.Name); reached && !whole {
			p.forgetMark(leaver{host: host, node: host.NodeName()})
		}
	}
	p.pruneNeeds()
	return p.plan, nil
}

// sort says of the hosts whose they are, and which of them the order is not enough for.
func (o ResetOrder) sort(wish desired.State, seen facts.Facts) (map[string]Belonging, *RefusedError) {
	of, refused := map[string]Belonging{}, &RefusedError{Cluster: wish.Cluster.Name}
	for _, b := range Whose(wish, seen, o.Names) {
		of[b.Host] = b
		if !o.Foreign && (b.Verdict == Foreign || b.Verdict == Unproven && !o.Asked) {
			refused.Hosts = append(refused.Hosts, b)
		}
	}
	return of, refused
}

// resettable refuses names that do not exist, and to take the last control plane away
// from workers that stay.
func (p *planner) resettable(names []string, whole bool, of map[string]Belonging) error {
	for _, name := range names {
		if _, known := p.Cluster.Host(name); !known {
			return fmt.Errorf("host %s is not in the inventory", name)
		}
	}
	if whole {
		return nil
	}
	leaves := func(h inventory.Host) bool {
		return slices.Contains(names, h.Name) && of[h.Name].Verdict != Foreign
	}
	stays := func(h inventory.Host) bool { return !slices.Contains(names, h.Name) }
	controlPlanes := p.Cluster.ControlPlane.Hosts
	if slices.ContainsFunc(controlPlanes, leaves) && !slices.ContainsFunc(controlPlanes, stays) {
		return errors.New("no control plane would be left for the other hosts: reset them too (fairlead reset without names), or keep one")
	}
	lost := p.found.Situation == facts.Silent || p.found.Situation == facts.Half && !p.found.Answers
	if lost && slices.ContainsFunc(p.Cluster.Hosts(), leaves) {
		return fmt.Errorf("the node cannot be drained and deleted, the API server does not answer: %w", p.facts.API.Err)
	}
	return nil
}

// leave plans to take one node out of a cluster that lives on.
func (p *planner) leave(host inventory.Host) {
	seen, reached := p.reached(host.Name)
	name := p.nodeOf(host, seen)
	if _, exists := p.facts.API.Nodes[name]; !exists {
		return
	}
	step := hostStep(host, StageLeave, stepLeave, "drain and delete the node")
	step.because("the rest of the cluster lives on")
	if mayHoldAddress(seen) { // before it answers for nothing any more
		step.do(StopUnit(templates.KeepalivedService))
	}
	step.do(DrainNode{Name: name})
	if _, marked := p.facts.API.Removed[name]; marked { // its member went before, and it has only come back
		step.Host = ""
	} else if reached && host.Role == inventory.RoleControlPlane {
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
		p.block(host.Name, "reset the host", unknownMessage(unknown)+"; take the one that wrote it")
	}
	return len(unknown) == 0
}

func unknownMessage(entries []string) string {
	return "its ledger holds what this fairlead does not know: " + strings.Join(entries, ", ")
}

func (p *planner) resetHost(host inventory.Host, of Belonging) {
	facts, ok := p.reached(host.Name)
	if !ok {
		p.block(host.Name, "reset the host", "the host cannot be looked at")
		return
	}
	if len(facts.Ledger) == 0 {
		switch {
		case of.Verdict == Foreign && ofKind(facts):
			p.resetKind(host, of)
		case of.Verdict == Foreign:
			p.block(host.Name, "reset the host", of.Reason+": "+p.undoing(host))
		}
		return
	}
	step := hostStep(host, StageReset, stepReset, "reset the host")
	step.because("the ledger has %d entries", len(facts.Ledger))
	if of.Reason != "" {
		step.because("it goes although %s", of.Reason)
	}
	for _, before := range []string{stepLeave, stepMember, stepStop} { // as far as they are planned: a removal may have been cut off after some
		step.Needs = append(step.Needs, StepID(host.Name, before))
	}
	step.do(Script{Title: "undo what the ledger says", Name: templates.ScriptReset})
	p.add(step)
}
