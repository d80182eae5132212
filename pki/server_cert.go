package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	// serverYears is how long a server's certificate is valid.
	serverYears = 2
	// renewBefore is how long before its end a certificate is not good enough any more.
	renewBefore = 30 * 24 * time.Hour
)

// IssueServer makes a key and a certificate for a TLS server that is reached by these names
// and addresses, for two years or until the CA's end. A CA that ends within 30 days gives
// ErrAuthorityEnds. The key is a secret, in PKCS #8.
func (a *Authority) IssueServer(rand io.Reader, names []string, addresses []netip.Addr, now time.Time) (certPEM, keyPEM []byte, err error) {
	if len(names)+len(addresses) == 0 {
		return nil, nil, fmt.Errorf("issue server certificate: no name and no address for it")
	}
	end := a.certificate.NotAfter
	if now.Add(renewBefore).After(end) {
		return nil, nil, fmt.Errorf("issue server certificate: %w: it ends at %s; make a new CA", ErrAuthorityEnds, end.UTC().Format(time.RFC3339))
	}
	if limit := now.AddDate(serverYears, 0, 0); limit.Before(end) {
		end = limit
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("make the key of a server: %w", err)
	}
	serial, err := serialNumber(rand)
	if err != nil {
		return nil, nil, fmt.Errorf("issue server certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: commonName(names, addresses)},
		NotBefore:             now.Add(-backdated),
		NotAfter:              end,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              names,
		IPAddresses:           ips(addresses),
	}
	der, err := x509.CreateCertificate(rand, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign server certificate: %w", err)
	}
	if keyPEM, err = encodeKey(key); err != nil {
		return nil, nil, err
	}
	return encodePEM("CERTIFICATE", der), keyPEM, nil
}

// commonName is the first of the names and addresses. Clients look at the others.
func commonName(names []string, addresses []netip.Addr) string {
	if len(names) > 0 {
		return names[0]
	}
	return addresses[0].String()
}

func ips(addresses []netip.Addr) []net.IP {
	var list []net.IP
	for _, address := range addresses {
		list = append(list, address.Unmap().AsSlice())
	}
	return list
}

// ServerCertificateProblem says why a server's certificate should be replaced, or "" when it
// verifies against the CA for all names and addresses, and for 30 days to come.
func ServerCertificateProblem(certPEM, caPEM []byte, names []string, addresses []netip.Addr, now time.Time) string {
	if len(bytes.TrimSpace(certPEM)) == 0 {
		return "there is none"
	}
	certificates, err := parse(certPEM)
	if err != nil {
		return fmt.Sprintf("it is unreadable: %v", err)
	}
	authorities, err := parse(caPEM)
	if err != nil {
		return fmt.Sprintf("its CA is unreadable: %v", err)
	}
	if problem := validityProblem("it", certificates[0], now); problem != "" {
		return problem
	}
	if problem := validityProblem("its CA", authorities[0], now); problem != "" {
		return problem
	}
	for _, name := range append(slices.Clone(names), addressTexts(addresses)...) {
		if certificates[0].VerifyHostname(name) != nil {
			return "it does not name " + name
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(authorities[0])
	options := x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if _, err := certificates[0].Verify(options); err != nil {
		return fmt.Sprintf("it does not verify against its CA: %v", err)
	}
	return ""
}

// validityProblem looks at the dates of a certificate, which the text calls subject.
func validityProblem(subject string, certificate *x509.Certificate, now time.Time) string {
	end := certificate.NotAfter.UTC().Format(time.RFC3339)
	switch {
	case now.Before(certificate.NotBefore):
		return subject + " is not valid before " + certificate.NotBefore.UTC().Format(time.RFC3339)
	case now.After(certificate.NotAfter):
		return subject + " expired at " + end
	case now.Add(renewBefore).After(certificate.NotAfter):
		return subject + " expires soon, at " + end
	}
	return ""
}

func addressTexts(addresses []netip.Addr) []string {
	var texts []string
	for _, address := range addresses {
		texts = append(texts, address.Unmap().WithZone("").String())
	}
	return texts
}
