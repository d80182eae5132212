package ssh

import (
	"bytes"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote/remotetest"
)

// securityAgent is an agent with one security key. There is no hardware behind it: what it signs is what hardware would.
type securityAgent struct {
	agent.Agent // no other operations
	key         securityKey
}

// List implements agent.Agent.
func (s securityAgent) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: s.key.public.Type(), Blob: s.key.public.Marshal(), Comment: "security key"}}, nil
}

// Sign implements agent.Agent.
func (s securityAgent) Sign(key xssh.PublicKey, data []byte) (*xssh.Signature, error) {
	if !bytes.Equal(key.Marshal(), s.key.public.Marshal()) {
		return nil, errors.New("no such key")
	}
	return s.key.Sign(rand.Reader, data)
}

// TestSecurityKey logs in with a key that only an agent can use, and says so where there is none.
func TestSecurityKey(t *testing.T) {
	key := newSecurityKey(t)
	key.flags = 1 // somebody touches it, which sshd wants
	dir := t.TempDir()
	path := filepath.Join(dir, "id_sk")
	public := string(xssh.MarshalAuthorizedKey(key.public))
	remotetest.WriteText(t, path+".pub", public)
	remotetest.WriteText(t, path, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n") // a handle, of no use to others
	remotetest.WriteText(t, filepath.Join(dir, "authorized"), public)
	target := startSSHD(t, "AuthorizedKeysFile "+filepath.Join(dir, "authorized")).target(t)
	for name, c := range map[string]struct {
		files []string
		only  bool
		says  []string
	}{
		"any key":         {files: []string{}},
		"named":           {files: []string{path}, only: true},
		"named, no agent": {files: []string{path}, only: true, says: []string{path + " is of a security key, which only an agent can use", "ssh-add " + path}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSH_AUTH_SOCK", "")
			if c.says == nil {
				serveAgent(t, securityAgent{key: key})
			}
			target.IdentityFiles, target.IdentitiesOnly = c.files, c.only
			checkLogin(t, target, c.says)
		})
	}
}
