// Package sshconfig finds out what OpenSSH's configuration says about a host, by asking `ssh -G`, where ssh is installed. There is
// no second reader of ssh_config(5): where there is no ssh, nothing is said.
//
// What it promises:
//
//   - An answer means what it means to ssh: tokens, environment variables and ~ are expanded where ssh would do it.
//   - What ssh would do with it, and fairlead cannot, is either a refusal or a note by name, never passed over.
//   - Each question is asked once in a run, when somebody wants to know, with a time limit.
//
// What it never does: connect to a host. ssh itself looks names up where CanonicalizeHostname says so, and runs what Match exec
// says.
package sshconfig
