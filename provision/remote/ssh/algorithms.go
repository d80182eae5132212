package ssh

import (
	xssh "golang.org/x/crypto/ssh"
)

// hostKeyAlgorithm is an algorithm by which a host may prove its key.
type hostKeyAlgorithm struct {
	name        string
	keyType     string // of the key, also where that is in a certificate
	certificate bool
}

// hostKeyAlgorithms are those of OpenSSH, the preferred one first: KEX_DEFAULT_PK_ALG in its myproposal.h. Keys that
// need somebody's touch (sk-) are left out, as they are no keys of hosts.
func hostKeyAlgorithms() []hostKeyAlgorithm {
	return []hostKeyAlgorithm{
		{xssh.CertAlgoED25519v01, xssh.KeyAlgoED25519, true},
		{xssh.CertAlgoECDSA256v01, xssh.KeyAlgoECDSA256, true},
		{xssh.CertAlgoECDSA384v01, xssh.KeyAlgoECDSA384, true},
		{xssh.CertAlgoECDSA521v01, xssh.KeyAlgoECDSA521, true},
		{xssh.CertAlgoRSASHA512v01, xssh.KeyAlgoRSA, true},
		{xssh.CertAlgoRSASHA256v01, xssh.KeyAlgoRSA, true},
		{xssh.KeyAlgoED25519, xssh.KeyAlgoED25519, false},
		{xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA256, false},
		{xssh.KeyAlgoECDSA384, xssh.KeyAlgoECDSA384, false},
		{xssh.KeyAlgoECDSA521, xssh.KeyAlgoECDSA521, false},
		{xssh.KeyAlgoRSASHA512, xssh.KeyAlgoRSA, false},
		{xssh.KeyAlgoRSASHA256, xssh.KeyAlgoRSA, false},
	}
}

// proposals returns the lists of host key algorithms to try, one connection each. There is one list, unless the pin is
// a fingerprint: that does not tell the key's type, and a host offers one key per connection. A pin is a key, so that
// no certificate is asked for.
func (v *verifier) proposals() [][]string {
	if v.pinnedPrint == "" {
		return [][]string{v.algorithms()}
	}
	return [][]string{
		{xssh.KeyAlgoED25519},
		{xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA384, xssh.KeyAlgoECDSA521},
		{xssh.KeyAlgoRSASHA512, xssh.KeyAlgoRSASHA256},
	}
}

// algorithms puts the types of known keys first, so that a host with several keys shows the one that is known. The others
// follow, so that a key of another type is reported as such and not as a failed negotiation. The order is that of
// order_hostkeyalgs in OpenSSH's sshconnect2.c: the order decides which key a host shows, and so whether it is accepted.
func (v *verifier) algorithms() []string {
	all := hostKeyAlgorithms()
	asTheyAre := v.pinnedKey == nil && v.knowsType(all[0].keyType)
	var first, last []string
	for _, a := range all {
		switch {
		case a.certificate && v.pinnedKey != nil:
		case asTheyAre, v.knowsType(a.keyType), a.certificate && v.hasAuthority():
			first = append(first, a.name)
		default:
			last = append(last, a.name)
		}
	}
	return append(first, last...)
}

// hasAuthority tells whether a certificate can make the host known by its first name.
func (v *verifier) hasAuthority() bool {
	for _, l := range v.names[0].lines {
		if l.marker == markAuthority {
			return true
		}
	}
	return false
}

// knowsType tells whether a key of that type is known. Only the first one counts, and not when it is revoked:
// lookup_key_in_hostkeys_by_type in hostfile.c.
func (v *verifier) knowsType(keyType string) bool {
	if v.pinnedKey != nil {
		return v.pinnedKey.Type() == keyType
	}
	lines := v.names[0].lines
	for _, l := range lines {
		if l.marker == "" && l.key.Type() == keyType {
			return revocation(lines, l.key) == nil
		}
	}
	return false
}
