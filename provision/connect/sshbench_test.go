package connect

import (
	"crypto"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// sshBench is an sshd, keys, and the words for them.
type sshBench struct {
	dir   string
	words *strings.Replacer
}

// newSSHBench starts an sshd that lets in the key "key", certificates of the authority "ca", and nobody else, and one to go through
// that lets in the key "gate".
func newSSHBench(t *testing.T) *sshBench {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	authority, certified := remotetest.NewEd25519(t), remotetest.NewEd25519(t)
	remotetest.WriteKey(t, in("ca"), authority, "")
	srv := remotetest.StartSSHD(t, "TrustedUserCAKeys "+in("ca.pub"), "MaxAuthTries 20")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(srv.Identity)
	if err != nil {
		t.Fatal(err)
	}
	key, err := xssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(in("with blank"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "web.key", me.Username + "@127.0.0.1", "with blank/key", "50%"} {
		remotetest.WriteKey(t, in(name), key, "")
	}
	remotetest.WriteKey(t, in("encrypted"), key, "passphrase")
	remotetest.WriteKey(t, in("wrong"), remotetest.NewEd25519(t), "")
	gate := remotetest.StartSSHD(t, "AuthorizedKeysFile "+in("gate.pub"))
	remotetest.WriteKey(t, in("gate"), remotetest.NewEd25519(t), "")
	cert := remotetest.KeyText(certificate(t, authority, certified, me.Username, time.Hour)) + "\n"
	old := remotetest.KeyText(certificate(t, authority, certified, me.Username, -time.Hour)) + "\n"
	remotetest.WriteKey(t, in("bare"), certified, "")
	remotetest.WriteKey(t, in("beside"), certified, "")
	remotetest.WriteText(t, in("beside-cert.pub"), cert)
	remotetest.WriteText(t, in("certificate"), cert)
	remotetest.WriteText(t, in("expired"), old)

	port, gatePort := strconv.Itoa(srv.Port), strconv.Itoa(gate.Port)
	hostKey := remotetest.KeyText(srv.HostKeys["ed25519"]) + "\n"
	stranger := remotetest.KeyText(remotetest.NewPublic(t)) + "\n"
	gateKey := "IdentityFile " + in("gate") + "\nUserKnownHostsFile " + in("gates") + "\n"
	b := &sshBench{dir: dir}
	b.put(t, map[string]string{
		"gates": "[127.0.0.1]:" + gatePort + " " + remotetest.KeyText(gate.HostKeys["ed25519"]) + "\n",
		"known": "[127.0.0.1]:" + port + " " + hostKey, "with blank/known": "[127.0.0.1]:" + port + " " + hostKey, "web.known": "[127.0.0.1]:" + port + " " + hostKey,
		"another": "[127.0.0.1]:" + port + " " + stranger, "named": "web.lab,the-web,2001:db8::1,[localhost]:" + port + " " + hostKey, "empty": "", "none-such/": "",
		"revoked": hostKey, "revoked-another": "# none of ours\n" + stranger, "stranger.pub": stranger, "included": "Port " + port + "\n",
	})
	if out, err := exec.Command("ssh-keygen", "-q", "-k", "-f", in("krl"), in("stranger.pub")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("FL_DIR", dir)
	t.Setenv("FL_AGENT", startAgent(t, agent.AddedKey{PrivateKey: key}))
	b.words = strings.NewReplacer(
		"{dir}", dir, "{port}", port, "{me}", me.Username, "{uid}", me.Uid, "{home}", me.HomeDir, "{agent}", os.Getenv("FL_AGENT"),
		"{agent with certified}", startAgent(t, agent.AddedKey{PrivateKey: certified}), "{closed port}", strconv.Itoa(remotetest.RefusingPort(t)),
		"{inetd}", remote.Quote(srv.Inetd()), "{gate inetd}", remote.Quote(gate.Inetd()), "{gate port}", gatePort,
		"{gate}", "HostName 127.0.0.1\nPort "+gatePort+"\n"+gateKey, "{gate key}", gateKey,
		"{there}", "HostName 127.0.0.1\nPort "+port+"\n", "{known}", "UserKnownHostsFile "+in("known")+"\n", "{key}", "IdentityFile "+in("key")+"\n",
	)
	return b
}

// put writes files; one that ends in a slash is left out.
func (b *sshBench) put(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if !strings.HasSuffix(name, "/") {
			remotetest.WriteText(t, filepath.Join(b.dir, name), text)
		}
	}
}

// write makes the configuration of a case. What all have in common stands behind it, as the first value counts.
func (b *sshBench) write(t *testing.T, config string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	remotetest.WriteText(t, path, b.words.Replace(config)+"\nHost *\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n")
	return path
}

// certificate has an authority certify a key for a user, until some time from now.
func certificate(t *testing.T, authority, key crypto.PrivateKey, user string, before time.Duration) *xssh.Certificate {
	t.Helper()
	var signers [2]xssh.Signer
	for i, k := range []crypto.PrivateKey{authority, key} {
		var err error
		if signers[i], err = xssh.NewSignerFromKey(k); err != nil {
			t.Fatal(err)
		}
	}
	cert := &xssh.Certificate{
		Key: signers[1].PublicKey(), CertType: xssh.UserCert, KeyId: "test", ValidPrincipals: []string{user},
		ValidBefore: uint64(time.Now().Add(before).Unix()), Permissions: xssh.Permissions{Extensions: map[string]string{"permit-pty": ""}},
	}
	if err := cert.SignCert(rand.Reader, signers[0]); err != nil {
		t.Fatal(err)
	}
	return cert
}

// startAgent serves keys as an SSH agent does, and returns its socket.
func startAgent(t *testing.T, keys ...agent.AddedKey) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _ = agent.ServeAgent(ring, c) }()
		}
	}()
	return socket
}
