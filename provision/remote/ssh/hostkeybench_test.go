package ssh

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"fairlead/provision/remote/remotetest"
)

// hostKeyBench is what the cases of host keys share: keys, servers that show them, and words for what the keys look like
// in known_hosts.
type hostKeyBench struct {
	dir      string
	stranger string // an identity file that no server lets in
	signers  map[string]xssh.Signer
	servers  map[string]server
	words    *strings.Replacer
}

func newHostKeyBench(t *testing.T) *hostKeyBench {
	t.Helper()
	b := &hostKeyBench{dir: t.TempDir(), signers: map[string]xssh.Signer{}, servers: map[string]server{}}
	b.stranger = filepath.Join(b.dir, "stranger")
	remotetest.WriteKey(t, b.stranger, remotetest.NewEd25519(t), "")
	for name, key := range map[string]crypto.PrivateKey{
		"ed25519": remotetest.NewEd25519(t), "ecdsa": remotetest.NewECDSA(t), "rsa": remotetest.NewRSA(t), // of the hosts
		"ed25519-2": remotetest.NewEd25519(t), "ecdsa-2": remotetest.NewECDSA(t), "rsa-2": remotetest.NewRSA(t), // of nobody here
		"ca": remotetest.NewEd25519(t), "ca-2": remotetest.NewEd25519(t), "ca-ecdsa": remotetest.NewECDSA(t), "ca-rsa": remotetest.NewRSA(t),
	} {
		signer, err := xssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		b.signers[name] = signer
		remotetest.WriteKey(t, filepath.Join(b.dir, name), key, "")
	}
	b.signers["ca-sk"] = newSecurityKey(t)
	b.startPlain(t)
	for _, c := range hostCertificates() {
		b.startCertified(t, c)
	}
	b.words = strings.NewReplacer(b.makeWords(t)...)
	return b
}

func (b *hostKeyBench) server(t *testing.T, name string) server {
	t.Helper()
	s, ok := b.servers[name]
	if !ok {
		t.Fatalf("no server %q", name)
	}
	return s
}

// startPlain starts the servers that have no certificates.
func (b *hostKeyBench) startPlain(t *testing.T) {
	t.Helper()
	for name, algorithms := range map[string]string{
		"all": "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256", "ecdsa": "ecdsa-sha2-nistp256", "rsa": "rsa-sha2-512,rsa-sha2-256",
	} {
		b.servers[name] = startSSHD(t, "HostKeyAlgorithms "+algorithms, "HostKey "+filepath.Join(b.dir, "ed25519"),
			"HostKey "+filepath.Join(b.dir, "ecdsa"), "HostKey "+filepath.Join(b.dir, "rsa"))
	}
}

// hostCertificate is a server's certificate. All have the same three keys, of which one is certified.
type hostCertificate struct {
	server     string
	key, ca    string // ed25519 and ca where empty
	algorithm  string // of the signature, where the key does not say it
	principals []string
	options    map[string]string
	extensions map[string]string
	after      time.Duration // from now; where empty an hour ago
	before     time.Duration // from now; where empty in an hour
	user       bool
}

// startCertified starts a server that shows a certificate.
func (b *hostKeyBench) startCertified(t *testing.T, c hostCertificate) {
	t.Helper()
	if c.key == "" {
		c.key = "ed25519"
	}
	path := filepath.Join(b.dir, strings.ReplaceAll(c.server, " ", "-")+"-cert.pub")
	remotetest.WriteText(t, path, string(xssh.MarshalAuthorizedKey(b.certify(t, c))))
	b.servers[c.server] = startSSHD(t, "HostKey "+filepath.Join(b.dir, "ed25519"), "HostKey "+filepath.Join(b.dir, "ecdsa"),
		"HostKey "+filepath.Join(b.dir, "rsa"), "HostCertificate "+path)
}

