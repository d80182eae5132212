// Package etcd speaks with the members of a cluster's etcd by their JSON gateway, through whatever dials for it. It takes the
// member of a host that has lost its data out, and never one that answers; it says how the members are, and takes snapshots of
// which it proves that they are whole.
package etcd
