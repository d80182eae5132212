// Package bench measures how long fairlead takes to make a cluster of lab hosts, beside a
// plain shell script that does the same from the same bundle, and beside kubeadm alone.
//
// Every measurement starts from hosts in a known state: newly created, or prepared (all
// software and images there) with the cluster taken away. The bundle is read once before,
// so that it is in the page cache for all alike.
//
// The package judges nothing: that a goal is missed is a line of the report, not an error.
package bench
