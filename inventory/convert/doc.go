// Package convert makes cluster files of other tools' files: what those say of hosts, their roles and the ways to them, and of
// the cluster as far as a cluster file can say it, too.
//
// It goes from bytes to a Draft, and from that to the text of a cluster file. Nothing of a file is dropped silently: what has no
// counterpart, or is not taken as it is, becomes a note, and notes become comments of the written file, with line and key.
// Secrets are never copied, and notes have no values but those of versions, subnets, names and the like.
//
// The package never reads a file, asks a host or looks up a name.
package convert
