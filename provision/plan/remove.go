package plan

import (
	"slices"
	"strings"
	"time"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/object"
	"fairlead/templates"
)

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
	if l.controlPlane && (exists || l.manner == machineDead && !marked || reached && facts.HasControlPlane(seen)) {
		step := l.step(StageLeave, stepMember, "take "+l.node+" out of etcd", stepGiveUp, stepDrain, stepMark)
		step.Lock = etcdMembership
		step.because("its control plane leaves")
		step.do(RemoveMember{l.member()})
		p.add(step)
	}
	p.stopKubelet(l, seen)
	if exists {
		step := l.step(StageLeave, stepLeave, "delete node "+l.node, stepGiveUp, stepDrain, stepMark, stepMember, stepStop)
		step.because("the rest of the cluster lives on")
		step.do(ForgetNode{Name: l.node})
		p.add(step)
	}
}

// step starts a step about one that leaves, which needs others about it by their names. It is done through the API server.
func (l leaver) step(stage Stage, name, title string, needs ...string) Step {
	step := Step{ID: StepID(l.name(), name), Stage: stage, Title: title}
	for _, need := range needs {
		step.Needs = append(step.Needs, StepID(l.name(), need))
	}
	return step
}

// stopKubelet plans that a kubelet stops that runs.
func (p *planner) stopKubelet(l leaver, seen facts.Host) {
	if !slices.Contains([]string{"active", "activating"}, seen.Units[templates.KubeletService].Active) {
		return
	}
	step := l.step(StageLeave, stepStop, "stop the kubelet", stepGiveUp, stepDrain, stepMark, stepMember)
	step.Host = l.host.Name
	step.because("it would make its node again")
	step.do(StopUnit(templates.KubeletService))
	p.add(step)
}

// cordon plans that nothing more comes to a node, and on a machine that is off, that what it had is given up.
func (p *planner) cordon(l leaver, node object.Node) {
	step := l.step(StageLeave, stepCordon, "cordon node "+l.node)
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
	if !mayHoldAddress(seen) {
		return
	}
	step := l.step(StageLeave, stepGiveUp, "give the shared address up", stepCordon)
	step.Host = l.host.Name
	step.because("the others no longer count on this host")
	step.do(StopUnit(templates.KeepalivedService))
	p.add(step)
}

// empty plans that what runs on a node goes elsewhere.
func (p *planner) empty(l leaver, order RemoveOrder, cordons []string) {
	step := l.step(StageLeave, stepDrain, "drain node "+l.node, stepGiveUp)
	step.Needs = append(step.Needs, cordons...)
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
	step := l.step(StageLeave, stepMark, "keep that "+l.node+" was removed", stepCordon, stepDrain)
	step.because("its machine is not reset, and has what it had when it comes back")
	step.do(MarkRemoved{Member: l.member(), MachineID: node.MachineID, ControlPlane: l.controlPlane})
	p.add(step)
}

// forgetMark plans that the mark of a machine goes that is reset.
func (p *planner) forgetMark(l leaver) {
	if _, marked := p.facts.API.Removed[l.node]; !marked {
		return
	}
	step := l.step(StageReset, stepForget, "forget that "+l.node+" was removed", stepReset)
	step.because("its machine has nothing of the cluster any more")
	step.do(ForgetRemoved{Node: l.node})
	p.add(step)
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
