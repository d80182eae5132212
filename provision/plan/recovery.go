package plan

import (
	"errors"
	"fmt"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

const stepRecover = "recover"

// Loss is what a recovery of etcd gives up.
type Loss struct {
	// Survivor is the host whose member stays, of as many members with a vote.
	Survivor string
	Voters   int
	// Members are the others, by their names. Every host of theirs has to join anew.
	Members []string
	// Revision is the last that the survivor knows.
	Revision int64
}

// Recovery is the plan of a recovery of etcd.
type Recovery struct {
	Plan
	// Loss is what somebody has to agree to; nothing where the plan goes on with a recovery that was cut off.
	Loss Loss
	// Half says that the plan finishes a recovery that was cut off, or, if Again is set, undoes one that had only begun: then it has to
	// be planned anew.
	Half, Again bool
}

// MakeRecovery says how to make a cluster of the one etcd member that is left on a host, where most of the others are gone for good. It
// refuses while there is a quorum, and while any of the others might still be alive: two halves would go on, each by itself.
func MakeRecovery(wish desired.State, seen facts.Facts, from string) (Recovery, error) {
	p := newPlanner(wish, seen.Understood())
	if half, back := p.recovery(); half {
		return Recovery{Plan: p.plan, Half: true, Again: back}, nil
	}
	host, known := wish.Cluster.Host(from)
	if !known || host.Role != inventory.RoleControlPlane {
		return Recovery{}, fmt.Errorf("%s is no control-plane host of the inventory", from)
	}
	own, others, err := p.split(host)
	if err != nil {
		return Recovery{}, err
	}
	var errs []error
	for _, m := range others {
		errs = append(errs, p.provenGone(m))
	}
	if err := errors.Join(errs...); err != nil {
		return Recovery{}, err
	}
	loss := Loss{Survivor: from, Voters: len(p.facts.API.Etcd.Voters()), Members: memberNames(others), Revision: own.Revision}
	step := hostStep(host, StageRecover, stepRecover, "make a cluster of the etcd member that is left")
	step.because("etcd has lost its quorum: %s given up", areWords(loss.Members))
	step.Lock = etcdMembership
	step.do(StopEtcd(p.nodesOf(others)), CopyEtcd(), ForceNewCluster{})
	p.finishRecovery(&step, host, p.nodesOf(others))
	p.add(step)
	return Recovery{Plan: p.plan, Loss: loss}, nil
}

// split tells the member of a host from all others, where the quorum is lost.
func (p *planner) split(host inventory.Host) (own facts.EtcdMember, others []facts.EtcdMember, err error) {
	etcd := p.facts.API.Etcd
	switch {
	case etcd.Problem != nil:
		return own, nil, fmt.Errorf("nothing is known of etcd's members: %w", etcd.Problem)
	case !etcd.Known():
		return own, nil, errors.New("no control-plane host that can be reached has an etcd")
	case !etcd.NoQuorum:
		return own, nil, errors.New("etcd has its quorum: there is nothing to recover from; fairlead up mends the rest, and fairlead remove takes out what is gone")
	case etcd.Via != host.Name:
		return own, nil, fmt.Errorf("the etcd that answers is that of %s: fairlead etcd recover --from %s", etcd.Via, etcd.Via)
	}
	i := slices.IndexFunc(etcd.Members, func(m facts.EtcdMember) bool { return slices.Contains(m.PeerURLs, templates.EtcdPeerURL(host.Address)) })
	if i < 0 {
		return own, nil, fmt.Errorf("the etcd of %s knows of no member at %s", host.Name, templates.EtcdPeerURL(host.Address))
	}
	others = slices.Delete(slices.Clone(etcd.Members), i, i+1)
	return etcd.Members[i], others, nil
}

// provenGone says why a member may still be alive, or come back by itself.
func (p *planner) provenGone(m facts.EtcdMember) error {
	name := memberName(m)
	host, known := p.hostOfMember(m)
	seen := p.facts.Hosts[host.Name]
	switch {
	case m.Listens:
		return fmt.Errorf("the etcd member %s is not gone: something answers at its address; switch its host off", name)
	case !known:
		return nil // nobody else can say more of it
	case seen.Unreachable.Of(facts.HostUnreachable):
		return nil
	case seen.Unreachable != nil:
		return fmt.Errorf("the host of the etcd member %s answers, and cannot be looked at: %w; switch it off, or let fairlead look at it", name, seen.Unreachable)
	case holdsEtcd(seen):
		return fmt.Errorf("the host of the etcd member %s lives and has its data: start its etcd, and there may be a quorum; or switch the host off", name)
	}
	return nil
}

// nodesOf are the nodes of members.
func (p *planner) nodesOf(members []facts.EtcdMember) []string {
	var nodes []string
	for _, m := range members {
		name := m.Name
		if host, known := p.hostOfMember(m); known && name == "" {
			name = host.NodeName()
		}
		if name != "" {
			nodes = append(nodes, name)
		}
	}
	return nodes
}

// finishRecovery does what is left once etcd may have forgotten the others.
func (p *planner) finishRecovery(step *Step, host inventory.Host, lost []string) {
	// The kubelet waits longer and longer before it starts a pod again that has failed often: it forgets that when it starts anew.
	step.do(EndForce{Address: host.Address}, RestartUnit(templates.KubeletService), AwaitAPI{})
	for _, node := range lost {
		step.do(p.markLost(node), ForgetNode{Name: node})
	}
	step.do(EndRecovery())
}

// markLost keeps in the cluster that a host which was lost may wake with what it had.
func (p *planner) markLost(node string) MarkRemoved {
	mark := MarkRemoved{Member: Member{Node: node, Dead: true}, MachineID: p.facts.API.Nodes[node].MachineID}
	for _, host := range p.Cluster.Hosts() {
		if host.NodeName() == node {
			mark.Host, mark.Address = host.Name, host.Address
		}
	}
	return mark
}

// recovery plans to finish a recovery of etcd that was cut off, or to go back where it had only begun, and says whether there is one.
// Nothing else is done before.
func (p *planner) recovery() (half, back bool) {
	for _, host := range p.Cluster.ControlPlane.Hosts {
		seen, reached := p.reached(host.Name)
		if !reached {
			continue
		}
		manifest := seen.Contents[templates.ManifestPath(templates.ComponentEtcd)]
		mark, underWay := templates.ReadRecovery(seen.Contents[templates.RecoveryMark])
		flag := templates.Forced(manifest)
		if !underWay && !flag {
			continue
		}
		step := hostStep(host, StageRecover, stepRecover, "go on with the recovery of etcd")
		step.Lock = etcdMembership
		switch {
		case flag:
			step.because("etcd would forget its other members at the next start: its manifest has --force-new-cluster")
			p.finishRecovery(&step, host, mark.Lost)
		case mark.Forced:
			step.because("a recovery of etcd was cut off")
			if !slices.Contains(seen.Manifests, etcdManifest) {
				step.do(ForceNewCluster{})
			}
			p.finishRecovery(&step, host, mark.Lost)
		default:
			step.Title = "undo a recovery of etcd that had only begun"
			step.because("a recovery of etcd was cut off before etcd has forgotten anybody")
			step.do(BackFromRecovery(), AwaitMember{Address: host.Address})
		}
		p.add(step)
		p.plan.More = "the recovery of etcd on " + host.Name + " goes first"
		return true, !flag && !mark.Forced
	}
	return false, false
}
