package ssh

import (
	"errors"
	"fmt"
	"strings"

	"fairlead/provision/remote"
)

// JumpError is trouble with a jump host, and so with all hosts behind it: it says the same for each of them.
type JumpError struct {
	// Host is the jump host, with its user and port, and its Jump the way to it.
	Host Target
	// To is the address that it lets nobody through to, with remote.ErrForwarding.
	To string
	// Err is what is wrong: remote.ErrLost, remote.ErrForwarding, or why it cannot be connected to.
	Err error
}

// Error names the jump host.
func (e *JumpError) Error() string {
	name, cause := e.Host.jumpName(), e.Err.Error()
	rest := func(what string) string { return strings.TrimPrefix(cause, what+": ") }
	switch {
	case errors.Is(e.Err, remote.ErrLost):
		return "the connection to " + name + " was lost: " + rest(remote.ErrLost.Error())
	case errors.Is(e.Err, remote.ErrForwarding):
		return fmt.Sprintf("%s lets no connections through to %s; allow them there (AllowTcpForwarding, DisableForwarding and PermitOpen "+
			"of its sshd_config): %s", name, e.To, rest(remote.ErrForwarding.Error()))
	}
	return "connect to " + name + ": " + cause
}

// Unwrap returns Err.
func (e *JumpError) Unwrap() error { return e.Err }

// jumpName is what messages call a jump host.
func (t Target) jumpName() string {
	return fmt.Sprintf("the jump host %s (%s@%s)", t.Name, t.User, t.addr()) // its name is its alias
}
