package ssh

import (
	"fmt"
	"os"
	"strings"

	"fairlead/provision/remote"
)

// KnownKey is a key of a host as a known_hosts file holds it.
type KnownKey struct {
	// File and Line are where it stands.
	File string
	Line int
	// Type is the key's type, such as ssh-ed25519, and Fingerprint its "SHA256:…". Both are empty when it cannot be read.
	Type, Fingerprint string
}

// String is "type fingerprint at file:line".
func (k KnownKey) String() string {
	return fmt.Sprintf("%s %s at %s:%d", k.Type, k.Fingerprint, k.File, k.Line)
}

// HostKeyError is a host whose key is unknown, changed or revoked. It is a remote.ErrHostKey.
type HostKeyError struct {
	// Host is the Target's Name and Address what was dialed, host:port.
	Host, Address string
	// KeyType, Fingerprint and Key are what the host offered; Key is "type base64" as known_hosts has it.
	KeyType, Fingerprint, Key string
	// Known are the keys that the files hold for this host, or the revoked entry. Empty means the host is unknown.
	Known []KnownKey
	// Files are the files that were searched, the first being the one to add to.
	Files []string
	// Pin is the pinned key or fingerprint that was expected; empty when there was no pin.
	Pin string
	// Revoked says that the offered key is marked @revoked, or may be, if Cause is set.
	Revoked bool
	// Jump says that the host is one to go through, for which the inventory has no pin.
	Jump bool
	// Cause is what is wrong with a host certificate or with a line that is marked @revoked, else nil.
	Cause error

	name string // the host as known_hosts names it
}

// Is makes errors.Is(err, remote.ErrHostKey) hold.
func (e *HostKeyError) Is(target error) bool { return target == remote.ErrHostKey }

// Unwrap returns Cause.
func (e *HostKeyError) Unwrap() error { return e.Cause }

// Changed tells a host that is known by another key from an unknown one.
func (e *HostKeyError) Changed() bool { return len(e.Known) > 0 || e.Pin != "" }

// Unknown tells a host of which nothing is known, so that its key can be taken for its own by whoever has compared it.
func (e *HostKeyError) Unknown() bool { return !e.Revoked && !e.Changed() }

// Error shows the fingerprint, where the other key stands, and what to do.
func (e *HostKeyError) Error() string {
	offered := fmt.Sprintf("host key of %s (%s): the host offers %s %s", e.Host, e.Address, e.KeyType, e.Fingerprint)
	switch {
	case e.Revoked && e.Cause != nil:
		return fmt.Sprintf("%s, and %s:%d revokes a key that cannot be read (%v), which may be this one: correct or delete that line",
			offered, e.Known[0].File, e.Known[0].Line, e.Cause)
	case e.Revoked:
		return offered + ", which is revoked at " + e.places() +
			": do not connect; give the host a new key with ssh-keygen -A"
	case e.Pin != "":
		return offered + ", but ssh.hostKey is " + e.Pin +
			": if the host was reinstalled, " + e.compare() + " and set ssh.hostKey to it; if not, somebody may be in between"
	}
	if e.Cause != nil {
		offered += fmt.Sprintf(" in a certificate that is not valid here (%v)", e.Cause)
	}
	if len(e.Known) > 0 {
		return offered + ", but known is " + e.places() + ": if the host was reinstalled, " + e.compare() +
			", then remove the old key with: " + e.removal() + "; if not, somebody may be in between"
	}
	return offered + ", and no known key" + e.makeKnown()
}

// makeKnown is how to make an unknown host known.
func (e *HostKeyError) makeKnown() string {
	pin, file := "set ssh.hostKey: \""+e.Fingerprint+"\" for this host", e.firstFile()
	switch {
	case file != "" && e.Jump:
		return ": " + e.compare() + ", then run fairlead trust, or add this line to " + file + ":\n" + e.name + " " + e.Key
	case file != "":
		return ": " + e.compare() + ", then run fairlead trust, or add this line to " + file + ":\n" + e.name + " " + e.Key + "\nor " + pin
	case e.Jump: // which no pin is for
		return ", as UserKnownHostsFile of ssh's configuration, or ssh.knownHosts, keeps none: " + e.compare() + ", then name a file there that keeps them"
	}
	return ", as UserKnownHostsFile of ssh's configuration, or ssh.knownHosts, keeps none: " + e.compare() +
		", then run fairlead trust --pin, or " + pin + ", or name a file that keeps them with ssh.knownHosts"
}

// compare is the advice that makes trusting a key more than a guess.
func (e *HostKeyError) compare() string {
	return "compare the fingerprint with the one on the host's console (" + FingerprintCommand(e.KeyType) + ")"
}

// FingerprintCommand is what shows, on a host, the fingerprint of its key of a type.
func FingerprintCommand(keyType string) string {
	kind := strings.TrimPrefix(keyType, "ssh-")
	if strings.HasPrefix(kind, "ecdsa") {
		kind = "ecdsa"
	}
	return "ssh-keygen -lf /etc/ssh/ssh_host_" + kind + "_key.pub"
}

// places lists the known keys as "type fingerprint at file:line".
func (e *HostKeyError) places() string {
	var all []string
	for _, k := range e.Known {
		all = append(all, k.String())
	}
	return strings.Join(all, ", ")
}

// removal is one ssh-keygen -R per file that knows the host by another key.
func (e *HostKeyError) removal() string {
	var all []string
	seen := map[string]bool{}
	for _, k := range e.Known {
		if !seen[k.File] {
			seen[k.File] = true
			all = append(all, remote.Quote([]string{"ssh-keygen", "-R", e.name, "-f", k.File}))
		}
	}
	return strings.Join(all, "; ")
}

// Keepable says that there is a known_hosts file to add the key to.
func (e *HostKeyError) Keepable() bool { return e.firstFile() != "" }

// firstFile is the file to add the key to; none keeps anything where ssh's configuration says so.
func (e *HostKeyError) firstFile() string {
	if len(e.Files) == 0 || e.Files[0] == os.DevNull {
		return ""
	}
	return e.Files[0]
}
