// Package fleet stands in for thousands of SSH hosts, so that it can be measured what fairlead
// itself costs when a cluster is large.
//
// All addresses of a network namespace are answered by one process. It speaks SSH, and to the
// probe, which is all that "check" and "plan" run on hosts that are new, it gives the answer that
// the probe gave on a real machine, with the host's own name and address put in. It runs nothing,
// so that it takes little of the processors that are shared with what is measured; to everything
// but the probe it answers that there is no such command.
//
// The package has the other side of the comparison as well: Ask, which does to the same hosts
// what cannot be left out, and nothing else.
package fleet
