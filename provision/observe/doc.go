// Package observe looks at hosts and at their cluster and gives facts. It changes nothing. What was
// not answered is not known: absence is never taken from an error.
package observe
