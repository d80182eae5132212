package ssh

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	xssh "golang.org/x/crypto/ssh"
)

// checkCertificate accepts a host certificate that a known authority signed for this host. The first name by which the
// authority is known decides, and a revocation by that name or one before it: check_host_key in OpenSSH's sshconnect.c. An
// error that is no *HostKeyError says what is wrong with the certificate alone; it is nil where no authority is known.
func (v *verifier) checkCertificate(cert *xssh.Certificate) (accepted bool, err error) {
	var authorities []string
	for _, known := range v.names {
		for _, key := range []xssh.PublicKey{cert.SignatureKey, cert.Key} {
			if revoked := revocation(known.lines, key); revoked != nil {
				return false, v.revoked(key, revoked)
			}
		}
		for _, l := range known.lines {
			if l.marker != markAuthority {
				continue
			}
			if sameKey(l.key, cert.SignatureKey) {
				err := checkHostCertificate(cert, v.target.certifiedName())
				return err == nil, err
			}
			authorities = append(authorities, l.known().String())
		}
	}
	if len(authorities) == 0 {
		return false, nil
	}
	return false, fmt.Errorf("signed by %s %s, but known as authorities are %s", cert.SignatureKey.Type(),
		xssh.FingerprintSHA256(cert.SignatureKey), strings.Join(authorities, ", "))
}

// authoritySignatures are the algorithms by which an authority may have signed: SSH_ALLOWED_CA_SIGALGS in OpenSSH's
// myproposal.h. RSA with SHA-1 (ssh-rsa) is not among them, which x/crypto accepts.
func authoritySignatures() []string {
	return []string{
		xssh.KeyAlgoED25519, xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA384, xssh.KeyAlgoECDSA521,
		xssh.KeyAlgoSKED25519, xssh.KeyAlgoSKECDSA256, xssh.KeyAlgoRSASHA512, xssh.KeyAlgoRSASHA256,
	}
}

// checkHostCertificate checks all of a host certificate but whether its authority is known: sshkey_cert_check_host in
// OpenSSH's sshkey.c. x/crypto's CertChecker has the signature and the time right; it accepts SHA-1, a certificate for any
// host, which OpenSSH refuses since December 2025, and one critical option, where a host certificate may have none. Names of
// hosts are compared as they are: patterns in certificates are as new, and no older ssh would accept them.
func checkHostCertificate(cert *xssh.Certificate, host string) error {
	host = asciiLower(host)
	switch {
	case !slices.Contains(authoritySignatures(), cert.Signature.Format):
		return fmt.Errorf("its authority signed it by %.40q, which is too weak: sign it anew with ssh-keygen -t rsa-sha2-512", cert.Signature.Format)
	case len(cert.ValidPrincipals) == 0:
		return errors.New("it names no host: sign it anew with ssh-keygen -n NAME")
	case len(cert.CriticalOptions) > 0:
		return errors.New("it has critical options, which a host certificate may not have")
	}
	checker := xssh.CertChecker{IsHostAuthority: func(xssh.PublicKey, string) bool { return true }} // the caller has looked
	return checker.CheckHostKey(net.JoinHostPort(host, "0"), nil, cert)
}
