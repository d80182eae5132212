// Package provision turns the hosts of an inventory into a Kubernetes cluster. It is the façade of
// the packages below it, and a Session is one run:
//
//   - desired completes the inventory to what is wanted;
//   - observe asks the hosts and the API server, and gives facts;
//   - plan is a pure function of both, and gives steps of actions;
//   - engine runs the steps as a graph, apply carries out their actions, the ledger first;
//   - then the hosts are observed again, and the plan must be empty;
//   - while something is changed, lock keeps other runs from doing so.
//
// Reset goes the same way backwards, led by the ledger that each host keeps. No package here prints,
// reads flags or the environment, or keeps state of its own anywhere: what a run knows, it has
// observed itself.
package provision
