// Package kubetest is what tests of those who use an API server share: one that holds objects in memory, and that nobody may
// write to.
package kubetest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/pki"
)

// API is an API server that answers from memory. Whoever tries to change something else than a Lease fails the test.
type API struct {
	t      testing.TB
	server *httptest.Server
	ca     []byte // PEM

	mu       sync.Mutex
	objects  map[string]map[string]any // by path
	refused  map[string]int
	requests []string
	versions int    // of Leases so far
	onLease  func() // called before a look at one
}

// Version is the version that the API server says it has.
const Version = "1.37.2"

// kinds are those that the API server knows: "apiVersion resource Kind", and "cluster" where they have no namespace.
const kinds = `
v1 configmaps ConfigMap
v1 secrets Secret
v1 pods Pod
v1 serviceaccounts ServiceAccount
v1 services Service
v1 namespaces Namespace cluster
v1 nodes Node cluster
apps/v1 deployments Deployment
apps/v1 daemonsets DaemonSet
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding cluster
rbac.authorization.k8s.io/v1 clusterroles ClusterRole cluster
certificates.k8s.io/v1 certificatesigningrequests CertificateSigningRequest cluster
`

// New starts an API server that holds objects, and stops it when the test ends.
func New(t testing.TB, objects ...map[string]any) *API {
	t.Helper()
	a := &API{t: t, objects: map[string]map[string]any{}, refused: map[string]int{}}
	for _, object := range objects {
		a.Put(object)
	}
	a.server = httptest.NewUnstartedServer(a)
	a.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	a.server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.certificate()}} // any client will do
	a.server.StartTLS()
	t.Cleanup(a.server.Close)
	return a
}

// certificate is for the names that every API server of kubeadm has, and the one of the kubeconfig.
func (a *API) certificate() tls.Certificate {
	now := time.Now()
	authority, err := pki.NewAuthority(rand.Reader, "kubernetes", now)
	if err != nil {
		a.t.Fatal(err)
	}
	a.ca = authority.CertificatePEM()
	certificate, key, err := authority.IssueServer(rand.Reader, []string{"example.com", "kubernetes"}, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, now)
	if err != nil {
		a.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

// Kubeconfig is an administrator's, as kubeadm names its entries. Its address is that of the certificate: it takes Dial to get there.
func (a *API) Kubeconfig() string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster: {server: "https://example.com:6443", certificate-authority-data: %s}
users:
- name: kubernetes-admin
  user: {token: secret}
contexts:
- name: kubernetes-admin@kubernetes
  context: {cluster: kubernetes, user: kubernetes-admin}
current-context: kubernetes-admin@kubernetes
`, base64.StdEncoding.EncodeToString(a.ca))
}

// URL is where the API server really is; its certificate is of this address, too.
func (a *API) URL() string { return a.server.URL }

// Dial connects to the API server, whatever the address.
func (a *API) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, a.server.Listener.Addr().String())
}

// Put makes the API server hold an object.
func (a *API) Put(object map[string]any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	path := pathOf(object)
	if path == "" {
		a.t.Fatalf("the API server does not know the kind of %v", object)
	}
	a.objects[path] = object
}

// Refuse has requests for a path end with a status.
func (a *API) Refuse(path string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused[path] = status
}

// Requests are the paths that were asked for.
func (a *API) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// pathOf is where the API has an object; empty for a kind that it does not know.
func pathOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	for line := range strings.Lines(strings.TrimSpace(kinds)) {
		words := strings.Fields(line)
		if words[0] != object["apiVersion"] || words[2] != object["kind"] {
			continue
		}
		folder := rootOf(words[0])
		if len(words) == 3 {
			folder += fmt.Sprintf("/namespaces/%v", metadata["namespace"])
		}
		return fmt.Sprintf("%s/%s/%v", folder, words[1], metadata["name"])
	}
	return ""
}

func rootOf(apiVersion string) string {
	if apiVersion == "v1" {
		return "/api/v1"
	}
	return "/apis/" + apiVersion
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.lookAtLease(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r.URL.Path)
	status := a.refused[r.URL.Path]
	switch {
	case r.Header.Get("Authorization") != "Bearer secret" && len(r.TLS.PeerCertificates) == 0:
		a.fail(w, http.StatusUnauthorized)
	case status != 0:
		a.fail(w, status)
	case r.Method != http.MethodGet:
		if !a.writeLease(w, r) {
			a.t.Errorf("%s %s on an API server that is only to be looked at", r.Method, r.URL)
			a.fail(w, http.StatusMethodNotAllowed)
		}
	case r.URL.Path == "/readyz":
	case r.URL.Path == "/version":
		a.send(w, http.StatusOK, map[string]any{"gitVersion": "v" + Version})
	case a.objects[r.URL.Path] != nil:
		a.send(w, http.StatusOK, a.objects[r.URL.Path])
	case !a.discover(w, r.URL.Path) && !a.list(w, r):
		a.fail(w, http.StatusNotFound)
	}
}

// discover answers questions for the kinds of a group.
func (a *API) discover(w http.ResponseWriter, path string) bool {
	var resources []any
	var group string
	for line := range strings.Lines(strings.TrimSpace(kinds)) {
		words := strings.Fields(line)
		if rootOf(words[0]) == path {
			group = words[0]
			resources = append(resources, map[string]any{"name": words[1], "kind": words[2], "namespaced": len(words) == 3, "verbs": []string{"get", "list"}})
		}
	}
	if group == "" {
		return false
	}
	a.send(w, http.StatusOK, map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": resources})
	return true
}

// list answers with all objects of a kind, in a namespace if the path names one.
func (a *API) list(w http.ResponseWriter, r *http.Request) bool {
	for line := range strings.Lines(strings.TrimSpace(kinds)) {
		words := strings.Fields(line)
		if !strings.HasPrefix(r.URL.Path, rootOf(words[0])+"/") || !strings.HasSuffix(r.URL.Path, "/"+words[1]) {
			continue
		}
		items := []any{}
		for path, object := range a.objects {
			everywhere := !strings.Contains(r.URL.Path, "/namespaces/") && object["kind"] == words[2]
			if everywhere || strings.HasPrefix(path, r.URL.Path+"/") {
				items = append(items, object)
			}
		}
		a.send(w, http.StatusOK, map[string]any{"kind": words[2] + "List", "apiVersion": words[0], "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
		return true
	}
	return false
}

// fail answers with a status.
func (a *API) fail(w http.ResponseWriter, status int) {
	reasons := map[int]string{http.StatusConflict: "Conflict", http.StatusNotFound: "NotFound", http.StatusForbidden: "Forbidden", http.StatusUnauthorized: "Unauthorized"}
	a.send(w, status, map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reasons[status], "message": http.StatusText(status),
	})
}

func (a *API) send(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		a.t.Error(err)
	}
}
