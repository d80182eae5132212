package object

import (
	"encoding/json"
	"fmt"
	"time"
)

// RemovedRecord is the ConfigMap in kube-system that tells which nodes were removed without their machines.
const RemovedRecord = "fairlead-removed"

// TaintOutOfService has everything that runs on a node deleted at once, and its volumes detached. It may be put on nodes alone
// whose machine is proven to be off.
const TaintOutOfService = "node.kubernetes.io/out-of-service"

// Removed is a node that was taken out of the cluster while its machine could not be reached: should that wake, it has what it had.
type Removed struct {
	Node    string `json:"node"`
	Address string `json:"address,omitzero"`
	// MachineID is the machine's, as its kubelet had told it; empty where that is not known.
	MachineID string `json:"machineID,omitzero"`
	// Member is the ID of its member in etcd, in decimal; empty where it had none.
	Member string    `json:"member,omitzero"`
	Since  time.Time `json:"since"`
}

// Text is how it is kept.
func (r Removed) Text() (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write the mark of node %s: %w", r.Node, err)
	}
	return string(text), nil
}

// ReadRemoved reads what Text wrote.
func ReadRemoved(text string) (Removed, error) {
	var r Removed
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return Removed{}, fmt.Errorf("read the mark of a removed node: %w", err)
	}
	return r, nil
}

// Load is what a node holds that its removal takes away for good, each thing in words for people.
type Load struct {
	// Volumes are persistent volumes that lie on the node alone, with the claims that use them.
	Volumes []string `json:"volumes,omitzero"`
	// LocalData are pods with data of their own in folders of the node (emptyDir, hostPath is left where it is).
	LocalData []string `json:"localData,omitzero"`
	// Bare are pods without a controller: nothing makes them again.
	Bare []string `json:"bare,omitzero"`
}

// Empty says that nothing is lost.
func (l Load) Empty() bool { return len(l.Volumes)+len(l.LocalData)+len(l.Bare) == 0 }
