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
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/provision/object"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

func identityOfW1() object.ServingIdentity {
	return object.ServingIdentity{Node: "w1", DNSNames: []string{"w1"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.21"), netip.MustParseAddr("2001:db8::21")}}
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
		{"name only", func(c *csr, _ *object) { c.IPAddresses = nil }, ""},
		{"IPv6 address too", func(c *csr, _ *object) { c.IPAddresses = append(c.IPAddresses, net.ParseIP("2001:db8::21")) }, ""},
		{"signer", func(_ *csr, o *object) { o.Spec.SignerName = certificatesv1.KubeAPIServerClientSignerName }, "its signer is"},
		{"user", func(_ *csr, o *object) { o.Spec.Username = "system:node:w2" }, "it comes from system:node:w2"},
		{"group", func(_ *csr, o *object) { o.Spec.Groups = nil }, "not in the group"},
		{"usage missing", func(_ *csr, o *object) { o.Spec.Usages = o.Spec.Usages[:1] }, `it lacks the usage "server auth"`},
		{"the other usage missing", func(_ *csr, o *object) { o.Spec.Usages = o.Spec.Usages[1:] }, `it lacks the usage "digital signature"`},
		{"usage too much", func(_ *csr, o *object) { o.Spec.Usages = append(o.Spec.Usages, certificatesv1.UsageClientAuth) }, `it asks for the usage "client auth"`},
		{"no PEM", func(_ *csr, o *object) { o.Spec.Request = []byte("x") }, "it holds no certificate request"},
		{"PEM of something else", func(_ *csr, o *object) {
			o.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
		}, "it holds no certificate request"},
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
		case c.want != "" && err != nil && !strings.Contains(err.Error(), ": csr of node w1: "):
			t.Errorf("%s: error is %v", c.name, err)
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!errors.Is(err, ErrServing) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
}

// Who asks must hold the key, and asks for one thing.
func TestCheckServingVerifiesTheSignature(t *testing.T) {
	asked := servingCSR(t, "csr", nil)
	block, _ := pem.Decode(asked.Spec.Request)
	for title, c := range map[string]struct {
		text []byte
		want string
	}{
		"as it was signed":        {asked.Spec.Request, ""},
		"space around":            {slices.Concat(asked.Spec.Request, []byte("\n \n")), ""},
		"another signature":       {pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: flipLast(block.Bytes)}), "verification failure"},
		"a second request behind": {slices.Concat(asked.Spec.Request, asked.Spec.Request), "it holds no certificate request"},
	} {
		request := asked.DeepCopy()
		request.Spec.Request = c.text
		err := CheckServing(request, identityOfW1())
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrServing) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error is %v, want %q in it", title, err, c.want)
		}
	}
	asked.Spec.Request = pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: flipLast(block.Bytes)})
	client, clientset := fakeClient(asked)
	if err := client.ApproveServing(t.Context(), "csr", identityOfW1()); !errors.Is(err, ErrServing) {
		t.Errorf("ApproveServing = %v", err)
	}
	if request := csrNamed(t, clientset, "csr"); len(request.Status.Conditions) > 0 {
		t.Errorf("it is decided: %+v", request.Status.Conditions)
	}
}

// flipLast changes the last bit, which in a request belongs to the signature.
func flipLast(der []byte) []byte {
	changed := slices.Clone(der)
	changed[len(changed)-1] ^= 1
	return changed
}

func csrNamed(t *testing.T, clientset *fake.Clientset, name string) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	request, err := clientset.CertificatesV1().CertificateSigningRequests().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request
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
		servingCSR(t, "other-signer", func(_ *x509.CertificateRequest, o *certificatesv1.CertificateSigningRequest) {
			o.Spec.SignerName = certificatesv1.KubeAPIServerClientKubeletSignerName
		}),
		decided("denied", certificatesv1.CertificateDenied, "not today")(t),
	)
	pending, err := client.ServingRequests(t.Context())
	if want := []object.ServingRequest{{Name: "pending", Node: "w1"}, {Name: "wrong", Node: "w1"}}; err != nil || !slices.Equal(pending, want) {
		t.Errorf("pending %+v, %v", pending, err)
	}
	if fields := clientset.Actions()[0].(k8stesting.ListAction).GetListRestrictions().Fields.String(); fields != "spec.signerName=kubernetes.io/kubelet-serving" {
		t.Errorf("listed with %q", fields)
	}
	if err := client.ApproveServing(t.Context(), "wrong", identityOfW1()); !errors.Is(err, ErrServing) {
		t.Errorf("wrong: %v", err)
	}
	for _, name := range []string{"pending", "pending", "issued"} {
		if err := client.ApproveServing(t.Context(), name, identityOfW1()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "FairleadApprove",
		Message: "it asks for exactly the name and the addresses that the inventory gives this node",
	}
	if conditions := csrNamed(t, clientset, "pending").Status.Conditions; !slices.Equal(conditions, []certificatesv1.CertificateSigningRequestCondition{want}) {
		t.Errorf("it is decided with %+v", conditions)
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

func TestServingRequestsNamesWhatFails(t *testing.T) {
	client, clientset := fakeClient(servingCSR(t, "csr", nil))
	if err := client.ApproveServing(t.Context(), "absent", identityOfW1()); !apierrors.IsNotFound(err) || !strings.HasPrefix(err.Error(), "get certificate signing request absent: ") {
		t.Errorf("ApproveServing = %v", err)
	}
	forbidden := apierrors.NewForbidden(csrResource, "", nil)
	clientset.PrependReactor("update", "certificatesigningrequests", refuseWith(forbidden))
	if err := client.ApproveServing(t.Context(), "csr", identityOfW1()); !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "approve certificate signing request csr: ") {
		t.Errorf("ApproveServing = %v", err)
	}
	clientset.PrependReactor("list", "certificatesigningrequests", refuseWith(forbidden))
	if pending, err := client.ServingRequests(t.Context()); pending != nil || !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "list certificate signing requests: ") {
		t.Errorf("ServingRequests = %v, %v", pending, err)
	}
}
