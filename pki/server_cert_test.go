package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func issue(t *testing.T, authority *Authority, names []string, addresses []netip.Addr, now time.Time) (certPEM, keyPEM []byte) {
	t.Helper()
	certPEM, keyPEM, err := authority.IssueServer(rand.Reader, names, addresses, now)
	if err != nil {
		t.Fatal(err)
	}
	return certPEM, keyPEM
}

func addresses(texts ...string) []netip.Addr {
	var list []netip.Addr
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func TestIssueServer(t *testing.T) {
	authority, ca, _ := newAuthority(t)
	cert, _ := issue(t, authority, []string{"cp1"}, addresses("192.0.2.11", "2001:db8::1"), today)
	parsed, err := parse(cert)
	if err != nil {
		t.Fatal(err)
	}
	c := parsed[0]
	if !c.NotBefore.Equal(today.Add(-5*time.Minute)) || !c.NotAfter.Equal(today.AddDate(2, 0, 0)) {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
	if !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || c.IsCA {
		t.Errorf("usages %v, CA %v", c.ExtKeyUsage, c.IsCA)
	}
	if !slices.Equal(c.DNSNames, []string{"cp1"}) || len(c.IPAddresses) != 2 {
		t.Errorf("names %v, addresses %v", c.DNSNames, c.IPAddresses)
	}
	late := today.AddDate(9, 0, 0)
	cert, _ = issue(t, authority, []string{"cp1"}, nil, late)
	if got, _ := ParseCertificates(cert); !got[0].NotAfter.Equal(today.AddDate(10, 0, 0)) {
		t.Errorf("the certificate outlives its CA: %v", got[0].NotAfter)
	}
	if problem := ServerCertificateProblem(cert, ca, []string{"cp1"}, nil, late); problem != "" {
		t.Errorf("just issued, and %s", problem)
	}
	_, _, err = authority.IssueServer(rand.Reader, []string{"cp1"}, nil, today.AddDate(10, 0, -29))
	if !errors.Is(err, ErrAuthorityEnds) {
		t.Errorf("with a CA at its end: %v", err)
	}
	if _, _, err := authority.IssueServer(rand.Reader, nil, nil, today); err == nil {
		t.Error("a certificate for nobody was issued")
	}
}

func TestServerCertificateProblem(t *testing.T) {
	authority, ca, caKey := newAuthority(t)
	_, otherCA, _ := newAuthority(t)
	name, address := []string{"cp1"}, addresses("192.0.2.11")
	cert, key := issue(t, authority, name, address, today)
	for _, c := range []struct {
		title     string
		cert, ca  []byte
		names     []string
		addresses []netip.Addr
		now       time.Time
		want      string // prefix; empty: none
	}{
		{"fresh", cert, ca, name, address, today, ""},
		{"31 days left", cert, ca, name, address, today.AddDate(2, 0, -31), ""},
		{"29 days left", cert, ca, name, address, today.AddDate(2, 0, -29), "it expires soon, at 2028-11-23"},
		{"expired", cert, ca, name, address, today.AddDate(2, 0, 1), "it expired at 2028-11-23"},
		{"too early", cert, ca, name, address, today.AddDate(0, 0, -1), "it is not valid before 2026-11-23"},
		{"further name", cert, ca, []string{"cp1", "cp2"}, address, today, "it does not name cp2"},
		{"other address", cert, ca, name, addresses("192.0.2.12"), today, "it does not name 192.0.2.12"},
		{"address mapped to IPv6", cert, ca, name, addresses("::ffff:192.0.2.11"), today, ""},
		{"other CA", cert, otherCA, name, address, today, "it does not verify against its CA: "},
		{"absent", nil, ca, name, address, today, "there is none"},
		{"empty file", []byte("\n"), ca, name, address, today, "there is none"},
		{"damaged", cert[:len(cert)/2], ca, name, address, today, "it is unreadable: "},
		{"key in its place", key, ca, name, address, today, "it is unreadable: " + ErrPrivateKey.Error()},
		{"CA absent", cert, nil, name, address, today, "its CA is unreadable: "},
		{"CA key in its place", cert, caKey, name, address, today, "its CA is unreadable: "},
	} {
		got := ServerCertificateProblem(c.cert, c.ca, c.names, c.addresses, c.now)
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.title, got, c.want)
		}
	}
}

func TestServerHandshake(t *testing.T) {
	authority, ca, _ := newAuthority(t)
	_, otherCA, _ := newAuthority(t)
	cert, key := issue(t, authority, []string{"cp1"}, addresses("192.0.2.11"), today)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(cert, []byte("PRIVATE")) {
		t.Error("the certificate's PEM holds a key")
	}
	for _, c := range []struct {
		ca     []byte
		server string
		works  bool
	}{{ca, "cp1", true}, {ca, "192.0.2.11", true}, {ca, "cp2", false}, {otherCA, "cp1", false}} {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(c.ca)
		clock := func() time.Time { return today }
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() {
			far, err := listener.Accept()
			if err != nil {
				served <- err
				return
			}
			defer far.Close()
			served <- tls.Server(far, &tls.Config{Certificates: []tls.Certificate{pair}, Time: clock}).HandshakeContext(t.Context())
		}()
		near, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		err = tls.Client(near, &tls.Config{RootCAs: pool, ServerName: c.server, Time: clock}).HandshakeContext(t.Context())
		near.Close()
		listener.Close()
		<-served
		if (err == nil) != c.works {
			t.Errorf("handshake with %s: %v", c.server, err)
		}
	}
}
