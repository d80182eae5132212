package pki

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The reasons why bytes are not taken for a certificate. Each stands in the error's chain.
var (
	// ErrNoCertificate says that there is no PEM block of type CERTIFICATE.
	ErrNoCertificate = errors.New("no PEM certificate in it")
	// ErrPrivateKey says that the bytes hold a private key, which has no place where a
	// certificate is expected. The key itself is never part of the error.
	ErrPrivateKey = errors.New("it holds a private key where only certificates are expected")
)

// Certificate is what can be said about a certificate without its key.
type Certificate struct {
	// Subject is the distinguished name in the form of RFC 2253, for example "CN=kubernetes".
	Subject string
	// NotBefore and NotAfter bound the validity, both inclusive.
	NotBefore, NotAfter time.Time
	// Names are the DNS names and the IP addresses that it is for.
	Names []string
}

// CAHash returns the hash that `kubeadm join` pins the cluster's CA with: "sha256:" and the
// lower-case hex SHA-256 of the DER encoded SubjectPublicKeyInfo, as kubeadm's
// app/util/pubkeypin computes it. The hash stands for the key, so a CA certificate that was
// issued again for the same key keeps its hash.
//
// Where the PEM holds several certificates, the first one counts: kubeadm writes the CA that
// signs first, and a join accepts a cluster if any of its CA certificates has a pinned key.
// Bytes without a certificate give ErrNoCertificate, a private key ErrPrivateKey.
func CAHash(caPEM []byte) (string, error) {
	certs, err := parse(caPEM)
	if err != nil {
		return "", fmt.Errorf("hash CA certificate: %w", err)
	}
	sum := sha256.Sum256(certs[0].RawSubjectPublicKeyInfo)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// SameCA tells whether the first certificates of a and b have the same public key. Two such
// certificates sign and verify the same things even where their dates or serials differ.
// The errors are those of CAHash.
func SameCA(a, b []byte) (bool, error) {
	first, err := parse(a)
	if err != nil {
		return false, fmt.Errorf("compare CA certificates: first: %w", err)
	}
	second, err := parse(b)
	if err != nil {
		return false, fmt.Errorf("compare CA certificates: second: %w", err)
	}
	return bytes.Equal(first[0].RawSubjectPublicKeyInfo, second[0].RawSubjectPublicKeyInfo), nil
}

// ParseCertificates returns the facts of every certificate in the PEM, in its order.
// The errors are those of CAHash.
func ParseCertificates(certPEM []byte) ([]Certificate, error) {
	parsed, err := parse(certPEM)
	if err != nil {
		return nil, fmt.Errorf("parse certificates: %w", err)
	}
	certs := make([]Certificate, len(parsed))
	for i, c := range parsed {
		names := slices.Clone(c.DNSNames)
		for _, address := range c.IPAddresses {
			names = append(names, address.String())
		}
		certs[i] = Certificate{Subject: c.Subject.String(), NotBefore: c.NotBefore, NotAfter: c.NotAfter, Names: names}
	}
	return certs, nil
}

// parse returns the certificates of a PEM, at least one. Other public blocks are passed over;
// a private key is refused wherever it stands.
func parse(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, ErrPrivateKey
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, ErrNoCertificate
	}
	return certs, nil
}
