// Package bench measures how long fairlead takes to make a cluster of lab hosts, beside a
// plain shell script that does the same from the same bundle, and beside kubeadm alone.
//
// Every measurement starts from hosts in a known state: newly created, or prepared (all
// software and images there) with the cluster taken away. The bundle is read once before,
// so that it is in the page cache for all alike.
//
// It measures as well what "check" and "plan" take for a fleet of up to thousands of hosts that
// are nothing but SSH servers, beside a program that asks all of them the same and does nothing
// else, and how that grows with the number of hosts. Of these, it is fairlead's own process that
// is measured.
//
// Reports judge figures by goals. That a goal is missed is a line of the report and no error here.
package bench
