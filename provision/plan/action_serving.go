package plan

import (
	"fmt"

	"fairlead/provision/object"
)

// ApproveServing approves what a kubelet asks for if it is exactly its own, and waits for
// the certificate.
type ApproveServing struct{ Identity object.ServingIdentity }

// Describe implements Action.
func (a ApproveServing) Describe() string {
	return fmt.Sprintf("approve the serving certificate of %s for %v and %v", a.Identity.Node, a.Identity.DNSNames, a.Identity.Addresses)
}

// Waits implements Waiter.
func (ApproveServing) Waits() {}
