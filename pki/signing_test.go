package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// signed is a certificate of a template, signed by its own key or by an authority.
func signed(t *testing.T, template *x509.Certificate, key crypto.Signer, by *Authority) []byte {
	t.Helper()
	template.SerialNumber, template.BasicConstraintsValid = big.NewInt(1), true
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = today, today.AddDate(1, 0, 0)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return encodePEM("CERTIFICATE", der)
}

// TestWhoMaySign has a row for each thing that a CA needs, with all others there.
func TestWhoMaySign(t *testing.T) {
	key := ecdsaKey(t)
	bigKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := func(isCA bool, usage x509.KeyUsage, key crypto.Signer) []byte {
		return signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, IsCA: isCA, KeyUsage: usage}, key, nil)
	}
	const sign, others = x509.KeyUsageCertSign, x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign
	good := ca(true, sign, key)
	sec1, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		title     string
		cert, key []byte
		want      string // part of the error; empty: none
	}{
		{"a CA", good, keyPEM(t, key), ""},
		{"a CA with further usages", ca(true, sign|others, key), keyPEM(t, key), ""},
		{"a CA without keyCertSign", ca(true, others, key), keyPEM(t, key), `read CA certificate: certificate and key are not those of a CA: "CN=ca" may not sign`},
		{"a CA without any usage", ca(true, 0, key), keyPEM(t, key), `"CN=ca" may not sign`},
		{"keyCertSign without being a CA", ca(false, sign, key), keyPEM(t, key), `"CN=ca" may not sign`},
		{"P-384", ca(true, sign, bigKey), keyPEM(t, bigKey), "the key is not ECDSA P-256"},
		{"RSA", good, keyPEM(t, rsaKey(t)), "the key is not ECDSA P-256"},
		{"a key of another form", good, encodePEM("EC PRIVATE KEY", sec1), "no PEM block PRIVATE KEY (PKCS #8)"},
		{"PKCS #8 under another name", good, bytes.ReplaceAll(keyPEM(t, key), []byte("PRIVATE"), []byte("SECRET")), "no PEM block PRIVATE KEY (PKCS #8)"},
		{"another key", good, keyPEM(t, ecdsaKey(t)), "the certificate is that of another key"},
		{"a damaged key", good, encodePEM("PRIVATE KEY", sec1), "the key is damaged"},
		{"the first of two", append(bytes.Clone(good), ca(false, 0, ecdsaKey(t))...), keyPEM(t, key), ""},
		{"the second of two", append(ca(true, sign, ecdsaKey(t)), good...), keyPEM(t, key), "that of another key"},
	} {
		got, err := ParseAuthority(c.cert, c.key)
		switch {
		case c.want == "" && (err != nil || !got.key.Equal(key)):
			t.Errorf("%s: %v", c.title, err)
		case c.want != "" && (got != nil || !errors.Is(err, ErrNoAuthority) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.title, err, c.want)
		}
	}
}

func TestSerialNumber(t *testing.T) {
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1))
	for _, c := range []struct {
		bytes byte
		want  *big.Int
	}{{0xff, most}, {0, big.NewInt(1)}} {
		got, err := serialNumber(bytes.NewReader(bytes.Repeat([]byte{c.bytes}, 16)))
		if err != nil || got.Cmp(c.want) != 0 {
			t.Errorf("of bytes %x: %v, %v, want %v", c.bytes, got, err, c.want)
		}
	}
	if _, err := serialNumber(bytes.NewReader(make([]byte, 15))); err == nil {
		t.Error("15 bytes were enough for a serial number")
	}
}

func TestIssueServerTemplate(t *testing.T) {
	authority, ca, _ := newAuthority(t)
	for _, c := range []struct {
		names      []string
		addresses  []netip.Addr
		commonName string
	}{
		{[]string{"cp1", "cp2"}, addresses("192.0.2.11"), "cp1"},
		{nil, addresses("192.0.2.12", "::ffff:192.0.2.11"), "192.0.2.12"},
		{nil, addresses("2001:db8::1"), "2001:db8::1"},
	} {
		certPEM, _ := issue(t, authority, c.names, c.addresses, today)
		parsed, err := parse(certPEM)
		if err != nil {
			t.Fatal(err)
		}
		got := parsed[0]
		if got.Subject.CommonName != c.commonName || got.KeyUsage != x509.KeyUsageDigitalSignature || !got.BasicConstraintsValid || got.SerialNumber.Sign() <= 0 {
			t.Errorf("subject %v, usage %b, constraints %v, serial %v", got.Subject, got.KeyUsage, got.BasicConstraintsValid, got.SerialNumber)
		}
		for i, address := range c.addresses {
			if got.IPAddresses[i].String() != address.Unmap().String() {
				t.Errorf("address %v, want %v", got.IPAddresses[i], address)
			}
		}
		if problem := ServerCertificateProblem(certPEM, ca, c.names, c.addresses, today); problem != "" {
			t.Errorf("%s: %s", c.commonName, problem)
		}
	}
	if _, _, err := authority.IssueServer(iotest.ErrReader(errors.New("no entropy")), []string{"cp1"}, nil, today); err == nil {
		t.Error("a certificate was issued without randomness")
	}
}

