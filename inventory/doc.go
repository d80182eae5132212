// Package inventory reads the cluster file: the hosts of a cluster, how to reach
// them, and what is to run on them.
//
// It decodes strictly (an unknown key is an error), fills in the defaults, and
// reports every problem of a file at once, each with its line. It also edits the
// file's text in place, keeping comments, order and blank lines.
//
// It never connects to a host, never looks whether a named file exists, never
// writes a file, and knows nothing of Kubernetes' API types: a [Check] brings
// such knowledge in from outside.
package inventory
