// Package ledger knows what a host's ledger can hold: what fairlead touches there, and how it was
// before. The scripts record.sh, packages.sh and reset.sh read and write the file itself.
package ledger
