package plan

import (
	"fairlead/templates"
)

// AwaitEndpoint waits until the control plane endpoint answers as the API server of this cluster, asked from the step's host over
// TLS that is verified for the endpoint's name.
type AwaitEndpoint struct {
	Endpoint string
	// Own is where the API server of the step's host listens, which has to have the certificate for the endpoint; empty on workers.
	Own string
}

// Describe implements Action.
func (a AwaitEndpoint) Describe() string {
	return "wait until https://" + a.Endpoint + "/readyz answers, verified by the cluster's CA"
}

// Waits implements Waiter.
func (AwaitEndpoint) Waits() {}

// PointKubeconfig has a kubeconfig on a host name another server. It is part of a tree that the ledger has, so that it needs not
// know it.
func PointKubeconfig(path, server string) Script {
	return Script{Title: "have " + path + " name " + server, Name: templates.ScriptPointKubeconfig, Args: []string{path, server}}
}
