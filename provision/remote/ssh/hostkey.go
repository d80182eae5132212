package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"

	xssh "golang.org/x/crypto/ssh"
)

// verifier decides whether a host is the one that was meant.
type verifier struct {
	target      Target
	files       []string
	names       []knownName // as knownNames has them; without lines where the key is pinned
	pinnedKey   xssh.PublicKey
	pinnedPrint string
}

// knownName is a name of the host and what is known by it.
type knownName struct {
	name  string
	lines []knownLine
}

// verifier is what is known about the target.
func (d *Dialer) verifier(t Target) (*verifier, error) {
	v := &verifier{target: t}
	for _, name := range t.knownNames() {
		v.names = append(v.names, knownName{name: name})
	}
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
	revoked, err := d.revoked.all(t.RevokedKeys)
	if err != nil {
		return nil, err
	}
	for i := range v.names {
		v.names[i].lines = append(v.names[i].lines, revoked...)
		for _, f := range v.files {
			lines, err := d.known.about(f, v.names[i].name)
			if err != nil {
				return nil, err
			}
			v.names[i].lines = append(v.names[i].lines, lines...)
		}
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
	if _, ok := key.(*xssh.Certificate); ok {
		return fmt.Errorf("read host key pin %q: it is a certificate; give the key itself, or put @cert-authority into known_hosts", text)
	}
	v.pinnedKey = key
	return nil
}

// check is the xssh.HostKeyCallback.
func (v *verifier) check(_ string, _ net.Addr, key xssh.PublicKey) error {
	cert, certified := key.(*xssh.Certificate)
	switch {
	case v.pinnedKey != nil || v.pinnedPrint != "":
		return v.checkPin(key)
	case !certified:
		return v.checkPlain(key)
	}
	accepted, refused := v.checkCertificate(cert)
	switch {
	case accepted:
		return nil
	case errors.As(refused, new(*HostKeyError)):
		return refused
	}
	// Without an authority for it a certificate is no more than the key within, which may be known.
	err := v.checkPlain(cert.Key)
	var unknown *HostKeyError
	if errors.As(err, &unknown) {
		unknown.Cause = refused
	}
	return err
}

func (v *verifier) checkPin(key xssh.PublicKey) error {
	if v.pinnedKey != nil && sameKey(v.pinnedKey, key) || v.pinnedPrint != "" && xssh.FingerprintSHA256(key) == v.pinnedPrint {
		return nil
	}
	return v.problem(key)
}

// checkPlain accepts a key that is known by the first name that any key is known by, and not revoked by that name or one
// before it: check_host_key in OpenSSH's sshconnect.c.
func (v *verifier) checkPlain(key xssh.PublicKey) error {
	for _, known := range v.names {
		if revoked := revocation(known.lines, key); revoked != nil {
			return v.revoked(key, revoked)
		}
		e := v.problem(key)
		for _, l := range known.lines {
			if l.marker != "" {
				continue
			}
			if sameKey(l.key, key) {
				return nil
			}
			e.name, e.Known = known.name, append(e.Known, l.known())
		}
		if len(e.Known) > 0 {
			return e
		}
	}
	return v.problem(key)
}

// revocation is the line that revokes a key, or may do so, else nil. What is revoked is a key, however it is
// shown or written: a certificate of a revoked key is refused as well, and so is a key whose certificate is revoked
// (check_key_not_revoked in hostfile.c).
func revocation(lines []knownLine, key xssh.PublicKey) *knownLine {
	for _, l := range lines {
		if l.marker != markRevoked {
			continue
		}
		if l.unreadable != nil || sameKey(withoutCertificate(l.key), withoutCertificate(key)) {
			return &l
		}
	}
	return nil
}

// revoked is the error of a key that a line revokes, or may revoke.
func (v *verifier) revoked(key xssh.PublicKey, line *knownLine) *HostKeyError {
	e := v.problem(key)
	e.Revoked, e.Known, e.Cause = true, []KnownKey{line.known()}, line.unreadable
	return e
}

func (v *verifier) problem(key xssh.PublicKey) *HostKeyError {
	key = withoutCertificate(key)
	return &HostKeyError{
		Host: v.target.Name, Address: v.target.addr(), name: v.names[0].name, Files: v.files, Pin: strings.TrimSpace(v.target.HostKey), Jump: v.target.isJump,
		KeyType: key.Type(), Fingerprint: xssh.FingerprintSHA256(key),
		Key: strings.TrimSpace(string(xssh.MarshalAuthorizedKey(key))),
	}
}

func (k knownLine) known() KnownKey {
	known := KnownKey{File: k.file, Line: k.line}
	if k.key != nil {
		known.Type, known.Fingerprint = k.key.Type(), xssh.FingerprintSHA256(k.key)
	}
	return known
}

// withoutCertificate is the key that a certificate certifies; other keys are returned as they are.
func withoutCertificate(key xssh.PublicKey) xssh.PublicKey {
	if cert, ok := key.(*xssh.Certificate); ok {
		return cert.Key
	}
	return key
}

func sameKey(a, b xssh.PublicKey) bool {
	return bytes.Equal(a.Marshal(), b.Marshal())
}
