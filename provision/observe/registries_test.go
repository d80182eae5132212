package observe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// registries are all registries of a test: at each address is one that has what is named below it.
type registries struct {
	server *httptest.Server

	mu       sync.Mutex
	statuses map[string]int // of answers, by "HOST/REPOSITORY:TAG", or HOST for all of one; else there is an image
	asked    []string       // the same, in this order
	dials    []string       // addresses
}

func newRegistries(t *testing.T) *registries {
	t.Helper()
	r := &registries{statuses: map[string]int{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *registries) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	at := request.Host + strings.Replace(strings.TrimPrefix(request.URL.Path, "/v2"), "/manifests/", ":", 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if again := request.Method == http.MethodGet && len(r.asked) > 0 && r.asked[len(r.asked)-1] == at; !again { // HEAD may mislead
		r.asked = append(r.asked, at)
	}
	status := max(r.statuses[at], r.statuses[request.Host])
	if status == 0 {
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("a", 64))
		w.Header().Set("Content-Length", "2")
		status = http.StatusOK
	}
	w.WriteHeader(status)
}

// dial connects to the registries, except for those at hosts below "down".
func (r *registries) dial(ctx context.Context, network, address string) (net.Conn, error) {
	r.mu.Lock()
	r.dials = append(r.dials, address)
	r.mu.Unlock()
	if strings.HasPrefix(address, "down.") {
		return nil, errors.New("connection refused")
	}
	return new(net.Dialer).DialContext(ctx, network, r.server.Listener.Addr().String())
}
