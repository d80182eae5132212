package ssh

import (
	"context"
	"errors"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

// errKeyShown ends a handshake that was about the host key alone.
var errKeyShown = errors.New("the host key is all that was asked for")

// ShownKey is the key that a host has shown, and what is known of it.
type ShownKey struct {
	// Address is what was dialed, host:port, also where that showed no key.
	Address string
	// Type, Fingerprint and Key are the key's, without a certificate; Key is "type base64" as known_hosts has it.
	Type, Fingerprint, Key string
	// Refused is why a login would be refused, nil where the host is known by this key.
	Refused *HostKeyError
	// Pinned says that the Target's HostKey is this key.
	Pinned bool
	// Known is the line by which the host is known, nil where it is refused or pinned. With Authority it is that of an authority
	// that has signed the host's certificate.
	Known     *KnownKey
	Authority bool
	// Elsewhere are the lines that know the same key by names of other hosts, for a key that is unknown.
	Elsewhere []KnownKey

	name string // by which known_hosts is to know the host
	file string // the known_hosts file to add to; see File
}

// File is the known_hosts file that ssh itself would add the key to; empty where the key is pinned, or ssh's configuration keeps
// none.
func (k ShownKey) File() string { return k.file }

// Unknown says that nothing is known of the host: neither this key nor another one.
func (k ShownKey) Unknown() bool { return k.Refused != nil && k.Refused.Unknown() }

// RefusedKey is the key of a host that was not accepted on the way to another one.
func RefusedKey(refused *HostKeyError) ShownKey {
	return ShownKey{
		Address: refused.Address, Type: refused.KeyType, Fingerprint: refused.Fingerprint, Key: refused.Key, Refused: refused,
		name: refused.name, file: refused.firstFile(),
	}
}

// HostKey asks a host for its key, by a handshake that ends before anything is said of a user. The host has proven that it
// has that key, which is the one that Dial would meet: the algorithms are asked for in the same order. Errors are as Dial's,
// but that a key that is refused is none.
func (d *Dialer) HostKey(ctx context.Context, t Target) (ShownKey, error) {
	t = t.withDefaults()
	known, err := d.verifier(t)
	if err != nil {
		return ShownKey{Address: t.addr()}, notReached(t.place(), err)
	}
	start := time.Now()
	shown, err := d.showKey(ctx, t, known)
	d.opts.Log.Debug("host key", "host", t.Name, "address", t.addr(), "type", shown.Type, "fingerprint", shown.Fingerprint,
		"duration", time.Since(start), "error", err)
	if err != nil {
		return ShownKey{Address: t.addr()}, notReached(t.place(), err)
	}
	return shown, nil
}

// showKey makes the handshakes that dialProposals would make. The key is the first one that is shown, unless another is the
// pinned one.
func (d *Dialer) showKey(ctx context.Context, t Target, known *verifier) (shown ShownKey, err error) {
	var met bool
	for _, algorithms := range known.proposals() {
		attempt := login{known: known, creds: &credentials{}, algorithms: algorithms, keyOnly: true}
		_, failed := d.dialOnce(ctx, t, &attempt) // never a connection
		var noCommon *xssh.AlgorithmNegotiationError
		switch {
		case attempt.shown == nil && errors.As(failed, &noCommon):
			err = failed
			continue
		case attempt.shown == nil:
			return ShownKey{}, failed
		case attempt.refused == nil:
			return d.shownKey(known, attempt.shown, nil)
		case met:
			continue
		}
		met = true
		if shown, err = d.shownKey(known, attempt.shown, attempt.refused); err != nil {
			return ShownKey{}, err
		}
	}
	if met {
		return shown, nil
	}
	return ShownKey{}, err
}

// shownKey puts together what is known of a key.
func (d *Dialer) shownKey(v *verifier, key xssh.PublicKey, refused error) (ShownKey, error) {
	shown := RefusedKey(v.problem(key)) // with all that is said of a key
	shown.Refused = nil
	switch {
	case errors.As(refused, &shown.Refused):
		var err error
		if shown.Unknown() {
			shown.Elsewhere, err = d.elsewhere(v, withoutCertificate(key))
		}
		return shown, err
	case refused != nil:
		return ShownKey{}, refused
	case v.target.HostKey != "":
		shown.Pinned = true
		return shown, nil
	}
	shown.Known, shown.Authority = v.because(key)
	return shown, nil
}

// because is the line for which check accepts a key, and whether it is that of an authority.
func (v *verifier) because(key xssh.PublicKey) (known *KnownKey, authority bool) {
	if cert, certified := key.(*xssh.Certificate); certified {
		if accepted, _ := v.checkCertificate(cert); accepted {
			return v.line(markAuthority, cert.SignatureKey), true
		}
	}
	return v.line("", withoutCertificate(key)), false
}

// line is the first line with a marker and a key.
func (v *verifier) line(marker string, key xssh.PublicKey) *KnownKey {
	for _, name := range v.names {
		for _, l := range name.lines {
			if l.marker == marker && l.key != nil && sameKey(l.key, key) {
				known := l.known()
				return &known
			}
		}
	}
	return nil
}

// elsewhere are the lines of the target's files that know a key by any name.
func (d *Dialer) elsewhere(v *verifier, key xssh.PublicKey) ([]KnownKey, error) {
	var all []KnownKey
	for _, path := range v.files {
		file, err := d.known.file(path)
		if err != nil {
			return nil, err
		}
		for _, l := range file.lines {
			if l.marker == "" && sameKey(l.key, key) {
				all = append(all, l.known())
			}
		}
	}
	return all, nil
}
