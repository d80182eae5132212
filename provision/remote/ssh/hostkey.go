package ssh

import (
	"bytes"
	"fmt"
	"net"
	"strings"

	xssh "golang.org/x/crypto/ssh"
)

// algorithmsByType are the host key algorithms to ask for, the preferred key type first, each with the algorithms of
// its host certificates.
var algorithmsByType = []struct {
	keyTypes, plain, certs []string
}{
	{[]string{xssh.KeyAlgoED25519}, []string{xssh.KeyAlgoED25519}, []string{xssh.CertAlgoED25519v01}},
	{
		[]string{xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA384, xssh.KeyAlgoECDSA521},
		[]string{xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA384, xssh.KeyAlgoECDSA521},
		[]string{xssh.CertAlgoECDSA256v01, xssh.CertAlgoECDSA384v01, xssh.CertAlgoECDSA521v01},
	},
	{
		[]string{xssh.KeyAlgoRSA},
		[]string{xssh.KeyAlgoRSASHA512, xssh.KeyAlgoRSASHA256},
		[]string{xssh.CertAlgoRSASHA512v01, xssh.CertAlgoRSASHA256v01},
	},
}

// verifier decides whether a host is the one that was meant.
type verifier struct {
	target      Target
	name        string // as known_hosts names the host
	files       []string
	lines       []knownLine // those about this host, revoked ones included
	pinnedKey   xssh.PublicKey
	pinnedPrint string
}

// verifier is what is known about the target.
func (d *Dialer) verifier(t Target) (*verifier, error) {
	v := &verifier{target: t, name: knownName(t.Address, t.Port)}
	if t.HostKey != "" {
		return v, v.pin(strings.TrimSpace(t.HostKey))
	}
	v.files = defaultKnownHosts()
	if t.KnownHosts != nil {
		v.files = nil
		for _, f := range t.KnownHosts {
			path, err := expandHome(f)
			if err != nil {
				return nil, err
			}
			v.files = append(v.files, path)
		}
	}
	for _, f := range v.files {
		lines, err := d.known.about(f, v.name)
		if err != nil {
			return nil, err
		}
		v.lines = append(v.lines, lines...)
	}
	return v, nil
}

func (v *verifier) pin(text string) error {
	if strings.HasPrefix(text, "SHA256:") {
		v.pinnedPrint = strings.TrimRight(text, "=")
		return nil
	}
	key, _, _, _, err := xssh.ParseAuthorizedKey([]byte(text)) //nolint:dogsled // comment, options and rest do not matter
	if err != nil {
		return fmt.Errorf("read host key pin %q: want \"SHA256:…\" or \"ssh-ed25519 AAAA…\": %w", text, err)
	}
	v.pinnedKey = key
	return nil
}

// proposals returns the lists of host key algorithms to try, one connection each. There is one list, unless the pin is
// a fingerprint: that does not tell the key's type, and a host offers one key per connection.
func (v *verifier) proposals() [][]string {
	if v.pinnedPrint == "" {
		return [][]string{v.algorithms()}
	}
	var lists [][]string
	for _, row := range algorithmsByType {
		lists = append(lists, row.plain)
	}
	return lists
}

// algorithms puts the types of known keys first, so that a host with several keys shows the one that is known.
// The others follow, so that a key of another type is reported as such and not as a failed negotiation.
func (v *verifier) algorithms() []string {
	var certs, first, rest []string
	for _, row := range algorithmsByType {
		if v.hasAuthority() {
			certs = append(certs, row.certs...)
		}
		for i, algo := range row.plain {
			if v.knowsType(row.keyTypes[min(i, len(row.keyTypes)-1)]) {
				first = append(first, algo)
				continue
			}
			rest = append(rest, algo)
		}
	}
	return append(append(certs, first...), rest...)
}

func (v *verifier) hasAuthority() bool {
	for _, l := range v.lines {
		if l.marker == markAuthority {
			return true
		}
	}
	return false
}

func (v *verifier) knowsType(keyType string) bool {
	if v.pinnedKey != nil {
		return v.pinnedKey.Type() == keyType
	}
	for _, l := range v.lines {
		if l.marker == "" && l.key.Type() == keyType {
			return true
		}
	}
	return false
}

// check is the xssh.HostKeyCallback.
func (v *verifier) check(addr string, peer net.Addr, key xssh.PublicKey) error {
	if cert, ok := key.(*xssh.Certificate); ok {
		return v.checkCertificate(addr, peer, cert)
	}
	switch {
	case v.pinnedKey != nil && sameKey(v.pinnedKey, key):
		return nil
	case v.pinnedPrint != "" && xssh.FingerprintSHA256(key) == v.pinnedPrint:
		return nil
	}
	if revoked := v.revoked(key); revoked != nil {
		return revoked
	}
	e := v.problem(key)
	for _, l := range v.lines {
		if l.marker != "" {
			continue
		}
		if sameKey(l.key, key) {
			return nil
		}
		e.Known = append(e.Known, l.known())
	}
	return e
}

// checkCertificate accepts a host certificate that one of the known authorities signed for this host.
func (v *verifier) checkCertificate(addr string, peer net.Addr, cert *xssh.Certificate) error {
	for _, key := range []xssh.PublicKey{cert.Key, cert.SignatureKey} {
		if revoked := v.revoked(key); revoked != nil {
			return revoked
		}
	}
	checker := xssh.CertChecker{IsHostAuthority: func(authority xssh.PublicKey, _ string) bool {
		for _, l := range v.lines {
			if l.marker == markAuthority && sameKey(l.key, authority) {
				return true
			}
		}
		return false
	}}
	if err := checker.CheckHostKey(addr, peer, cert); err != nil {
		e := v.problem(cert.Key)
		e.Cause = err
		return e
	}
	return nil
}

// revoked returns the error for a key that is marked @revoked, else nil.
func (v *verifier) revoked(key xssh.PublicKey) error {
	for _, l := range v.lines {
		if l.marker == markRevoked && sameKey(l.key, key) {
			e := v.problem(key)
			e.Revoked, e.Known = true, []KnownKey{l.known()}
			return e
		}
	}
	return nil
}

func (v *verifier) problem(key xssh.PublicKey) *HostKeyError {
	return &HostKeyError{
		Host: v.target.Name, Address: v.target.addr(), name: v.name, Files: v.files, Pin: strings.TrimSpace(v.target.HostKey),
		KeyType: key.Type(), Fingerprint: xssh.FingerprintSHA256(key),
		Key: strings.TrimSpace(string(xssh.MarshalAuthorizedKey(key))),
	}
}

func (k knownLine) known() KnownKey {
	return KnownKey{File: k.file, Line: k.line, Type: k.key.Type(), Fingerprint: xssh.FingerprintSHA256(k.key)}
}

func sameKey(a, b xssh.PublicKey) bool {
	return bytes.Equal(a.Marshal(), b.Marshal())
}
