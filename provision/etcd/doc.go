// Package etcd speaks with the members of a cluster's etcd by their JSON gateway, through whatever dials for it. It takes the
// member of a host that has lost its data out, and never one that answers.
package etcd
