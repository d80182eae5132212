package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/object"
	"fairlead/templates"
)

// keepalivedService answers for a shared address; a host that leaves gives that up first.
const keepalivedService = "keepalived.service"

// RemoveOrder is what a removal is to do.
type RemoveOrder struct {
	// Names are hosts of the inventory, or nodes of the cluster that no host of it has.
	Names []string
	// Unreachable says that the machines are off, and stay so until they are reset. It is believed where nothing speaks against it.
	Unreachable bool
	// DrainLimit is how long each node may take to drain, and ForceDrain the time after which disruption budgets are passed by;
	// 0 for the usual time, and for never.
	DrainLimit, ForceDrain time.Duration
	// Asked is as in ResetOrder.
	Asked bool
}

// manner is how a machine stands to the node that is removed.
type manner int

const (
	// machineLiving: the machine is what the node says.
	machineLiving manner = iota
	// machineVacant: it was looked at, and has nothing of a cluster any more.
	machineVacant
	// machineDead: it cannot be reached, and nothing of it is heard.
	machineDead
	// machineBeside: the inventory has no such machine, and its node is Ready.
	machineBeside
)

// leaver is one that is removed.
type leaver struct {
	host         inventory.Host // of no Role without one
	node         string
	controlPlane bool
	address      netip.Addr
	manner       manner
}

func (l leaver) member() Member {
	return Member{Host: l.host.Name, Node: l.node, Address: l.address, Dead: l.manner == machineDead || l.manner == machineVacant}
}

// name is what it was called in the order.
func (l leaver) name() string {
	if l.host.Name != "" {
		return l.host.Name
	}
	return l.node
}

// MakeRemove says how to take hosts out of a cluster that lives on. It is as pure as Make. An error says why nothing is to be
// changed.
func MakeRemove(wish desired.State, seen facts.Facts, order RemoveOrder) (Plan, error) {
	p := newPlanner(wish, seen)
	leavers, err := p.leavers(order)
	if err != nil {
		return Plan{}, err
	}
	of, refused := ResetOrder{Names: order.Names, Asked: order.Asked}.sort(wish, seen)
	if len(refused.Hosts) > 0 {
		return Plan{}, refused
	}
	var cordons []string // nothing moves from one that leaves to another one
	for _, l := range leavers {
		cordons = append(cordons, StepID(l.name(), stepCordon))
	}
	for _, l := range leavers {
		if _, reached := p.reached(l.host.Name); reached && !p.understands(l.host) {
			continue
		}
		p.takeOut(l, order, cordons)
		if l.manner == machineLiving || l.manner == machineVacant {
			p.resetHost(l.host, of[l.host.Name])
			p.forgetMark(l)
		}
	}
	p.pruneNeeds()
	return p.plan, nil
}

// Names of the steps of a removal.
const (
	stepCordon = "cordon"
	stepGiveUp = "give-up-address"
	stepDrain  = "drain"
	stepMark   = "mark"
	stepMember = "member"
	stepStop   = "stop"
	stepForget = "forget-mark"
)

// takeOut plans the cluster's side: the node, and the member of etcd, while the host still is what it was.
func (p *planner) takeOut(l leaver, order RemoveOrder, cordons []string) {
	node, exists := p.facts.API.Nodes[l.node]
	_, marked := p.facts.API.Removed[l.node]
	seen, reached := p.reached(l.host.Name)
	if exists {
		p.cordon(l, node)
		p.giveUpAddress(l, seen)
		p.empty(l, order, cordons)
	}
	if l.manner == machineDead && !marked || l.manner == machineBeside {
		p.mark(l, node)
	}
	before := []string{StepID(l.name(), stepGiveUp), StepID(l.name(), stepDrain), StepID(l.name(), stepMark)}
	if l.controlPlane && (exists || l.manner == machineDead && !marked || reached && facts.HasControlPlane(seen)) {
		step := Step{ID: StepID(l.name(), stepMember), Stage: StageLeave, Title: "take " + l.node + " out of etcd", Lock: etcdMembership, Needs: before}
		step.because("its control plane leaves")
		step.do(RemoveMember{l.member()})
		p.add(step)
	}
	before = append(before, StepID(l.name(), stepMember))
	if reached && slices.Contains([]string{"active", "activating"}, seen.Units[templates.KubeletService].Active) {
		step := hostStep(l.host, StageLeave, stepStop, "stop the kubelet")
		step.because("it would make its node again")
		step.Needs = before
		step.do(StopUnit(templates.KubeletService))
		p.add(step)
	}
	if exists {
		step := Step{ID: StepID(l.name(), stepLeave), Stage: StageLeave, Title: "delete node " + l.node, Needs: append(before, StepID(l.name(), stepStop))}
		step.because("the rest of the cluster lives on")
		step.do(ForgetNode{Name: l.node})
		p.add(step)
	}
}

