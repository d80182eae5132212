package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// shelf is a registry in memory. What it holds is one map: manifests and blobs, by the paths that they are asked for with.
type shelf struct {
	server *httptest.Server

	mu     sync.Mutex
	holds  map[string]string
	asked  []string // "METHOD PATH", but for reads of blobs
	dialed []string // addresses
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{holds: map[string]string{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// at is the address of the registry.
func (s *shelf) at() string { return s.server.Listener.Addr().String() }

// dial connects to the registry, whatever the address.
func (s *shelf) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	s.dialed = append(s.dialed, address)
	s.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, s.at())
}

// put makes the registry hold an image, and gives its digest.
func (s *shelf) put(repository, tag string) string {
	keep := func(kind, text string) digest.Digest {
		d := digest.FromString(text)
		s.holds["/v2/"+repository+kind+d.String()] = text
		return d
	}
	describe := func(mediaType, text string) ocispec.Descriptor {
		return ocispec.Descriptor{MediaType: mediaType, Digest: keep("/blobs/", text), Size: int64(len(text))}
	}
	text, _ := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: describe(ocispec.MediaTypeImageConfig, "{}"), Layers: []ocispec.Descriptor{describe(ocispec.MediaTypeImageLayer, "layer of "+repository)},
	})
	s.holds["/v2/"+repository+"/manifests/"+tag] = string(text)
	return keep("/manifests/", string(text)).String()
}

func (s *shelf) has(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holds[path] != ""
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.Contains(r.URL.Path, "/blobs/sha256:") {
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	}
	repository, _, uploads := strings.Cut(r.URL.Path, "/blobs/uploads/")
	body, _ := io.ReadAll(r.Body)
	held, exists := s.holds[r.URL.Path]
	switch {
	case r.URL.Path == "/v2/":
	case r.Method == http.MethodPost && uploads:
		w.Header().Set("Location", r.URL.Path+"1")
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut && uploads:
		s.holds[repository+"/blobs/"+r.URL.Query().Get("digest")] = string(body)
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		s.holds[r.URL.Path] = string(body)
		w.WriteHeader(http.StatusCreated)
	case !exists:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(s.holds, r.URL.Path)
		w.WriteHeader(http.StatusAccepted)
	default:
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		}
		w.Header().Set("Docker-Content-Digest", digest.FromString(held).String())
		w.Header().Set("Content-Length", fmt.Sprint(len(held)))
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, held)
		}
	}
}
