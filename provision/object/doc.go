// Package object knows objects of Kubernetes as values: which they are, in what two of them
// differ, whether one is as it should be, and what is to be changed of a Node. It talks to nobody;
// package kube does.
package object
