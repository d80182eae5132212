// Package provision turns the hosts of an inventory into a Kubernetes cluster.
//
// The way through it: a Session observes (observe.go, probe.go) what the hosts and the
// API server say and gives Facts (facts.go); Plan (plan.go and its neighbours) is a pure
// function from the inventory, the bundle's manifest and the Facts to Steps (step.go);
// the engine (engine.go) runs the Steps as a graph, each one a few Actions (action_*.go);
// then the Session observes again, and the plan must be empty (up.go). Reset (reset.go)
// goes the same way backwards, led by the ledger that each host keeps.
//
// The package never prints, never reads flags or the environment, and keeps no state of
// its own anywhere: what it knows, it has observed in the same run.
package provision
