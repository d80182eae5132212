package remotetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// NewEd25519 makes a private key.
func NewEd25519(t testing.TB) crypto.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewECDSA makes a private key.
func NewECDSA(t testing.TB) crypto.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewRSA makes a private key.
func NewRSA(t testing.TB) crypto.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewPublic makes a public key whose private half nobody has.
func NewPublic(t testing.TB) ssh.PublicKey {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(NewEd25519(t))
	if err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey()
}

// KeyText is a key as known_hosts has it.
func KeyText(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// WriteKey writes a private key, encrypted when a passphrase is given, and its public half to path.pub.
func WriteKey(t testing.TB, path string, key crypto.PrivateKey, passphrase string) ssh.PublicKey {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	WriteText(t, path, string(pem.EncodeToMemory(block)))
	WriteText(t, path+".pub", string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return signer.PublicKey()
}

// WriteText writes a file that is nobody else's.
func WriteText(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
