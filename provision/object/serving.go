package object

import (
	"net/netip"
)

// ServingIdentity is what may stand in the serving certificate of a node's kubelet.
type ServingIdentity struct {
	Node      string
	DNSNames  []string
	Addresses []netip.Addr
}

// ServingRequest is a kubelet's request for a serving certificate that nobody has decided on.
type ServingRequest struct {
	Name string `json:"name,omitzero"`
	Node string `json:"node,omitzero"`
}
