// Package remote is a machine reached over SSH: it runs commands and scripts there, reads and writes files as
// root, and opens connections from there, all over one TCP connection for as long as the Host lives.
//
// What it promises:
//
//   - The host key is verified before anything is sent: against known_hosts as OpenSSH reads it, or against a pin.
//     No option turns that off.
//   - Commands are argument lists until the last moment and reach the host unchanged whatever the user's login shell
//     is; scripts travel on standard input.
//   - Cancelling the context of a command ends its process group on the host.
//   - A file is there whole or as it was before, never in between, and a secret is mode 0600 before its first byte.
//   - A connection whose peer has gone is noticed within seconds, and everything that waits on it gets ErrLost.
//
// What it never does: retry, reconnect, ask the user, print, learn anything about Kubernetes, or put the content of a
// file, a script or a secret's output in a log or an error.
package remote
