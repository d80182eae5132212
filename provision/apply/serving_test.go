package apply_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/provision/remote/remotetest"
)

// request is where the API has the kubelet's request for a serving certificate.
const request = "/apis/certificates.k8s.io/v1/certificatesigningrequests/csr-1"

// servingRequest is what the kubelet of w1 asks for.
func servingRequest(t *testing.T, address string) fields {
	t.Helper()
	template := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "system:node:w1", Organization: []string{"system:nodes"}},
		DNSNames: []string{"w1"}, IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, remotetest.NewECDSA(t).(crypto.Signer))
	if err != nil {
		t.Fatal(err)
	}
	return fields{"spec": fields{
		"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:w1", "groups": []any{"system:nodes"},
		"usages": []any{"digital signature", "server auth"}, "request": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
	}}
}

// TestApproveServing approves what a kubelet asks for once it does, if that is its own, and waits for the certificate.
func TestApproveServing(t *testing.T) {
	action := plan.ApproveServing{Identity: object.ServingIdentity{Node: "w1", DNSNames: []string{"w1"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.21")}}}
	inWorld(t, func(t *testing.T, w *world) {
		time.AfterFunc(5*time.Second, func() { w.api.put(request, servingRequest(t, "192.0.2.21")) })
		time.AfterFunc(10*time.Second, func() {
			w.api.put(request, fields{"spec": fields{"username": "system:node:w1"}, "status": fields{"certificate": []byte("it")}})
		})
		start := time.Now()
		w.well(w.doOn("", action))
		if took := time.Since(start); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("done after %s", took)
		}
		w.did("api: PUT " + request + "/approval")
		w.told("progress the kubelet has not asked for it yet", "progress request csr-1 waits for approval", "progress request csr-1 is approved and not signed yet")
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.api.put(request, servingRequest(t, "192.0.2.66"))
		if said := w.doOn("", action); !strings.HasSuffix(said, "it asks for the address 192.0.2.66, which is not that node's") {
			t.Errorf("said %q", said)
		}
		w.did()
	})
}
