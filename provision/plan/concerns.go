package plan

import (
	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
)

// concern is one thing that a plan takes care of: what it has to know of hosts, and what it plans
// for one of them. Both stand in one file.
type concern struct {
	asks func(desired.State) facts.Query
	plan func(*planner, inventory.Host, facts.Host) // nil: it plans for the whole cluster
}

// concerns are all, in the order in which their steps stand in a plan.
func concerns() []concern {
	return []concern{
		{asks: asksOfPreflight},
		{asks: asksOfNetwork},
		{asks: asksOfAddresses},
		{asks: asksOfClones},
		{asks: asksOfSwap, plan: (*planner).swap},
		{asks: asksOfKernel, plan: (*planner).kernel},
		{asks: asksOfProxy, plan: (*planner).proxyFile},
		{asks: asksOfRepositories, plan: (*planner).repositories},
		{asks: asksOfRuntime, plan: (*planner).runtime},
		{asks: asksOfRegistry, plan: (*planner).registry},
		{asks: asksOfRegistries, plan: (*planner).registries},
		{asks: asksOfKubernetes, plan: (*planner).kubernetes},
		{asks: asksOfKind, plan: (*planner).kind},
		{asks: asksOfReach},
		{asks: asksOfBalancer, plan: (*planner).withoutBalancer},
		{asks: asksOfPackagesBeside, plan: (*planner).packagesBeside},
		{asks: asksOfNothing, plan: (*planner).images},
		{asks: asksOfMembers},
		{asks: asksOfEtcd},
		{asks: asksOfSettings},
		{asks: asksOfEndpoint},
	}
}

// Asks is what a plan has to know of each host: all that its concerns ask.
func Asks(state desired.State) facts.Query {
	var queries []facts.Query
	for _, concern := range concerns() {
		queries = append(queries, concern.asks(state))
	}
	return facts.Ask(queries...)
}

// asksOfNothing is for a concern that needs no more than what every host is asked.
func asksOfNothing(desired.State) facts.Query { return facts.Query{} }

// bundled are the files of components of the bundle.
func bundled(state desired.State, components ...string) []string {
	var paths []string
	for _, name := range components {
		component, err := state.Bundle.Component(name)
		if err != nil {
			continue // preflight reports it
		}
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				paths = append(paths, file.Path)
			}
		}
	}
	return paths
}
