package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	notBefore = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	notAfter  = time.Date(2036, 1, 2, 3, 4, 5, 0, time.UTC)
)

func rsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecdsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func caPEM(t *testing.T, key crypto.Signer, serial int64) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: "kubernetes"},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestCAHashEqualsOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	openssl := func(stdin []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Stdin = bytes.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey(t), "ECDSA": ecdsaKey(t)} {
		t.Run(name, func(t *testing.T) {
			ca := caPEM(t, key, 1)
			public := openssl(ca, "x509", "-pubkey", "-noout")
			sum := sha256.Sum256(openssl(public, "pkey", "-pubin", "-outform", "der"))
			want := "sha256:" + hex.EncodeToString(sum[:])
			got, err := CAHash(ca)
			if err != nil || got != want {
				t.Errorf("CAHash = %q, %v, want %q", got, err, want)
			}
		})
	}
}

// TestCAHashOfAKnownCA has a certificate and a hash that openssl made, for machines without
// it: openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256.
func TestCAHashOfAKnownCA(t *testing.T) {
	const want = "sha256:b6584442df4d3bb9fcd74155549c69546f4922d201f42ff6c97cccc1bb5d3299"
	if got, err := CAHash(testdata(t, "ca.crt")); err != nil || got != want {
		t.Errorf("CAHash = %q, %v, want %q", got, err, want)
	}
}

func TestCAHash(t *testing.T) {
	key, other := ecdsaKey(t), ecdsaKey(t)
	ca, otherCA := caPEM(t, key, 1), caPEM(t, other, 2)
	want, err := CAHash(ca)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		err  error
	}{
		"the same key issued again":     {caPEM(t, key, 7), nil},
		"text around the block":         {append([]byte("subject=CN = kubernetes\n"), ca...), nil},
		"the first of several":          {append(bytes.Clone(ca), otherCA...), nil},
		"nothing":                       {nil, ErrNoCertificate},
		"no PEM":                        {[]byte("sha256:00"), ErrNoCertificate},
		"DER":                           {mustDER(t, ca), ErrNoCertificate},
		"a private key":                 {keyPEM(t, key), ErrPrivateKey},
		"a private key after it":        {append(bytes.Clone(ca), keyPEM(t, key)...), ErrPrivateKey},
		"another public block alone":    {[]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), ErrNoCertificate},
		"the block before it is public": {append([]byte("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), ca...), nil},
	} {
		got, err := CAHash(c.data)
		if !errors.Is(err, c.err) || (err == nil && got != want) {
			t.Errorf("%s: CAHash = %q, %v, want %q, %v", name, got, err, want, c.err)
		}
	}
	if got, err := CAHash(otherCA); err != nil || got == want {
		t.Errorf("another key: CAHash = %q, %v, want another hash", got, err)
	}
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no DER")})
	if _, err := CAHash(broken); err == nil || !strings.Contains(err.Error(), "parse certificate 1") {
		t.Errorf("broken certificate: %v", err)
	}
}

func mustDER(t *testing.T, data []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("no PEM block")
	}
	return block.Bytes
}

func TestSameCA(t *testing.T) {
	key := ecdsaKey(t)
	ca := caPEM(t, key, 1)
	if same, err := SameCA(ca, caPEM(t, key, 2)); err != nil || !same {
		t.Errorf("same key: %v, %v", same, err)
	}
	if same, err := SameCA(ca, caPEM(t, ecdsaKey(t), 1)); err != nil || same {
		t.Errorf("other key: %v, %v", same, err)
	}
	bundle := append(caPEM(t, ecdsaKey(t), 1), ca...)
	if same, err := SameCA(bundle, ca); err != nil || same {
		t.Errorf("the key comes second: %v, %v", same, err)
	}
	if same, err := SameCA(ca, append(bytes.Clone(ca), bundle...)); err != nil || !same {
		t.Errorf("the key comes first: %v, %v", same, err)
	}
	if same, err := SameCA(nil, ca); same || !errors.Is(err, ErrNoCertificate) {
		t.Errorf("first empty: %v", err)
	}
	if same, err := SameCA(ca, nil); same || !errors.Is(err, ErrNoCertificate) {
		t.Errorf("second empty: %v", err)
	}
}

func TestParseCertificates(t *testing.T) {
	ca := caPEM(t, ecdsaKey(t), 1)
	got, err := ParseCertificates(append(bytes.Clone(ca), ca...))
	if err != nil {
		t.Fatal(err)
	}
	want := Certificate{Subject: "CN=kubernetes", NotBefore: notBefore, NotAfter: notAfter}
	if len(got) != 2 || !reflect.DeepEqual(got[0], want) || !reflect.DeepEqual(got[1], want) {
		t.Errorf("ParseCertificates = %+v, want twice %+v", got, want)
	}
	template := &x509.Certificate{DNSNames: []string{"b", "a"}, IPAddresses: ips(addresses("192.0.2.11", "2001:db8::1"))}
	got, err = ParseCertificates(signed(t, template, ecdsaKey(t), nil))
	if names := []string{"b", "a", "192.0.2.11", "2001:db8::1"}; err != nil || !reflect.DeepEqual(got[0].Names, names) {
		t.Errorf("ParseCertificates = %+v, %v, want the names %v", got, err, names)
	}
	_, err = ParseCertificates(append(bytes.Clone(ca), encodePEM("CERTIFICATE", []byte("no DER"))...))
	if err == nil || !strings.HasPrefix(err.Error(), "parse certificates: parse certificate 2: ") {
		t.Errorf("the second broken: %v", err)
	}
	for _, kind := range []string{"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"} {
		if _, err := ParseCertificates(append(bytes.Clone(ca), encodePEM(kind, []byte("x"))...)); !errors.Is(err, ErrPrivateKey) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := ParseCertificates(nil); !errors.Is(err, ErrNoCertificate) {
		t.Errorf("empty: %v", err)
	}
}
