// Package model is the second interpreter of plans, for tests: a small model of hosts and of their
// cluster, whose facts actions change as they would change those of real hosts, and which fails
// where kubeadm would. What only real programs can tell is tested on the lab.
package model
