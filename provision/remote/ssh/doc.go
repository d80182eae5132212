// Package ssh reaches machines by SSH: each connection is a remote.Transport, over one TCP connection for as long as the
// Host lives. A Dialer makes the connections of one run, and reads keys, known hosts and the agent once for all of them.
//
// What it promises:
//
//   - The host key is verified before anything is sent: against known_hosts as OpenSSH reads it, or against a pin.
//     No option turns that off.
//   - A connection whose peer has gone is noticed within seconds, and everything that waits on it gets remote.ErrLost.
//   - A host that is slow or dead holds up no other.
//
// What it never does: retry, reconnect, ask the user but for a passphrase and by Options.Passphrase, print, read ssh_config.
package ssh
