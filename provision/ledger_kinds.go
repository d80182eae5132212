package provision

import (
	"fmt"
	"slices"
)

// LedgerEntry is one line of the host's ledger: what fairlead touched and how it was.
type LedgerEntry struct{ Kind, Key, Was string }

// touch is something on a host that an action changes.
type touch struct{ kind, key string }

// Kinds of ledger entries; scripts/record.sh and scripts/reset.sh know them too.
const (
	touchFile   = "file"   // a regular file
	touchTree   = "tree"   // a folder and all that will be in it
	touchDir    = "dir"    // a folder that is only needed to be there
	touchSysctl = "sysctl" // a kernel parameter
	touchModule = "module" // a kernel module
	touchUnit   = "unit"   // a systemd unit's enablement and state
	touchSwap   = "swap"   // all active swap devices
	touchNet    = "net"    // interfaces, netfilter tables and rules
	// touchPackage is a package; scripts/packages.sh writes these entries itself, because only
	// the package manager knows what it brings along.
	touchPackage = "package"
)

func files(paths ...string) []touch {
	var touched []touch
	for _, path := range paths {
		touched = append(touched, touch{touchFile, path})
	}
	return touched
}

// unrecorded are the touches that the host's ledger does not hold yet.
func unrecorded(touched []touch, ledger []LedgerEntry) []touch {
	return slices.DeleteFunc(slices.Clone(touched), func(t touch) bool {
		return slices.ContainsFunc(ledger, func(e LedgerEntry) bool { return e.Kind == t.kind && e.Key == t.key })
	})
}

func (t touch) String() string { return fmt.Sprintf("%s:%s", t.kind, t.key) }

func trees(paths []string) []touch {
	var touched []touch
	for _, path := range paths {
		touched = append(touched, touch{touchTree, path})
	}
	return touched
}
