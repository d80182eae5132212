package ssh

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"sync"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// passphraseTries is how often a passphrase is asked for: number_of_password_prompts in OpenSSH's readconf.c.
const passphraseTries = 3

// lockedKey is a private key in a file that takes a passphrase. What it is once that is known stays in memory only.
type lockedKey struct {
	path string
	text []byte
	// public is the key's other half, where it is known: in the format of OpenSSH it stands in the file, else in path.pub.
	public xssh.PublicKey

	mu     sync.Mutex // guards what follows
	signer xssh.Signer
	gaveUp *unusable // why nobody is asked any more
}

// state is what has become of the key: both are nil while nobody was asked.
func (l *lockedKey) state() (xssh.Signer, *unusable) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signer, l.gaveUp
}

// settle notes the key, or why it stays locked.
func (l *lockedKey) settle(signer xssh.Signer, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.signer = signer; signer == nil {
		l.gaveUp = encrypted(l.path, " ("+why+")")
	}
}

// encrypted is a file whose passphrase nobody is asked for.
func encrypted(path, more string) *unusable {
	return &unusable{"identity file " + path + " is encrypted" + more, "add it with " + remote.Quote([]string{"ssh-add", path})}
}

// lockedError is a login that needs the passphrase of a key.
type lockedError struct{ key *lockedKey }

func (e *lockedError) Error() string { return "identity file " + e.key.path + " is encrypted" }

// lockedSigner offers a key by its public half. A host that accepts that is answered with a *lockedError: people take longer to
// type than hosts wait for a login, so that another one follows when the passphrase is known.
type lockedSigner struct{ key *lockedKey }

// PublicKey implements xssh.Signer.
func (s lockedSigner) PublicKey() xssh.PublicKey { return s.key.public }

// Sign implements xssh.Signer.
func (s lockedSigner) Sign(rand io.Reader, data []byte) (*xssh.Signature, error) {
	return s.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm implements xssh.AlgorithmSigner.
func (s lockedSigner) SignWithAlgorithm(io.Reader, []byte, string) (*xssh.Signature, error) {
	return nil, &lockedError{s.key}
}

// opened is the identity with what was found out about its passphrase since its file was read.
func (k *keyring) opened(i identity) identity {
	if i.locked == nil {
		return i
	}
	signer, gaveUp := i.locked.state()
	switch {
	case signer != nil:
		if i.public == nil {
			i.beside = true
			i.cert, i.noCert = readCertificate(i.path+"-cert.pub", signer.PublicKey())
		}
		i.signer, i.public, i.err = signer, signer.PublicKey(), nil
	case gaveUp != nil:
		i.err = gaveUp
	case k.passphrase != nil:
		return i
	}
	i.locked = nil
	return i
}

// unlock asks for the passphrase of a key, one key at a time and each once, whoever needs it. Afterwards the key is open, or is
// asked for no more; the error is only ctx's.
func (k *keyring) unlock(ctx context.Context, key *lockedKey) error {
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if signer, gaveUp := key.state(); signer != nil || gaveUp != nil {
		return nil // somebody has asked in the meantime
	}
	for range passphraseTries {
		passphrase, err := k.passphrase(ctx, key.path)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || len(passphrase) == 0 {
			key.settle(nil, noPassphrase(err))
			return nil
		}
		signer, err := openKey(key.text, passphrase)
		clear(passphrase)
		switch {
		case err == nil:
			key.settle(signer, "")
			return nil
		case !errors.Is(err, x509.IncorrectPasswordError):
			key.settle(nil, err.Error())
			return nil
		}
	}
	key.settle(nil, fmt.Sprintf("%d passphrases were wrong", passphraseTries))
	return nil
}

// openKey reads an encrypted key. A wrong passphrase is x509.IncorrectPasswordError, also where only what comes out tells.
func openKey(text, passphrase []byte) (xssh.Signer, error) {
	signer, err := xssh.ParsePrivateKeyWithPassphrase(text, passphrase)
	if err != nil && opensToNoise(text, passphrase) {
		return nil, x509.IncorrectPasswordError
	}
	return signer, err
}

// opensToNoise says that a passphrase decrypts a key of the old format (PEM, RFC 1421) to no ASN.1 value, of which every such key is
// one. The format has no checksum but its padding, which one of 256 wrong passphrases satisfies.
func opensToNoise(text, passphrase []byte) bool {
	block, _ := pem.Decode(text)
	if block == nil || !x509.IsEncryptedPEMBlock(block) { //nolint:staticcheck // ssh still reads it
		return false
	}
	plain, err := x509.DecryptPEMBlock(block, passphrase) //nolint:staticcheck // ssh still reads it
	if err != nil {
		return false
	}
	defer clear(plain)
	var key asn1.RawValue
	rest, err := asn1.Unmarshal(plain, &key)
	return err != nil || len(rest) > 0 || key.Tag != asn1.TagSequence
}

func noPassphrase(err error) string {
	if err == nil {
		return "no passphrase was given"
	}
	return fmt.Sprintf("ask for its passphrase: %v", err)
}

// addLocked offers a key that takes a passphrase, and its certificates. They come after all others: nobody is asked where another
// key is let in.
func (c *credentials) addLocked(i identity, certs []namedCertificate) {
	if i.locked == nil || i.public == nil || signerFor(c.signers, i.public) != nil {
		return
	}
	i.signer, i.noCert = lockedSigner{i.locked}, nil // which is said already
	for _, of := range certs {
		c.addCertified(of, i.signer)
	}
	c.addIdentity(i, nil)
}
