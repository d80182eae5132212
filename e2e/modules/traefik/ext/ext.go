// Package ext stands for the module of that name, whose types have no fields in the open
// edition of Traefik.
package ext

// HTTP is empty.
type HTTP struct{}

// DeepCopyInto copies nothing.
func (*HTTP) DeepCopyInto(*HTTP) {}

// Router is empty.
type Router struct{}

// DeepCopyInto copies nothing.
func (*Router) DeepCopyInto(*Router) {}
