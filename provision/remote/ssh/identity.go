package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

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
}

// identity is what readIdentity returned.
type identity struct {
	signer xssh.Signer
	public xssh.PublicKey
	err    error
}

func newKeyring() *keyring {
	return &keyring{agent: newAgentKeys(), files: map[string]func() identity{}}
}

func (k *keyring) close() error { return k.agent.close() }

// file is the identity in a file.
func (k *keyring) file(path string) identity {
	k.mu.Lock()
	read := k.files[path]
	if read == nil {
		read = sync.OnceValue(func() (i identity) {
			i.signer, i.public, i.err = readIdentity(path)
			return i
		})
		k.files[path] = read
	}
	k.mu.Unlock()
	return read()
}

// credentials are the keys to log in with to one host.
type credentials struct {
	signers []xssh.Signer
	offered []string // what each signer is, for messages
	skipped []string // keys that could not be used and why
}

// credentials collects the keys for the target.
func (k *keyring) credentials(ctx context.Context, t Target) (*credentials, error) {
	c := new(credentials)
	if t.IdentityFile != "" {
		return c, k.addChosen(ctx, c, t.IdentityFile)
	}
	held, err := k.agent.signers(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		c.skipped = append(c.skipped, err.Error())
	}
	for _, s := range held {
		c.add(s, "agent")
	}
	if err := k.addDefaults(c); err != nil {
		return nil, err
	}
	if len(c.signers) == 0 {
		return nil, fmt.Errorf("%w: no key to log in as %s: %s; set ssh.identityFile or add a key to the agent with ssh-add",
			remote.ErrAuth, t.login(), strings.Join(c.skipped, "; "))
	}
	return c, nil
}

// addChosen uses the one key of path and no other, so that the host does not count wrong guesses. The agent is asked
// only for a key that the file does not give away.
func (k *keyring) addChosen(ctx context.Context, c *credentials, path string) error {
	path, err := expandHome(path)
	if err != nil {
		return err
	}
	chosen := k.file(path)
	if chosen.signer != nil {
		c.add(chosen.signer, path)
		return nil
	}
	if chosen.public == nil {
		return fmt.Errorf("%w: %w", remote.ErrAuth, chosen.err)
	}
	held, err := k.agent.signers(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	signer := signerFor(held, chosen.public)
	switch {
	case signer != nil:
		c.add(signer, path)
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w, and the agent does not hold it: add it with ssh-add %s (%w)",
			remote.ErrAuth, chosen.err, remote.Quote([]string{path}), err)
	}
	return fmt.Errorf("%w: %w, and the agent does not hold it: add it with ssh-add %s",
		remote.ErrAuth, chosen.err, remote.Quote([]string{path}))
}

// addDefaults uses the default files that exist.
func (k *keyring) addDefaults(c *credentials) error {
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("find ~/.ssh: %w", err)
	}
	for _, name := range defaultIdentities {
		path := filepath.Join(home, ".ssh", name)
		i := k.file(path)
		switch {
		case i.signer != nil && signerFor(c.signers, i.public) == nil:
			c.add(i.signer, path)
		case i.err != nil && (i.public == nil || signerFor(c.signers, i.public) == nil):
			c.skipped = append(c.skipped, i.err.Error())
		}
	}
	return nil
}

func (c *credentials) add(s xssh.Signer, source string) {
	c.signers = append(c.signers, s)
	c.offered = append(c.offered, fmt.Sprintf("%s %s (%s)", s.PublicKey().Type(), xssh.FingerprintSHA256(s.PublicKey()), source))
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

// readIdentity reads a private key file. When the private key cannot be had, because it is encrypted or only its
// .pub file is there, the error says so and public is the key to look for in the agent, if that much is known.
func readIdentity(path string) (signer xssh.Signer, public xssh.PublicKey, err error) {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, readPublic(path + ".pub"), fmt.Errorf("identity file %s does not exist", path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read identity file: %w", err)
	}
	signer, err = xssh.ParsePrivateKey(text)
	if err == nil {
		return signer, signer.PublicKey(), nil
	}
	var encrypted *xssh.PassphraseMissingError
	if errors.As(err, &encrypted) {
		public = encrypted.PublicKey
		if public == nil {
			public = readPublic(path + ".pub")
		}
		return nil, public, fmt.Errorf("identity file %s is encrypted", path)
	}
	if public = readPublic(path); public != nil {
		return nil, public, fmt.Errorf("identity file %s is a public key", path)
	}
	return nil, nil, fmt.Errorf("identity file %s is not a private key: %w", path, err)
}

// readPublic returns the public key in a file, or nil.
func readPublic(path string) xssh.PublicKey {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil
	}
	key, _, _, _, err := xssh.ParseAuthorizedKey(text) //nolint:dogsled // comment, options and rest do not matter
	if err != nil {
		return nil
	}
	return key
}
