// Package engine runs the steps of a plan as a graph, and the loop that plans and runs until there
// is nothing left to do. It knows neither hosts nor Kubernetes: what a step does, others say.
package engine
