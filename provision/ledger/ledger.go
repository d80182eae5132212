package ledger

import (
	"fmt"
	"slices"
)

// Entry is one line of the host's ledger: what fairlead touched and how it was.
type Entry struct {
	Kind string `json:"kind"`
	Key  string `json:"key"`
	Was  string `json:"was,omitzero"`
}

// Touch is something on a host that an action changes.
type Touch struct{ Kind, Key string }

// Kinds of ledger entries; scripts/record.sh and scripts/reset.sh know them too.
const (
	File   = "file"   // a regular file
	Tree   = "tree"   // a folder and all that will be in it
	Dir    = "dir"    // a folder that is only needed to be there
	Sysctl = "sysctl" // a kernel parameter
	Module = "module" // a kernel module
	Unit   = "unit"   // a systemd unit's enablement and state
	Swap   = "swap"   // all active swap devices
	Net    = "net"    // interfaces, netfilter tables and rules
	// Package is a package; scripts/packages.sh writes these entries itself, because only
	// the package manager knows what it brings along.
	Package = "package"
)

// Files are touches of regular files.
func Files(paths ...string) []Touch {
	var touched []Touch
	for _, path := range paths {
		touched = append(touched, Touch{File, path})
	}
	return touched
}

// Unrecorded are the touches that the host's ledger does not hold yet.
func Unrecorded(touched []Touch, ledger []Entry) []Touch {
	return slices.DeleteFunc(slices.Clone(touched), func(t Touch) bool {
		return slices.ContainsFunc(ledger, func(e Entry) bool { return e.Kind == t.Kind && e.Key == t.Key })
	})
}

func (t Touch) String() string { return fmt.Sprintf("%s:%s", t.Kind, t.Key) }

// Trees are touches of folders and all that will be in them.
func Trees(paths []string) []Touch {
	var touched []Touch
	for _, path := range paths {
		touched = append(touched, Touch{Tree, path})
	}
	return touched
}