func (b *hostKeyBench) certify(t *testing.T, c hostCertificate) *xssh.Certificate {
	t.Helper()
	or := func(d, otherwise time.Duration) uint64 {
		if d == 0 {
			d = otherwise
		}
		return uint64(time.Now().Add(d).Unix())
	}
	if c.ca == "" {
		c.ca = "ca"
	}
	cert := &xssh.Certificate{
		Key: b.signers[c.key].PublicKey(), CertType: xssh.HostCert, KeyId: c.server, ValidPrincipals: c.principals,
		ValidAfter: or(c.after, -time.Hour), ValidBefore: or(c.before, time.Hour),
		Permissions: xssh.Permissions{CriticalOptions: c.options, Extensions: c.extensions},
	}
	if c.user {
		cert.CertType = xssh.UserCert
	}
	authority := b.signers[c.ca]
	if c.algorithm != "" {
		var err error
		if authority, err = xssh.NewSignerWithAlgorithms(authority.(xssh.AlgorithmSigner), []string{c.algorithm}); err != nil {
			t.Fatal(err)
		}
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	return cert
}

// makeWords are pairs of a word and what it stands for.
func (b *hostKeyBench) makeWords(t *testing.T) []string {
	t.Helper()
	var words []string
	for name, signer := range b.signers {
		blob := signer.PublicKey().Marshal()
		words = append(words, "{"+name+"}", remotetest.KeyText(signer.PublicKey()),
			"{"+name+" base64}", base64.StdEncoding.EncodeToString(blob),
			"{"+name+" raw base64}", base64.RawStdEncoding.EncodeToString(blob),
			"{"+name+" and more}", signer.PublicKey().Type()+" "+base64.StdEncoding.EncodeToString(append(blob, 0)))
	}
	cp1 := []string{"cp1.lab"}
	for word, cert := range map[string]hostCertificate{
		"{certificate of ed25519}":   {key: "ed25519", principals: cp1},
		"{certificate of ed25519-2}": {key: "ed25519-2", principals: cp1},
		"{certificate of ca}":        {key: "ca", ca: "ca-2", principals: cp1},
		"{certificate of rsa}":       {key: "rsa", principals: cp1},
	} {
		text := remotetest.KeyText(b.certify(t, cert))
		words = append(words, word, text, strings.TrimSuffix(word, "}")+" base64}", strings.Fields(text)[1])
	}
	for _, name := range []string{"cp1.lab", "CP1.lab", "cp2.lab", "[cp1.lab]:2222"} {
		words = append(words, "{hash of "+name+"}", knownhosts.HashHostname(name))
	}
	foreign := xssh.Marshal(struct{ Type, Key string }{"ssh-foreign", "key"})
	return append(words, "{foreign}", "ssh-foreign "+base64.StdEncoding.EncodeToString(foreign), "{long}", strings.Repeat("a", 1023),
		"{comment of 100 KiB}", strings.Repeat("word ", 20<<10), "{5000 names}", strings.Repeat("w.example.com,", 5000))
}

// securityKey signs as a security key does that nobody touches, unless its flags say so.
type securityKey struct {
	private ed25519.PrivateKey
	public  xssh.PublicKey
	flags   byte
}

func newSecurityKey(t *testing.T) securityKey {
	t.Helper()
	private := remotetest.NewEd25519(t).(ed25519.PrivateKey)
	public, err := xssh.ParsePublicKey(xssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{xssh.KeyAlgoSKED25519, private.Public().(ed25519.PublicKey), "ssh:"}))
	if err != nil {
		t.Fatal(err)
	}
	return securityKey{private: private, public: public}
}

func (k securityKey) PublicKey() xssh.PublicKey { return k.public }

// Sign follows "FIDO U2F Signatures" in OpenSSH's PROTOCOL.u2f.
func (k securityKey) Sign(_ io.Reader, data []byte) (*xssh.Signature, error) {
	application, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	counter := binary.BigEndian.AppendUint32([]byte{k.flags}, 7) // flags, counter
	signed := append(append(append([]byte(nil), application[:]...), counter...), message[:]...)
	return &xssh.Signature{Format: xssh.KeyAlgoSKED25519, Blob: ed25519.Sign(k.private, signed), Rest: counter}, nil
}
