// Command fairlead turns the hosts of an inventory file into a Kubernetes cluster over SSH.
//
// Each command reads its flags, makes one call of package provision and shows the events
// of that run. Results go to standard output, everything else to standard error. It never
// decides what is to be done on a host: that is the plan's.
package main
