package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newAuthority(t *testing.T) (authority *Authority, certPEM, keyPEM []byte) {
	t.Helper()
	authority, err := NewAuthority(rand.Reader, "fairlead registry", today)
	if err != nil {
		t.Fatal(err)
	}
	key, err := authority.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	return authority, authority.CertificatePEM(), key
}

func TestNewAuthority(t *testing.T) {
	_, ca, _ := newAuthority(t)
	certificates, err := parse(ca)
	if err != nil || len(certificates) != 1 {
		t.Fatalf("%d certificates, %v", len(certificates), err)
	}
	c := certificates[0]
	if !c.IsCA || !c.BasicConstraintsValid || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign {
		t.Errorf("CA %v, path length %d, key usage %b", c.IsCA, c.MaxPathLen, c.KeyUsage)
	}
	if want := today.Add(-5 * time.Minute); !c.NotBefore.Equal(want) {
		t.Errorf("valid from %v, want %v", c.NotBefore, want)
	}
	if want := today.AddDate(10, 0, 0); !c.NotAfter.Equal(want) {
		t.Errorf("valid to %v, want %v", c.NotAfter, want)
	}
	if c.Subject.CommonName != "fairlead registry" || c.SerialNumber.Sign() <= 0 || len(c.SubjectKeyId) == 0 {
		t.Errorf("subject %v, serial %v, key id %x", c.Subject, c.SerialNumber, c.SubjectKeyId)
	}
	if _, err := NewAuthority(iotest.ErrReader(errors.New("no entropy")), "x", today); err == nil {
		t.Error("a CA was made without randomness")
	}
}

func TestParseAuthority(t *testing.T) {
	authority, ca, key := newAuthority(t)
	_, otherCA, otherKey := newAuthority(t)
	leaf, leafKey, err := authority.IssueServer(rand.Reader, []string{"a"}, nil, today)
	if err != nil {
		t.Fatal(err)
	}
	damaged := encodePEM("PRIVATE KEY", []byte("secret-bytes"))
	for name, c := range map[string]struct {
		cert, key []byte
		err       error
	}{
		"its own":          {ca, key, nil},
		"another's key":    {ca, otherKey, ErrNoAuthority},
		"another's cert":   {otherCA, key, ErrNoAuthority},
		"a server's":       {leaf, leafKey, ErrNoAuthority},
		"an RSA key":       {ca, keyPEM(t, rsaKey(t)), ErrNoAuthority},
		"no key":           {ca, nil, ErrNoAuthority},
		"a damaged key":    {ca, damaged, ErrNoAuthority},
		"no certificate":   {nil, key, ErrNoCertificate},
		"keys on its side": {key, key, ErrPrivateKey},
	} {
		got, err := ParseAuthority(c.cert, c.key)
		if !errors.Is(err, c.err) || (err == nil) != (got != nil) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.err)
		}
		if err != nil && strings.Contains(err.Error(), "secret-bytes") {
			t.Errorf("%s: the error holds the key", name)
		}
	}
	again, err := ParseAuthority(ca, key)
	if err != nil {
		t.Fatal(err)
	}
	if keyAgain, err := again.KeyPEM(); err != nil || !bytes.Equal(keyAgain, key) || !bytes.Equal(again.CertificatePEM(), ca) {
		t.Error("a CA is another one after it was written and read")
	}
}
