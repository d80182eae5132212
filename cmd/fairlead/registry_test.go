package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
)

// imageRegistry is a registry in memory that speaks plain HTTP.
type imageRegistry struct {
	user, password string // empty: everybody is let in

	mu        sync.Mutex
	blobs     map[string][]byte // "repository@digest"
	manifests map[string][]byte // "repository@digest" and "repository:tag"
	types     map[string]string // media types by digest
	uploads   int               // blobs that were sent
}

// registriesKey is where a script keeps its registries, by the names that it gives them.
type registriesKey struct{}

// registryCommand keeps registries for a script:
//
//	registry start NAME [USER PASSWORD]     $NAME becomes its host:port
//	registry seed NAME REPOSITORY:TAG       puts an image for amd64 and arm64 there
//	registry show NAME FILE                 writes what it holds, and how many blobs were sent since the last time
func registryCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: registry start|seed|show NAME [ARGUMENT...]")
	}
	registries := ts.Value(registriesKey{}).(map[string]*imageRegistry)
	r, name := registries[args[1]], args[1]
	switch {
	case args[0] == "start" && (len(args) == 2 || len(args) == 4):
		r = &imageRegistry{blobs: map[string][]byte{}, manifests: map[string][]byte{}, types: map[string]string{}}
		if len(args) == 4 {
			r.user, r.password = args[2], args[3]
		}
		server := httptest.NewServer(r)
		ts.Defer(server.Close)
		ts.Setenv(name, server.Listener.Addr().String())
		registries[name] = r
	case args[0] == "seed" && r != nil && len(args) == 3:
		r.seed(args[2])
	case args[0] == "show" && r != nil && len(args) == 3:
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(r.show()), 0o644))
	default:
		ts.Fatalf("registry %s: no such registry or no such arguments", strings.Join(args, " "))
	}
}

// seed puts an index of two platforms under a reference.
func (r *imageRegistry) seed(reference string) {
	r.mu.Lock() // an earlier command's connection may still be served
	defer r.mu.Unlock()
	repository, tag, _ := strings.Cut(reference, ":")
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	for _, architecture := range []string{"amd64", "arm64"} {
		config := r.keep(repository, ocispec.MediaTypeImageConfig, fmt.Sprintf(`{"architecture":%q,"os":"linux"}`, architecture))
		layer := r.keep(repository, ocispec.MediaTypeImageLayer, reference+" for "+architecture)
		desc := r.keepManifest(repository, ocispec.MediaTypeImageManifest, ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
			Config: config, Layers: []ocispec.Descriptor{layer},
		})
		desc.Platform = &ocispec.Platform{OS: "linux", Architecture: architecture}
		index.Manifests = append(index.Manifests, desc)
	}
	desc := r.keepManifest(repository, ocispec.MediaTypeImageIndex, index)
	r.manifests[repository+":"+tag] = r.manifests[repository+"@"+desc.Digest.String()]
}

func (r *imageRegistry) keep(repository, mediaType, content string) ocispec.Descriptor {
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(content), Size: int64(len(content))}
	r.blobs[repository+"@"+desc.Digest.String()] = []byte(content)
	return desc
}

func (r *imageRegistry) keepManifest(repository, mediaType string, value any) ocispec.Descriptor {
	data, _ := json.Marshal(value) //nolint:errchkjson // types of the image-spec
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	r.manifests[repository+"@"+desc.Digest.String()], r.types[desc.Digest.String()] = data, mediaType
	return desc
}

// show lists the tags with their digests.
func (r *imageRegistry) show() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for name, data := range r.manifests {
		if !strings.Contains(name, "@") {
			lines = append(lines, name+" "+digest.FromBytes(data).String()+"\n")
		}
	}
	slices.Sort(lines)
	uploads := r.uploads
	r.uploads = 0
	return strings.Join(lines, "") + fmt.Sprintf("%d blobs were sent\n", uploads)
}

// ServeHTTP implements http.Handler with what clients that copy images ask for.
func (r *imageRegistry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if user, password, _ := request.BasicAuth(); user != r.user || password != r.password {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		// Some registries repeat what they refuse.
		http.Error(w, fmt.Sprintf(`{"errors":[{"code":"UNAUTHORIZED","message":"%s is not %s's password"}]}`, password, user), http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(request.URL.Path, "/v2/")
	if repository, which, ok := strings.Cut(path, "/manifests/"); ok {
		r.manifest(w, request, repository, which)
		return
	}
	if repository, _, ok := strings.Cut(path, "/blobs/uploads/"); ok {
		r.upload(w, request, repository)
		return
	}
	if repository, which, ok := strings.Cut(path, "/blobs/"); ok {
		data, exists := r.blobs[repository+"@"+which]
		serve(w, request, data, exists, "application/octet-stream")
	}
}

func (r *imageRegistry) manifest(w http.ResponseWriter, request *http.Request, repository, which string) {
	name := repository + ":" + which
	if strings.Contains(which, ":") {
		name = repository + "@" + which
	}
	if request.Method != http.MethodPut {
		data, exists := r.manifests[name]
		serve(w, request, data, exists, r.types[digest.FromBytes(data).String()])
		return
	}
	data, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d := digest.FromBytes(data).String()
	r.manifests[name], r.manifests[repository+"@"+d], r.types[d] = data, data, request.Header.Get("Content-Type")
	w.WriteHeader(http.StatusCreated)
}

// upload takes a blob from another repository, or from the two requests of which the second
// has it all.
func (r *imageRegistry) upload(w http.ResponseWriter, request *http.Request, repository string) {
	query := request.URL.Query()
	if request.Method == http.MethodPost {
		if data, ok := r.blobs[query.Get("from")+"@"+query.Get("mount")]; ok {
			r.blobs[repository+"@"+query.Get("mount")] = data
			w.WriteHeader(http.StatusCreated)
			return
		}
		w.Header().Set("Location", "/v2/"+repository+"/blobs/uploads/1")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	data, err := io.ReadAll(request.Body)
	if d := digest.FromBytes(data).String(); err != nil || d != query.Get("digest") {
		http.Error(w, "wrong digest", http.StatusBadRequest)
		return
	}
	r.uploads++
	r.blobs[repository+"@"+query.Get("digest")] = data
	w.WriteHeader(http.StatusCreated)
}

func serve(w http.ResponseWriter, request *http.Request, data []byte, exists bool, mediaType string) {
	if !exists {
		http.NotFound(w, request)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.Header().Set("Docker-Content-Digest", digest.FromBytes(data).String())
	if request.Method == http.MethodGet {
		_, _ = w.Write(data)
	}
}

// websiteCommand serves a folder over HTTPS: website FOLDER. $WEBSITE becomes its host:port,
// and programs trust it by $SSL_CERT_FILE.
func websiteCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: website FOLDER")
	}
	server := httptest.NewTLSServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs("website.pem"), certificate, 0o644))
	ts.Setenv("SSL_CERT_FILE", ts.MkAbs("website.pem"))
	ts.Setenv("WEBSITE", server.Listener.Addr().String())
}
