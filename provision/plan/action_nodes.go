package plan

import (
	"fmt"
	"net/netip"
	"time"

	"fairlead/templates"
)

// DrainNode cordons a node and evicts its pods.
type DrainNode struct {
	Name string
	// Limit is how long that may take, and Force the time after which disruption budgets are passed by; 0 for the usual time, and
	// for never.
	Limit, Force time.Duration
}

// Describe implements Action.
func (a DrainNode) Describe() string {
	if a.Force > 0 {
		return fmt.Sprintf("drain node %s, past disruption budgets after %v", a.Name, a.Force)
	}
	return "drain node " + a.Name
}

// DeleteNode deletes a node that was drained.
type DeleteNode struct{ Name string }

// Describe implements Action.
func (a DeleteNode) Describe() string { return "delete node " + a.Name }

// ForgetNode deletes a node whose kubelet does not run any more, with its mirror pods, its Lease and its requests for certificates.
type ForgetNode struct{ Name string }

// Describe implements Action.
func (a ForgetNode) Describe() string {
	return "delete node " + a.Name + ", what is left of its pods, its Lease and its open requests for certificates"
}

// Member is what a leaving control plane is in etcd.
type Member struct {
	// Host leaves: nothing of this goes through it. Empty for a node that no host of the inventory has.
	Host    string
	Node    string
	Address netip.Addr
	// Dead says that the machine is proven to be off.
	Dead bool
}

// PeerURL is where the other members reach it.
func (m Member) PeerURL() string { return templates.EtcdPeerURL(m.Address) }

// CheckQuorum ends the step unless etcd goes on without a member.
type CheckQuorum struct{ Member }

// Describe implements Action.
func (a CheckQuorum) Describe() string {
	return "make sure that etcd goes on without the member of " + a.Node
}

// Waits implements Waiter.
func (CheckQuorum) Waits() {}

// RemoveMember takes a member out of etcd through another one, where etcd goes on without it; a leader hands that over first.
type RemoveMember struct{ Member }

// Describe implements Action.
func (a RemoveMember) Describe() string {
	return "remove the etcd member of " + a.Node + ", through another control plane"
}

// MarkRemoved keeps in the cluster that a node is removed without its machine.
type MarkRemoved struct {
	Member
	MachineID    string
	ControlPlane bool
}

// Describe implements Action.
func (a MarkRemoved) Describe() string {
	return "keep in the cluster that " + a.Node + " is removed without its machine"
}

// ForgetRemoved takes that mark away: the machine has nothing of the cluster any more.
type ForgetRemoved struct{ Node string }

// Describe implements Action.
func (a ForgetRemoved) Describe() string { return "forget that " + a.Node + " was removed" }

// AwaitDetached waits until a node's pods are gone and its volumes are detached.
type AwaitDetached struct{ Name string }

// Describe implements Action.
func (a AwaitDetached) Describe() string {
	return "wait until the pods of node " + a.Name + " are gone and its volumes are detached"
}

// Waits implements Waiter.
func (AwaitDetached) Waits() {}
