// Package etcd speaks with the members of a cluster's etcd by their JSON gateway, through whatever dials for it. It takes the
// member of a host that has lost its data, or that is to leave, out: never one that answers and was not to leave, and never one
// without which the others do not go on. It says how the members are, and takes snapshots of which it proves that they are whole.
package etcd
