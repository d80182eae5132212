package kube

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"fairlead/provision/object"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func identityOfW1() object.ServingIdentity {
	return object.ServingIdentity{Node: "w1", DNSNames: []string{"w1"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.21")}}
}

// servingCSR is what w1's kubelet asks for, after a change.
func servingCSR(t *testing.T, name string, change func(*x509.CertificateRequest, *certificatesv1.CertificateSigningRequest)) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	template := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "system:node:w1", Organization: []string{"system:nodes"}},
		DNSNames: []string{"w1"}, IPAddresses: []net.IP{net.ParseIP("192.0.2.21")},
	}
	request := &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(int64(len(name)), 0))},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			SignerName: certificatesv1.KubeletServingSignerName, Username: "system:node:w1", Groups: []string{"system:nodes", "system:authenticated"},
			Usages: []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageServerAuth},
		},
	}
	if change != nil {
		change(template, request)
	}
	if request.Spec.Request != nil {
		return request
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	request.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	return request
}

func TestCheckServing(t *testing.T) {
	type csr = x509.CertificateRequest
	type object = certificatesv1.CertificateSigningRequest
	for _, c := range []struct {
		name   string
		change func(*csr, *object)
		want   string
	}{
		{"as it should be", nil, ""},
		{"key encipherment too", func(_ *csr, o *object) { o.Spec.Usages = append(o.Spec.Usages, certificatesv1.UsageKeyEncipherment) }, ""},
		{"address only", func(c *csr, _ *object) { c.DNSNames = nil }, ""},
		{"signer", func(_ *csr, o *object) { o.Spec.SignerName = certificatesv1.KubeAPIServerClientSignerName }, "its signer is"},
		{"user", func(_ *csr, o *object) { o.Spec.Username = "system:node:w2" }, "it comes from system:node:w2"},
		{"group", func(_ *csr, o *object) { o.Spec.Groups = nil }, "not in the group"},
		{"usage missing", func(_ *csr, o *object) { o.Spec.Usages = o.Spec.Usages[:1] }, `it lacks the usage "server auth"`},
		{"usage too much", func(_ *csr, o *object) { o.Spec.Usages = append(o.Spec.Usages, certificatesv1.UsageClientAuth) }, `it asks for the usage "client auth"`},
		{"no PEM", func(_ *csr, o *object) { o.Spec.Request = []byte("x") }, "it holds no certificate request"},
		{"broken", func(_ *csr, o *object) {
			o.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")})
		}, "asn1"},
		{"common name", func(c *csr, _ *object) { c.Subject.CommonName = "system:node:w2" }, "its common name is system:node:w2"},
		{"organisation", func(c *csr, _ *object) { c.Subject.Organization = []string{"system:nodes", "system:masters"} }, "its organisations are"},
		{"e-mail", func(c *csr, _ *object) { c.EmailAddresses = []string{"a@example.com"} }, "e-mail addresses or URIs"},
		{"URI", func(c *csr, _ *object) { c.URIs = []*url.URL{{Scheme: "spiffe", Host: "x"}} }, "e-mail addresses or URIs"},
		{"nothing", func(c *csr, _ *object) { c.DNSNames, c.IPAddresses = nil, nil }, "no name and no address"},
		{"another name", func(c *csr, _ *object) { c.DNSNames = []string{"w1", "kubernetes.default"} }, "the name kubernetes.default"},
		{"another address", func(c *csr, _ *object) { c.IPAddresses = append(c.IPAddresses, net.ParseIP("192.0.2.11")) }, "the address 192.0.2.11"},
	} {
		err := CheckServing(servingCSR(t, "csr", c.change), identityOfW1())
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!errors.Is(err, ErrServing) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestServingRequests(t *testing.T) {
	client, clientset := fakeClient(
		servingCSR(t, "pending", nil),
		servingCSR(t, "issued", func(_ *x509.CertificateRequest, o *certificatesv1.CertificateSigningRequest) {
			o.Status.Certificate = []byte("x")
		}),
		servingCSR(t, "wrong", func(c *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
			c.DNSNames = []string{"other"}
		}),
	)
	pending, err := client.ServingRequests(t.Context())
	if err != nil || len(pending) != 2 || pending[0] != (object.ServingRequest{Name: "pending", Node: "w1"}) {
		t.Errorf("pending %+v, %v", pending, err)
	}
	if err := client.ApproveServing(t.Context(), "wrong", identityOfW1()); !errors.Is(err, ErrServing) {
		t.Errorf("wrong: %v", err)
	}
	for _, name := range []string{"pending", "pending", "issued"} {
		if err := client.ApproveServing(t.Context(), name, identityOfW1()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	approvals := 0
	for _, action := range clientset.Actions() {
		if action.GetVerb() == "update" && action.GetSubresource() == "approval" {
			approvals++
		}
	}
	if approvals != 1 {
		t.Errorf("%d approvals", approvals)
	}
}

func TestWaitServing(t *testing.T) {
	requests := func(c *Client) func(string) {
		return func(string) { // the controller signs what is approved
			api := c.clientset.CertificatesV1().CertificateSigningRequests()
			list, err := api.List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Error(err)
			}
			for _, request := range list.Items {
				if len(request.Status.Conditions) > 0 {
					request.Status.Certificate = []byte("x")
					if _, err := api.UpdateStatus(t.Context(), &request, metav1.UpdateOptions{}); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	client, clientset := fakeClient()
	asked := false
	if err := client.WaitServing(t.Context(), identityOfW1(), func(reason string) {
		if !asked {
			asked = true
			if reason != "the kubelet has not asked for it yet" {
				t.Errorf("first reason %q", reason)
			}
			if err := clientset.Tracker().Add(servingCSR(t, "csr", nil)); err != nil {
				t.Error(err)
			}
		}
		requests(client)(reason)
	}); err != nil {
		t.Fatal(err)
	}
	if err := clientset.Tracker().Add(servingCSR(t, "csr-newer", func(c *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
		c.DNSNames = []string{"other"}
	})); err != nil {
		t.Fatal(err)
	}
	if err := client.WaitServing(t.Context(), identityOfW1(), nil); !errors.Is(err, ErrServing) || !strings.Contains(err.Error(), "the name other") {
		t.Errorf("a wrong request: %v", err)
	}
}
