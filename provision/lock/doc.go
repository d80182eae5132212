// Package lock lets one run at a time change a cluster. Who holds the lock is a record in the cluster itself (a Lease) and on a
// host (a file that goes when the host restarts); whoever holds it renews the record, and one that is renewed no longer is taken
// over. It never compares the clocks of two machines: that a record counts is seen by its changing.
package lock