// cordon plans that nothing more comes to a node, and on a machine that is off, that what it had is given up.
func (p *planner) cordon(l leaver, node object.Node) {
	step := Step{ID: StepID(l.name(), stepCordon), Stage: StageLeave, Title: "cordon node " + l.node}
	if l.controlPlane {
		step.do(CheckQuorum{l.member()})
	}
	cordoned := true
	change := object.NodeChange{Unschedulable: &cordoned}
	switch l.manner {
	case machineDead, machineVacant:
		step.because("its machine runs nothing any more: pods and volumes of it are free for others")
		change.AddTaints = []object.Taint{{Key: object.TaintOutOfService, Value: "nodeshutdown", Effect: "NoExecute"}}
	default:
		step.because("it is removed")
	}
	if !node.Unschedulable || len(change.AddTaints) > 0 && !slices.Contains(node.Taints, change.AddTaints[0]) {
		step.do(ChangeNode{Name: l.node, Change: change})
	}
	p.add(step)
}

// giveUpAddress plans that the host's keepalived stops: the shared address goes to another one while the host can still serve it.
func (p *planner) giveUpAddress(l leaver, seen facts.Host) {
	ours := slices.ContainsFunc(seen.Ledger, func(e ledger.Entry) bool { return e.Kind == ledger.Unit && e.Key == keepalivedService })
	if !ours || seen.Units[keepalivedService].Active != "active" {
		return
	}
	step := hostStep(l.host, StageLeave, stepGiveUp, "give the shared address up")
	step.because("the others no longer count on this host")
	step.Needs = []string{StepID(l.name(), stepCordon)}
	step.do(StopUnit(keepalivedService))
	p.add(step)
}

// empty plans that what runs on a node goes elsewhere.
func (p *planner) empty(l leaver, order RemoveOrder, cordons []string) {
	step := Step{ID: StepID(l.name(), stepDrain), Stage: StageLeave, Title: "drain node " + l.node, Needs: append(slices.Clone(cordons), StepID(l.name(), stepGiveUp))}
	if l.manner == machineDead || l.manner == machineVacant {
		step.Title = "wait until node " + l.node + " has nothing any more"
		step.because("its machine runs nothing any more")
		step.do(AwaitDetached{Name: l.node})
	} else {
		step.because("what runs on it goes elsewhere")
		step.do(DrainNode{Name: l.node, Limit: order.DrainLimit, Force: order.ForceDrain})
	}
	p.add(step)
}

// mark plans the mark by which a machine that wakes is known.
func (p *planner) mark(l leaver, node object.Node) {
	step := Step{ID: StepID(l.name(), stepMark), Stage: StageLeave, Title: "keep that " + l.node + " was removed", Needs: []string{StepID(l.name(), stepCordon), StepID(l.name(), stepDrain)}}
	step.because("its machine is not reset, and has what it had when it comes back")
	step.do(MarkRemoved{Member: l.member(), MachineID: node.MachineID, ControlPlane: l.controlPlane})
	p.add(step)
}

// forgetMark plans that the mark of a machine goes that is reset.
func (p *planner) forgetMark(l leaver) {
	if _, marked := p.facts.API.Removed[l.node]; !marked {
		return
	}
	step := Step{ID: StepID(l.name(), stepForget), Stage: StageReset, Title: "forget that " + l.node + " was removed", Needs: []string{StepID(l.name(), stepReset)}}
	step.because("its machine has nothing of the cluster any more")
	step.do(ForgetRemoved{Node: l.node})
	p.add(step)
}

