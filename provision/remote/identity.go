package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentTimeout bounds the talk with the agent; a key that must be touched or confirmed needs a person's time.
const agentTimeout = time.Minute

// defaultIdentities are the files under ~/.ssh that are tried after the agent, in this order.
var defaultIdentities = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// credentials are the keys to log in with.
type credentials struct {
	signers []ssh.Signer
	offered []string // what each signer is, for messages
	skipped []string // keys that could not be used and why
	agent   agent.ExtendedAgent
	conn    net.Conn
}

// loadCredentials collects the keys for the target. The caller closes them after the login, as keys of the agent sign
// through its socket.
func loadCredentials(ctx context.Context, t Target) (*credentials, error) {
	c := new(credentials)
	if err := c.openAgent(ctx); err != nil {
		c.skipped = append(c.skipped, err.Error())
	}
	var err error
	if t.IdentityFile != "" {
		err = c.addChosen(t.IdentityFile)
	} else {
		err = c.addDefaults()
	}
	if err == nil && len(c.signers) == 0 {
		err = fmt.Errorf("%w: no key to log in as %s: %s; set ssh.identityFile or add a key to the agent with ssh-add",
			ErrAuth, t.login(), strings.Join(c.skipped, "; "))
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// openAgent connects to the agent of $SSH_AUTH_SOCK; without the variable there is none, which is no error.
func (c *credentials) openAgent(ctx context.Context) error {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("agent at $SSH_AUTH_SOCK: %w", err)
	}
	if err := conn.SetDeadline(time.Now().Add(agentTimeout)); err != nil {
		return errors.Join(fmt.Errorf("agent at $SSH_AUTH_SOCK: %w", err), conn.Close())
	}
	c.conn, c.agent = conn, agent.NewClient(conn)
	return nil
}

// close ends the talk with the agent.
func (c *credentials) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing was written that could be lost
	}
}

// addChosen uses the one key of path and no other, so that the host does not count wrong guesses.
func (c *credentials) addChosen(path string) error {
	path, err := expandHome(path)
	if err != nil {
		return err
	}
	signer, public, err := readIdentity(path)
	if err != nil && public == nil {
		return fmt.Errorf("%w: %w", ErrAuth, err)
	}
	if signer == nil {
		if signer = c.fromAgent(public); signer == nil {
			return fmt.Errorf("%w: %w, and the agent does not hold it: add it with ssh-add %s", ErrAuth, err, Quote([]string{path}))
		}
	}
	c.add(signer, path)
	return nil
}

// addDefaults uses every key of the agent and then the default files that exist.
func (c *credentials) addDefaults() error {
	if c.agent != nil {
		signers, err := c.agent.Signers()
		if err != nil {
			c.skipped = append(c.skipped, fmt.Sprintf("agent: %v", err))
		}
		for _, s := range signers {
			c.add(s, "agent")
		}
	} else if len(c.skipped) == 0 {
		c.skipped = append(c.skipped, "no agent ($SSH_AUTH_SOCK is not set)")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("find ~/.ssh: %w", err)
	}
	for _, name := range defaultIdentities {
		path := filepath.Join(home, ".ssh", name)
		signer, public, err := readIdentity(path)
		switch {
		case signer != nil && !c.has(signer.PublicKey()):
			c.add(signer, path)
		case err != nil && (public == nil || !c.has(public)):
			c.skipped = append(c.skipped, err.Error())
		}
	}
	return nil
}

func (c *credentials) add(s ssh.Signer, source string) {
	c.signers = append(c.signers, s)
	c.offered = append(c.offered, fmt.Sprintf("%s %s (%s)", s.PublicKey().Type(), ssh.FingerprintSHA256(s.PublicKey()), source))
}

func (c *credentials) has(key ssh.PublicKey) bool {
	for _, s := range c.signers {
		if sameKey(s.PublicKey(), key) {
			return true
		}
	}
	return false
}

// fromAgent returns the agent's signer for key, or nil.
func (c *credentials) fromAgent(key ssh.PublicKey) ssh.Signer {
	if c.agent == nil || key == nil {
		return nil
	}
	signers, err := c.agent.Signers()
	if err != nil {
		return nil
	}
	for _, s := range signers {
		if sameKey(s.PublicKey(), key) {
			return s
		}
	}
	return nil
}

// readIdentity reads a private key file. When the private key cannot be had, because it is encrypted or only its
// .pub file is there, the error says so and public is the key to look for in the agent, if that much is known.
func readIdentity(path string) (signer ssh.Signer, public ssh.PublicKey, err error) {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, readPublic(path + ".pub"), fmt.Errorf("identity file %s does not exist", path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read identity file: %w", err)
	}
	signer, err = ssh.ParsePrivateKey(text)
	if err == nil {
		return signer, signer.PublicKey(), nil
	}
	var encrypted *ssh.PassphraseMissingError
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
func readPublic(path string) ssh.PublicKey {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text) //nolint:dogsled // comment, options and rest do not matter
	if err != nil {
		return nil
	}
	return key
}
