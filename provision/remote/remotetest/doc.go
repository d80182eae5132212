// Package remotetest is what tests of the ways to hosts share: a real sshd, keys, stand-ins for sudo, a log.
package remotetest