// leavers finds out who is meant, and whether they can go.
func (p *planner) leavers(order RemoveOrder) ([]leaver, error) {
	if p.found.Situation != facts.Living {
		return nil, fmt.Errorf("no host can be removed while the API server does not answer: %w", errors.New(p.found.Reason))
	}
	if slices.Contains(order.Names, p.found.Host) {
		return nil, fmt.Errorf("no API server answers but that of %s, which is to leave: mend another control plane first; to take the whole cluster down: fairlead reset", p.found.Host)
	}
	var all []leaver
	var errs []error
	for _, name := range order.Names {
		l, err := p.leaver(name, order.Unreachable)
		if err == nil {
			err = p.holdsEndpoint(l)
		}
		all, errs = append(all, l), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// leaver is who is meant by a name.
func (p *planner) leaver(name string, unreachable bool) (leaver, error) {
	host, known := p.Cluster.Host(name)
	if !known {
		return p.stranger(name, unreachable)
	}
	l := leaver{host: host, node: host.NodeName(), controlPlane: host.Role == inventory.RoleControlPlane, address: host.Address}
	seen, reached := p.reached(name)
	if is := seen.NodeName(); is != "" && seen.CA != nil && !p.foreign(seen) {
		l.node = is // it has joined by another name than the inventory has for it
	}
	node, exists := p.facts.API.Nodes[l.node]
	switch {
	case reached && unreachable:
		return l, fmt.Errorf("%s answers: leave --unreachable away, so that it is drained and reset", name)
	case reached && seen.CA == nil && !seen.KubeletStarted():
		l.manner = machineVacant
		if exists && node.Ready {
			return l, fmt.Errorf("node %s is Ready, and %s has nothing of a cluster: another machine is that node, or the host was emptied less than a minute ago; try again then", l.node, name)
		}
	case reached:
	case !unreachable:
		return l, fmt.Errorf("%s cannot be looked at, and would not be reset: %w; if it is off, and stays so until it is reset: --unreachable", name, seen.Unreachable)
	case !seen.Unreachable.Of(facts.HostUnreachable):
		return l, fmt.Errorf("%s is not proven to be off, something answers at its address: %w", name, seen.Unreachable)
	case exists && node.Ready:
		return l, fmt.Errorf("%s is not proven to be off: its kubelet reports that node %s is Ready; if the machine has just gone off, try again in a minute", name, l.node)
	default:
		l.manner = machineDead
	}
	return l, nil
}

// stranger is a node that no host of the inventory has. What its machine is like is not known: only the cluster's side of it goes.
func (p *planner) stranger(name string, unreachable bool) (leaver, error) {
	node, exists := p.facts.API.Nodes[name]
	if !exists || p.named()[name] {
		return leaver{}, fmt.Errorf("%s is neither a host of the inventory nor a node of the cluster that no host has", name)
	}
	l := leaver{node: name, manner: machineBeside}
	_, l.controlPlane = node.Labels[object.LabelControlPlane]
	l.address, _ = netip.ParseAddr(node.InternalIP)
	switch {
	case l.controlPlane && !l.address.IsValid():
		return l, fmt.Errorf("node %s is a control plane without an address, so that its member of etcd cannot be found", name)
	case node.Ready && unreachable:
		return l, fmt.Errorf("node %s is Ready: leave --unreachable away, so that it is drained", name)
	case !node.Ready && !unreachable:
		return l, fmt.Errorf("node %s is not Ready (%s), and nobody would end its pods; if its machine is off, and stays so until it is reset: --unreachable", name, node.ReadyMessage)
	case !node.Ready:
		l.manner = machineDead
	}
	return l, nil
}

// holdsEndpoint refuses to remove the host at whose own address the cluster is reached.
func (p *planner) holdsEndpoint(l leaver) error {
	at, err := netip.ParseAddr(hostOf(p.Cluster.ControlPlane.Endpoint))
	if err != nil || l.host.Name == "" || !slices.Contains(l.host.Addresses(), at) {
		return nil
	}
	return fmt.Errorf("the cluster is reached at %s, which is the address of %s: give it another controlPlane.endpoint first, one that stays", p.Cluster.ControlPlane.Endpoint, l.host.Name)
}

// Losses are what is lost with a node, as findings.
func Losses(host string, load object.Load) []Finding {
	var all []Finding
	for _, loss := range []struct {
		name, message string
		what          []string
	}{
		{"LocalVolumes", "these volumes lie on it alone, and nobody can use them any more", load.Volumes},
		{"LocalData", "these pods lose what they keep on it in emptyDir volumes", load.LocalData},
		{"BarePods", "these pods have no controller, and do not come back", load.Bare},
	} {
		if len(loss.what) > 0 {
			all = append(all, Finding{Host: host, Name: loss.name, Warning: true, Message: loss.message + ": " + strings.Join(loss.what, ", ")})
		}
	}
	return all
}
