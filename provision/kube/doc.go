// Package kube talks to a cluster's API server: nodes, bootstrap tokens, add-on objects,
// drains, and the waits that go with them.
//
// A Client reaches the server through a dial function and verifies it against the CA in its
// kubeconfig, always. Every method is one idempotent operation: done twice it leaves the same
// state. Every wait ends with its context, reports the current reason while it lasts, and
// passes over errors only while the API server is away.
//
// The package knows nothing of hosts, of SSH, or of the inventory. It never prints, keeps no
// file, reads none but those that a kubeconfig of the user's own names (Own), reads no
// environment, and runs no program that a kubeconfig names.
package kube
