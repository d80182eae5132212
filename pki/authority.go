package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"
)

const (
	// authorityYears is how long a new CA is valid.
	authorityYears = 10
	// backdated is how far a validity begins in the past, for hosts whose clocks are behind.
	backdated = 5 * time.Minute
	// serialBits is the size of serial numbers: RFC 5280 §4.1.2.2 allows 20 octets, positive.
	serialBits = 127
)

var (
	// ErrNoAuthority says that certificate and key are not those of a CA that can sign.
	ErrNoAuthority = errors.New("certificate and key are not those of a CA")
	// ErrAuthorityEnds says that a CA is too near its end to sign.
	ErrAuthorityEnds = errors.New("the CA is too near its end")
)

// Authority is a CA of fairlead's own, for servers that are not the cluster's. Its key is
// ECDSA on P-256.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes a CA for ten years, which may sign no further CA.
func NewAuthority(rand io.Reader, commonName string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, fmt.Errorf("make the key of CA %q: %w", commonName, err)
	}
	serial, err := serialNumber(rand)
	if err != nil {
		return nil, fmt.Errorf("make CA %q: %w", commonName, err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign CA %q: %w", commonName, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read CA %q back: %w", commonName, err)
	}
	return &Authority{certificate: certificate, key: key}, nil
}

// ParseAuthority reads a CA from what CertificatePEM and KeyPEM returned. A certificate that
// is no CA's, or that is another key's, gives ErrNoAuthority.
func ParseAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	certificates, err := parse(certPEM)
	if err != nil {
		return nil, fmt.Errorf("read CA certificate: %w", err)
	}
	certificate := certificates[0]
	block, _ := pem.Decode(keyPEM)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("read CA key: %w: no PEM block PRIVATE KEY (PKCS #8)", ErrNoAuthority)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		// The parser's words are left out: they may repeat parts of the key.
		return nil, fmt.Errorf("read CA key: %w: the key is damaged", ErrNoAuthority)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	switch {
	case !ok || key.Curve != elliptic.P256():
		return nil, fmt.Errorf("read CA key: %w: the key is not ECDSA P-256", ErrNoAuthority)
	case !certificate.IsCA || certificate.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, fmt.Errorf("read CA certificate: %w: %q may not sign", ErrNoAuthority, certificate.Subject)
	case !key.PublicKey.Equal(certificate.PublicKey):
		return nil, fmt.Errorf("read CA: %w: the certificate is that of another key", ErrNoAuthority)
	}
	return &Authority{certificate: certificate, key: key}, nil
}

// CertificatePEM is the CA's certificate.
func (a *Authority) CertificatePEM() []byte { return encodePEM("CERTIFICATE", a.certificate.Raw) }

// KeyPEM is the CA's key, a secret, in PKCS #8.
func (a *Authority) KeyPEM() ([]byte, error) { return encodeKey(a.key) }

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return encodePEM("PRIVATE KEY", der), nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// serialNumber is a positive random number.
func serialNumber(rand io.Reader) (*big.Int, error) {
	data := make([]byte, (serialBits+7)/8)
	if _, err := io.ReadFull(rand, data); err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	data[0] &= 1<<(serialBits%8) - 1
	data[len(data)-1] |= 1
	return new(big.Int).SetBytes(data), nil
}
