package ssh

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// defaultIdentities are the files under ~/.ssh that are tried where none is given, in this order.
func defaultIdentities() []string { return []string{"id_ed25519", "id_ecdsa", "id_rsa"} }

// credentials are the keys and certificates to log in with to one host, a certificate always before its bare key: it is
// the more likely to be let in, and hosts count what they refuse.
type credentials struct {
	signers []xssh.Signer
	offered []string // what each signer is, for messages
	skipped []string // keys that could not be used and why
}

// credentials collects the keys for the target in the order of pubkey_prepare in OpenSSH's sshconnect2.c: certificates that
// are named, what the agent holds of the files' keys, what else it holds, the rest of the files. Files that take a passphrase
// come last: see addLocked.
func (k *keyring) credentials(ctx context.Context, t Target) (*credentials, error) {
	held, agentErr := k.agent(t.Agent).signers(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ids, err := k.identities(t)
	if err != nil {
		return nil, err
	}
	c := new(credentials)
	certs, err := c.certificates(t)
	if err != nil {
		return nil, err
	}
	c.addCertificates(certs, ids, held)
	for _, i := range ids {
		if i.public != nil && signerFor(held, i.public) != nil {
			c.addIdentity(i, held)
		}
	}
	if !t.IdentitiesOnly {
		for _, s := range held {
			c.add(s, "agent")
		}
	}
	for _, i := range ids {
		c.addIdentity(i, held)
	}
	for _, i := range ids {
		c.addLocked(i, certs)
	}
	return c, c.complain(t, ids, agentErr)
}

// identities are those of the target's files. Certificates beside them do not count where others are named
// (load_public_identity_files in OpenSSH's ssh.c).
func (k *keyring) identities(t Target) ([]identity, error) {
	files := t.IdentityFiles
	if files == nil {
		for _, name := range defaultIdentities() {
			files = append(files, filepath.Join("~", ".ssh", name))
		}
	}
	var ids []identity
	for _, file := range files {
		path, err := expandHome(file)
		if err != nil {
			return nil, err
		}
		i := k.file(path)
		if len(t.CertificateFiles) > 0 && i.beside {
			i.cert, i.noCert = nil, nil
		}
		ids = append(ids, i)
	}
	return ids, nil
}

// namedCertificate is a certificate that the target names.
type namedCertificate struct {
	path string
	cert *xssh.Certificate
}

// certificates reads those that the target names.
func (c *credentials) certificates(t Target) ([]namedCertificate, error) {
	var all []namedCertificate
	for _, file := range t.CertificateFiles {
		path, err := expandHome(file)
		if err != nil {
			return nil, err
		}
		switch cert, problem := readCertificate(path, nil); {
		case problem != nil:
			c.skipped = append(c.skipped, problem.Error())
		case cert == nil:
			c.skipped = append(c.skipped, "certificate "+path+" does not exist")
		default:
			all = append(all, namedCertificate{path, cert})
		}
	}
	return all, nil
}

// addCertificates adds certificates, signed for by their keys. Those of keys that take a passphrase wait for addLocked.
func (c *credentials) addCertificates(certs []namedCertificate, ids []identity, held []xssh.Signer) {
	for _, of := range certs {
		signer, locked := signerFor(held, of.cert.Key), false
		for _, i := range ids {
			if i.public == nil || !sameKey(i.public, of.cert.Key) {
				continue
			}
			locked = locked || i.locked != nil
			if signer == nil && i.signer != nil {
				signer = i.signer
			}
		}
		switch {
		case signer != nil:
			c.addCertified(of, signer)
		case !locked:
			c.skipped = append(c.skipped, "certificate "+of.path+" is of a key that neither the agent nor an identity file has")
		}
	}
}

func (c *credentials) addCertified(of namedCertificate, signer xssh.Signer) {
	if certified, err := xssh.NewCertSigner(of.cert, signer); err == nil { // of another key it is not
		c.add(certified, of.path)
	}
}

// complain is the error of having nothing to offer. Otherwise it notes what was not offered, for the error of a refused login.
func (c *credentials) complain(t Target, ids []identity, agentErr error) error {
	if chosen := t.IdentitiesOnly && len(ids) == 1; chosen && len(c.signers) == 0 {
		if ids[0].locked != nil { // its public half is not known, so that no host can be asked first
			return &lockedError{ids[0].locked}
		}
		return ids[0].unusable(agentErr)
	} else if agentErr != nil && (!chosen || !errors.Is(agentErr, errNoAgent)) {
		c.skipped = slices.Insert(c.skipped, 0, agentErr.Error())
	}
	c.skipUnusable(ids)
	if len(c.signers) > 0 {
		return nil
	}
	if i := slices.IndexFunc(ids, identity.absentDefault); i >= 0 {
		c.skipped = append(c.skipped, "no key in "+filepath.Dir(ids[i].path))
	}
	return fmt.Errorf("%w: no key to log in as %s: %s; set ssh.identityFile or add a key to the agent with ssh-add",
		remote.ErrAuth, t.login(), strings.Join(c.skipped, "; "))
}

// skipUnusable notes the files that gave no key.
func (c *credentials) skipUnusable(ids []identity) {
	for _, i := range ids {
		if i.err != nil && !i.absentDefault() && (i.public == nil || signerFor(c.signers, i.public) == nil) {
			c.skipped = append(c.skipped, i.err.Error())
		}
	}
}

// unusable is the error of an identity that is the only one and cannot be used.
func (i identity) unusable(agentErr error) error {
	switch {
	case i.public == nil:
		return fmt.Errorf("%w: %s: %s", remote.ErrAuth, i.err.reason, i.mend())
	case agentErr != nil:
		return fmt.Errorf("%w: %s, and its key is not to be had from an agent (%w): %s", remote.ErrAuth, i.err.reason, agentErr, i.mend())
	}
	return fmt.Errorf("%w: %s, and the agent does not hold its key: %s", remote.ErrAuth, i.err.reason, i.mend())
}

// mend is what to do about a file that gives no key.
func (i identity) mend() string {
	if i.err.mend == "" {
		return "set ssh.identityFile to a private key's file that can be read, or add its key to the agent with ssh-add"
	}
	return i.err.mend
}

// absentDefault says that nobody has to have heard of the file: it does not exist, and nobody named it.
func (i identity) absentDefault() bool { return i.absent && IsDefaultIdentity(i.path) }

// IsDefaultIdentity says that a file is one of those that ssh looks for by itself, which `ssh -G` lists as if somebody had named
// them.
func IsDefaultIdentity(path string) bool {
	name, _ := strings.CutPrefix(filepath.Base(path), "id_")
	return filepath.Base(filepath.Dir(path)) == ".ssh" && slices.Contains([]string{"rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa"}, name)
}

// addIdentity adds what a file and the agent have of one key: the agent's certificates, the certificate beside the file,
// the key. What was added before is not added again.
func (c *credentials) addIdentity(i identity, held []xssh.Signer) {
	if i.noCert != nil && !slices.Contains(c.skipped, i.noCert.Error()) {
		c.skipped = append(c.skipped, i.noCert.Error())
	}
	if i.public == nil {
		return
	}
	source := i.path
	for _, s := range held {
		if cert, ok := parsed(s.PublicKey()).(*xssh.Certificate); ok && sameKey(cert.Key, i.public) {
			c.add(s, "agent")
		}
	}
	signer := i.signer
	if signer == nil {
		signer, source = signerFor(held, i.public), i.path+", agent"
	}
	if signer == nil {
		return
	}
	if i.cert != nil {
		if certified, err := xssh.NewCertSigner(i.cert, signer); err == nil { // else it is of another key, which is said above
			c.add(certified, i.path+"-cert.pub")
		}
	}
	c.add(signer, source)
}

// add adds a key or a certificate, once.
func (c *credentials) add(s xssh.Signer, source string) {
	if signerFor(c.signers, s.PublicKey()) != nil {
		return
	}
	key := parsed(s.PublicKey())
	if cert, ok := key.(*xssh.Certificate); ok && cert.ValidBefore <= uint64(max(0, time.Now().Unix())) {
		source += ", expired"
	}
	c.signers = append(c.signers, s)
	c.offered = append(c.offered, fmt.Sprintf("%s %s (%s)", key.Type(), xssh.FingerprintSHA256(withoutCertificate(key)), source))
}

// parsed is a key as its own type, where it is one that x/crypto knows: an agent's keys are only bytes.
func parsed(key xssh.PublicKey) xssh.PublicKey {
	if own, err := xssh.ParsePublicKey(key.Marshal()); err == nil {
		return own
	}
	return key
}

// signerFor returns the signer of a key, or nil.
func signerFor(signers []xssh.Signer, key xssh.PublicKey) xssh.Signer {
	for _, s := range signers {
		if sameKey(s.PublicKey(), key) {
			return s
		}
	}
	return nil
}
