// Package plan says what has to be done so that hosts become what is desired, and why: a pure
// function from a desired state and facts to steps, which form a graph. Each step is a few actions,
// which are data: package apply carries them out on real hosts, package model on facts.
//
// It asks nobody, reads no clock and makes nothing up by chance: equal arguments give equal plans.
package plan
