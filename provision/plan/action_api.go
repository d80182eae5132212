package plan

import (
	"fmt"
	"strings"

	"fairlead/provision/object"
	"fairlead/templates"
)

// MintToken makes the bootstrap token of this run and reads the CA certificate that the
// joins pin, over the verified SSH connection.
type MintToken struct{}

// Describe implements Action.
func (MintToken) Describe() string {
	return fmt.Sprintf("create Secret kube-system/bootstrap-token-… (lives at most %v), read %s", TokenLife, templates.CACertificate)
}

// RevokeToken deletes the bootstrap token of this run.
type RevokeToken struct{}

// Describe implements Action.
func (RevokeToken) Describe() string { return "delete Secret kube-system/bootstrap-token-…" }

// DeleteTokens deletes bootstrap tokens by their ids.
type DeleteTokens struct{ IDs []string }

// Describe implements Action.
func (a DeleteTokens) Describe() string {
	return "delete bootstrap tokens " + strings.Join(a.IDs, ", ")
}

// CopyPKI hands the cluster's shared certificates and keys to a further control plane,
// through memory only (kubeadm/app/phases/copycerts: certsToTransfer).
type CopyPKI struct{}

// Describe implements Action.
func (CopyPKI) Describe() string { return "copy the shared certificates and keys from a control plane" }

// AwaitAPI waits until the API server answers.
type AwaitAPI struct{}

// Describe implements Action.
func (AwaitAPI) Describe() string { return "wait until /readyz answers" }

// Waits implements Waiter.
func (AwaitAPI) Waits() {}

// AwaitNode waits until a node is registered, or Ready.
type AwaitNode struct {
	Name  string
	Ready bool
}

// Describe implements Action.
func (a AwaitNode) Describe() string {
	if a.Ready {
		return "wait until node " + a.Name + " is Ready"
	}
	return "wait until node " + a.Name + " is registered"
}

// Waits implements Waiter.
func (AwaitNode) Waits() {}

// ChangeNode sets and removes labels, annotations and taints of a node.
type ChangeNode struct {
	Name   string
	Change object.NodeChange
}

// Describe implements Action.
func (a ChangeNode) Describe() string { return "patch node " + a.Name }
