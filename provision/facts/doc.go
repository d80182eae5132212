// Package facts holds what was observed of hosts and of their cluster, as data that can be written
// down and read again. It decides nothing.
package facts
