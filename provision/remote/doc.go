// Package remote is a machine at the end of a Transport: it runs commands and scripts there, reads and writes files as
// root, and opens connections from there. The packages below it are the ways to machines: ssh over the network, local to
// the machine itself. This package knows none of them.
//
// What it promises:
//
//   - Commands are argument lists until the last moment and reach the host unchanged whatever the user's login shell
//     is; scripts travel on standard input, and begin when they have arrived whole.
//   - A login shell cannot read what is meant for a command, and what it says is never taken for the command's.
//   - A password for sudo is read by sudo, and by nothing else; one that is wrong is tried once.
//   - No host holds a command up, or takes memory, without a bound: it has a time to begin each, and may say so much.
//   - Cancelling the context of a command ends its process group on the host.
//   - A file is there whole or as it was before, never in between, and a secret is mode 0600 before its first byte.
//   - When the way to the host is gone, everything that waits on it gets ErrLost.
//
// What it never does: retry, reconnect, ask the user, print, learn anything about Kubernetes, or put the content of a
// file, a script or a secret's output in a log or an error.
package remote
