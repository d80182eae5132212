package ssh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// defaultIdentities are the files under ~/.ssh that are tried after the agent, in this order.
var defaultIdentities = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// keyring are the keys of one run; each file and the agent's list is read once.
type keyring struct {
	agent *agentKeys
	mu    sync.Mutex
	files map[string]func() identity

	passphrase func(ctx context.Context, file string) ([]byte, error) // nil when nobody can be asked
	asking     chan struct{}                                          // holds a token while somebody is
}

func newKeyring(passphrase func(context.Context, string) ([]byte, error)) *keyring {
	return &keyring{agent: newAgentKeys(), files: map[string]func() identity{}, passphrase: passphrase, asking: make(chan struct{}, 1)}
}

func (k *keyring) close() error { return k.agent.close() }

// file is the identity in a file.
func (k *keyring) file(path string) identity {
	k.mu.Lock()
	read := k.files[path]
	if read == nil {
		read = sync.OnceValue(func() identity { return readIdentity(path) })
		k.files[path] = read
	}
	k.mu.Unlock()
	return k.opened(read())
}

// credentials are the keys and certificates to log in with to one host, a certificate always before its bare key: it is
// the more likely to be let in, and hosts count what they refuse.
type credentials struct {
	signers []xssh.Signer
	offered []string // what each signer is, for messages
	skipped []string // keys that could not be used and why
}

// credentials collects the keys for the target.
func (k *keyring) credentials(ctx context.Context, t Target) (*credentials, error) {
	c := new(credentials)
	held, err := k.agent.signers(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if t.IdentityFile != "" {
		return c, k.addChosen(c, t.IdentityFile, held, err)
	}
	if err != nil {
		c.skipped = append(c.skipped, err.Error())
	}
	for _, s := range held {
		c.add(s, "agent")
	}
	if err := k.addDefaults(c, held); err != nil {
		return nil, err
	}
	if len(c.signers) == 0 {
		return nil, fmt.Errorf("%w: no key to log in as %s: %s; set ssh.identityFile or add a key to the agent with ssh-add",
			remote.ErrAuth, t.login(), strings.Join(c.skipped, "; "))
	}
	return c, nil
}

// addChosen uses the one key of path and no other, so that the host does not count wrong guesses. The agent may hold the
// key or certificates of it.
func (k *keyring) addChosen(c *credentials, path string, held []xssh.Signer, agentErr error) error {
	path, err := expandHome(path)
	if err != nil {
		return err
	}
	chosen := k.file(path)
	c.addIdentity(chosen, held)
	c.addLocked(chosen)
	switch {
	case len(c.signers) > 0:
		if agentErr != nil && !errors.Is(agentErr, errNoAgent) {
			c.skipped = append(c.skipped, agentErr.Error())
		}
		return nil
	case chosen.locked != nil: // its public half is not known, so that no host can be asked first
		return &lockedError{chosen.locked}
	case chosen.public == nil:
		return fmt.Errorf("%w: %s: %s", remote.ErrAuth, chosen.err.reason, chosen.mend())
	case agentErr != nil:
		return fmt.Errorf("%w: %s, and its key is not to be had from an agent (%w): %s", remote.ErrAuth, chosen.err.reason, agentErr, chosen.mend())
	}
	return fmt.Errorf("%w: %s, and the agent does not hold its key: %s", remote.ErrAuth, chosen.err.reason, chosen.mend())
}

// mend is what to do about a file that gives no key.
func (i identity) mend() string {
	if i.err.mend == "" {
		return "set ssh.identityFile to a private key's file that can be read, or add its key to the agent with ssh-add"
	}
	return i.err.mend
}

// addDefaults uses the default files that exist.
func (k *keyring) addDefaults(c *credentials, held []xssh.Signer) error {
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("find ~/.ssh: %w", err)
	}
	var locked []identity
	for _, name := range defaultIdentities {
		i := k.file(filepath.Join(home, ".ssh", name))
		before := len(c.signers)
		c.addIdentity(i, held)
		if i.locked != nil && i.public != nil {
			locked = append(locked, i)
			continue
		}
		if i.err != nil && len(c.signers) == before && (i.public == nil || signerFor(c.signers, i.public) == nil) {
			c.skipped = append(c.skipped, i.err.Error())
		}
	}
	for _, i := range locked {
		c.addLocked(i)
	}
	return nil
}

// addIdentity adds what a file and the agent have of one key: the agent's certificates, the certificate beside the file,
// the key. What was added before is not added again.
func (c *credentials) addIdentity(i identity, held []xssh.Signer) {
	if i.noCert != nil {
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