// TestEnds looks at the very seconds at which the answers change.
func TestEnds(t *testing.T) {
	authority, ca, _ := newAuthority(t)
	end := today.AddDate(10, 0, 0)
	last := end.AddDate(0, 0, -30)
	if _, _, err := authority.IssueServer(rand.Reader, []string{"a"}, nil, last); err != nil {
		t.Errorf("30 days before the CA's end: %v", err)
	}
	_, _, err := authority.IssueServer(rand.Reader, []string{"a"}, nil, last.Add(time.Second))
	if !errors.Is(err, ErrAuthorityEnds) || !strings.Contains(err.Error(), "it ends at 2036-11-23T12:00:00Z; make a new CA") {
		t.Errorf("a second later: %v", err)
	}
	key := ecdsaKey(t)
	long := func(from, to time.Time) []byte { // outlives its CA
		return signed(t, &x509.Certificate{DNSNames: []string{"a"}, NotBefore: from, NotAfter: to}, key, authority)
	}
	cert := long(today, end.AddDate(1, 0, 0))
	begin := today.Add(-backdated)
	for _, c := range []struct {
		title string
		cert  []byte
		now   time.Time
		want  string
	}{
		{"its first second", cert, today, ""},
		{"the second before", cert, today.Add(-time.Second), "it is not valid before 2026-11-23T12:00:00Z"},
		{"the CA's 30th day", cert, last, ""},
		{"a second later", cert, last.Add(time.Second), "its CA expires soon, at 2036-11-23T12:00:00Z"},
		{"the CA's last second", cert, end, "its CA expires soon, at 2036-11-23T12:00:00Z"},
		{"the second after", cert, end.Add(time.Second), "its CA expired at 2036-11-23T12:00:00Z"},
		{"the CA's first second", long(begin.Add(-time.Hour), end), begin, ""},
		{"the second before that", long(begin.Add(-time.Hour), end), begin.Add(-time.Second), "its CA is not valid before 2026-11-23T11:55:00Z"},
		{"its own 30th day", long(today, today.AddDate(0, 0, 40)), today.AddDate(0, 0, 10), ""},
		{"its own last second", long(today, today.AddDate(0, 0, 40)), today.AddDate(0, 0, 40), "it expires soon, at 2027-01-02T12:00:00Z"},
		{"the second after that", long(today, today.AddDate(0, 0, 40)), today.AddDate(0, 0, 40).Add(time.Second), "it expired at 2027-01-02T12:00:00Z"},
	} {
		if got := ServerCertificateProblem(c.cert, ca, []string{"a"}, nil, c.now); got != c.want {
			t.Errorf("%s: %q, want %q", c.title, got, c.want)
		}
	}
}

// TestWhatServersMayNotShow has certificates of the right CA, name and time that are no
// server's, and files with more than one certificate, of which the first counts.
func TestWhatServersMayNotShow(t *testing.T) {
	authority, ca, _ := newAuthority(t)
	_, otherCA, _ := newAuthority(t)
	good, _ := issue(t, authority, []string{"a"}, nil, today)
	other, _ := issue(t, authority, []string{"b"}, nil, today)
	client := signed(t, &x509.Certificate{DNSNames: []string{"a"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ecdsaKey(t), authority)
	forged := signed(t, &x509.Certificate{DNSNames: []string{"a"}}, ecdsaKey(t), nil)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		title    string
		cert, ca []byte
		want     string
	}{
		{"a client's", client, ca, "it does not verify against its CA: "},
		{"signed by itself", forged, ca, "it does not verify against its CA: "},
		{"the right one first", join(good, other), join(ca, otherCA), ""},
		{"the wrong one first", join(other, good), ca, "it does not name a"},
		{"the wrong CA first", good, join(otherCA, ca), "it does not verify against its CA: "},
	} {
		got := ServerCertificateProblem(c.cert, c.ca, []string{"a"}, nil, today)
		if !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", c.title, got, c.want)
		}
	}
	zoned, _ := issue(t, authority, nil, addresses("fe80::1"), today)
	if problem := ServerCertificateProblem(zoned, ca, nil, addresses("fe80::1%eth0"), today); problem != "" {
		t.Errorf("an address with a zone: %s", problem)
	}
	if problem := ServerCertificateProblem(zoned, ca, []string{"a"}, addresses("fe80::1"), today); problem != "it does not name a" {
		t.Errorf("an address alone: %q", problem)
	}
}
