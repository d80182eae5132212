package ssh

import (
	"crypto"
	"crypto/rand"
	"os"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote/remotetest"
)

// userCertificate says how a certificate differs from one that lets the current user in.
type userCertificate struct {
	principal string
	before    time.Duration // from now; where empty in an hour
	host      bool
}

// make has an authority certify a key.
func (c userCertificate) make(t *testing.T, authority, key crypto.PrivateKey) *xssh.Certificate {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	var signers [2]xssh.Signer
	for i, k := range []crypto.PrivateKey{authority, key} {
		if signers[i], err = xssh.NewSignerFromKey(k); err != nil {
			t.Fatal(err)
		}
	}
	cert := &xssh.Certificate{
		Key: signers[1].PublicKey(), CertType: xssh.UserCert, KeyId: "test", ValidPrincipals: []string{u.Username},
		ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
		Permissions: xssh.Permissions{Extensions: map[string]string{"permit-pty": ""}},
	}
	if c.principal != "" {
		cert.ValidPrincipals = []string{c.principal}
	}
	if c.before != 0 {
		cert.ValidBefore = uint64(time.Now().Add(c.before).Unix())
	}
	if c.host {
		cert.CertType = xssh.HostCert
	}
	if err := cert.SignCert(rand.Reader, signers[0]); err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestUserCertificate has sshd let in who has a certificate of an authority; ssh comes to the same.
func TestUserCertificate(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	authority := remotetest.NewEd25519(t)
	remotetest.WriteKey(t, in("ca"), authority, "")
	srv := startSSHD(t, "TrustedUserCAKeys "+in("ca.pub"))
	keys := map[string]crypto.PrivateKey{
		"ed25519": remotetest.NewEd25519(t), "ecdsa": remotetest.NewECDSA(t), "rsa": remotetest.NewRSA(t), "let in": userKey(t, srv),
	}
	another := remotetest.NewEd25519(t)
	certificate := func(of string, c userCertificate) string {
		return remotetest.KeyText(c.make(t, authority, keys[of])) + " comment\n"
	}
	hold := func(of string, certified bool) agent.AddedKey {
		held := agent.AddedKey{PrivateKey: keys[of]}
		if certified {
			held.Certificate = userCertificate{}.make(t, authority, keys[of])
		}
		return held
	}
	for name, tt := range map[string]struct {
		key        string // ed25519 where empty
		beside     string // what KEY-cert.pub holds
		passphrase string
		suffix     string // of the identity file, behind the key's
		agent      []agent.AddedKey
		says       []string
	}{
		"beside the key":                    {beside: certificate("ed25519", userCertificate{})},
		"beside an ecdsa key":               {key: "ecdsa", beside: certificate("ecdsa", userCertificate{})},
		"beside an rsa key":                 {key: "rsa", beside: certificate("rsa", userCertificate{})},
		"beside a key that the agent has":   {beside: certificate("ed25519", userCertificate{}), passphrase: "x", agent: []agent.AddedKey{hold("ed25519", false)}},
		"rsa beside a key of the agent":     {key: "rsa", beside: certificate("rsa", userCertificate{}), passphrase: "x", agent: []agent.AddedKey{hold("rsa", false)}},
		"in the agent":                      {agent: []agent.AddedKey{hold("ed25519", true)}},
		"rsa in the agent":                  {key: "rsa", agent: []agent.AddedKey{hold("rsa", true)}},
		"in the agent, key too":             {passphrase: "x", agent: []agent.AddedKey{hold("ed25519", false), hold("ed25519", true)}},
		"in the agent, an old one beside":   {beside: certificate("ed25519", userCertificate{before: -time.Minute}), agent: []agent.AddedKey{hold("ed25519", true)}},
		"as the identity file":              {beside: certificate("ed25519", userCertificate{}), suffix: "-cert.pub", agent: []agent.AddedKey{hold("ed25519", false)}},
		"useless, key let in":               {key: "let in", beside: certificate("let in", userCertificate{before: -time.Minute})},
		"of another key, key let in":        {key: "let in", beside: certificate("ed25519", userCertificate{})},
		"none":                              {says: []string{"ssh-ed25519 SHA256:"}},
		"expired":                           {beside: certificate("ed25519", userCertificate{before: -time.Minute}), says: []string{"ed25519-cert.pub, expired)"}},
		"of another user":                   {beside: certificate("ed25519", userCertificate{principal: "nobody-here"}), says: []string{"ssh-ed25519-cert-v01@openssh.com SHA256:"}},
		"of another authority":              {beside: remotetest.KeyText(userCertificate{}.make(t, another, keys["ed25519"])), says: []string{"ssh-ed25519-cert-v01@openssh.com SHA256:"}},
		"of another key":                    {beside: certificate("ecdsa", userCertificate{}), says: []string{"ed25519-cert.pub is the certificate of another key"}},
		"of a host":                         {beside: certificate("ed25519", userCertificate{host: true}), says: []string{"ed25519-cert.pub is no certificate of a user"}},
		"rubbish":                           {beside: "ssh-ed25519-cert-v01@openssh.com AAAA\n", says: []string{"ed25519-cert.pub cannot be read"}},
		"a bare key":                        {beside: remotetest.KeyText(remotetest.NewPublic(t)), says: []string{"ed25519-cert.pub is no certificate"}},
		"beside an encrypted key, no agent": {beside: certificate("ed25519", userCertificate{}), passphrase: "x", says: []string{"is encrypted", "ssh-add "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSH_AUTH_SOCK", "")
			if tt.agent != nil {
				startAgent(t, tt.agent...)
			}
			if tt.key == "" {
				tt.key = "ed25519"
			}
			path := filepath.Join(t.TempDir(), tt.key)
			remotetest.WriteKey(t, path, keys[tt.key], tt.passphrase)
			if tt.beside != "" {
				remotetest.WriteText(t, path+"-cert.pub", tt.beside)
			}
			compareLogin(t, srv, path+tt.suffix, tt.says)
		})
	}
}

// TestCertificatesWithoutChoice logs in with the certificates of the agent and of the default files.
func TestCertificatesWithoutChoice(t *testing.T) {
	dir := t.TempDir()
	authority, key := remotetest.NewEd25519(t), remotetest.NewEd25519(t)
	remotetest.WriteKey(t, filepath.Join(dir, "ca"), authority, "")
	cert := userCertificate{}.make(t, authority, key)
	// The first that is offered has to be the right one, so that no bare key goes before its certificate.
	srv := startSSHD(t, "TrustedUserCAKeys "+filepath.Join(dir, "ca.pub"), "MaxAuthTries 1")
	for name, held := range map[string][]agent.AddedKey{
		"agent": {{PrivateKey: key, Certificate: cert}}, "default file": nil,
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("SSH_AUTH_SOCK", "")
			if held != nil {
				startAgent(t, held...)
			} else {
				if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(home, ".ssh", "id_ed25519")
				remotetest.WriteKey(t, path, key, "")
				remotetest.WriteText(t, path+"-cert.pub", remotetest.KeyText(cert)+"\n")
			}
			target := srv.target(t)
			target.IdentityFiles, target.IdentitiesOnly = nil, false
			checkLogin(t, target, nil)
		})
	}
}
