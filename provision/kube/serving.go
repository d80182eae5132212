package kube

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fairlead/provision/object"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	nodeUserPrefix = "system:node:"
	nodesGroup     = "system:nodes"
)

// ErrServing says that a request for a serving certificate is not approved.
var ErrServing = errors.New("the request for a serving certificate is refused")

// CheckServing says why a request is not exactly what the kubelet of a node may ask for. The
// rules are those of the signer kubernetes.io/kubelet-serving (Kubernetes documentation,
// Certificate Signing Requests), and on top that every name and address is the node's own.
func CheckServing(request *certificatesv1.CertificateSigningRequest, id object.ServingIdentity) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s of node %s: %s", ErrServing, request.Name, id.Node, fmt.Sprintf(format, args...))
	}
	user := nodeUserPrefix + id.Node
	switch {
	case request.Spec.SignerName != certificatesv1.KubeletServingSignerName:
		return refuse("its signer is %s", request.Spec.SignerName)
	case request.Spec.Username != user:
		return refuse("it comes from %s", request.Spec.Username)
	case !slices.Contains(request.Spec.Groups, nodesGroup):
		return refuse("its user is not in the group %s", nodesGroup)
	}
	if usage := strangeUsage(request.Spec.Usages); usage != "" {
		return refuse("%s", usage)
	}
	csr, problem := certificateRequest(request.Spec.Request)
	if problem != "" {
		return refuse("%s", problem)
	}
	if problem := strangeSubject(csr, user); problem != "" {
		return refuse("%s", problem)
	}
	for _, name := range csr.DNSNames {
		if !slices.Contains(id.DNSNames, name) {
			return refuse("it asks for the name %s, which is not that node's", name)
		}
	}
	for _, ip := range csr.IPAddresses {
		address, _ := netip.AddrFromSlice(ip)
		if !slices.Contains(id.Addresses, address.Unmap()) {
			return refuse("it asks for the address %s, which is not that node's", ip)
		}
	}
	return nil
}

// certificateRequest reads the one request in a PEM, which its own key must have signed.
func certificateRequest(text []byte) (csr *x509.CertificateRequest, problem string) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, "it holds no certificate request"
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, err.Error()
	}
	return csr, ""
}

// strangeSubject says what a request asks for that a kubelet never does.
func strangeSubject(csr *x509.CertificateRequest, user string) string {
	switch {
	case csr.Subject.CommonName != user:
		return "its common name is " + csr.Subject.CommonName
	case !slices.Equal(csr.Subject.Organization, []string{nodesGroup}):
		return fmt.Sprintf("its organisations are %v", csr.Subject.Organization)
	case len(csr.EmailAddresses)+len(csr.URIs) > 0:
		return "it asks for e-mail addresses or URIs"
	case len(csr.DNSNames)+len(csr.IPAddresses) == 0:
		return "it asks for no name and no address"
	}
	return ""
}

// strangeUsage says which usages are missing or too much.
func strangeUsage(usages []certificatesv1.KeyUsage) string {
	needed := []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageServerAuth}
	for _, usage := range needed {
		if !slices.Contains(usages, usage) {
			return fmt.Sprintf("it lacks the usage %q", usage)
		}
	}
	for _, usage := range usages {
		if !slices.Contains(needed, usage) && usage != certificatesv1.UsageKeyEncipherment {
			return fmt.Sprintf("it asks for the usage %q", usage)
		}
	}
	return ""
}

// pendingServing says that nobody has decided on a request.
func pendingServing(request *certificatesv1.CertificateSigningRequest) bool {
	return request.Spec.SignerName == certificatesv1.KubeletServingSignerName && len(request.Status.Conditions) == 0 && len(request.Status.Certificate) == 0
}

func servingRequest(request *certificatesv1.CertificateSigningRequest) object.ServingRequest {
	return object.ServingRequest{Name: request.Name, Node: strings.TrimPrefix(request.Spec.Username, nodeUserPrefix)}
}

// ServingRequests lists the requests that nobody has decided on.
func (c *Client) ServingRequests(ctx context.Context) ([]object.ServingRequest, error) {
	all, err := c.listServing(ctx)
	if err != nil {
		return nil, err
	}
	var pending []object.ServingRequest
	for _, request := range all {
		if pendingServing(&request) {
			pending = append(pending, servingRequest(&request))
		}
	}
	return pending, nil
}

func (c *Client) listServing(ctx context.Context) ([]certificatesv1.CertificateSigningRequest, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	list, err := c.clientset.CertificatesV1().CertificateSigningRequests().List(ctx, metav1.ListOptions{
		FieldSelector: "spec.signerName=" + certificatesv1.KubeletServingSignerName,
	})
	if err != nil {
		return nil, fmt.Errorf("list certificate signing requests: %w", err)
	}
	return list.Items, nil
}

// ApproveServing approves a request if CheckServing has nothing against it. One that somebody
// has decided on already stays as it is.
func (c *Client) ApproveServing(ctx context.Context, name string, id object.ServingIdentity) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	requests := c.clientset.CertificatesV1().CertificateSigningRequests()
	request, err := requests.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get certificate signing request %s: %w", name, err)
	}
	if !pendingServing(request) {
		return nil
	}
	if err := CheckServing(request, id); err != nil {
		return err
	}
	request.Status.Conditions = append(request.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "FairleadApprove",
		Message: "it asks for exactly the name and the addresses that the inventory gives this node",
	})
	if _, err := requests.UpdateApproval(ctx, name, request, metav1.UpdateOptions{FieldManager: fieldManager}); err != nil {
		return fmt.Errorf("approve certificate signing request %s: %w", name, err)
	}
	return nil
}
