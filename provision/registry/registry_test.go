package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// server is a registry in memory, with faults to order.
type server struct {
	*httptest.Server
	user, password string
	bearer         bool // tokens in place of Basic
	noMount        bool
	mountStatus    int // the answer to who wants to mount; 0: as noMount says
	noDelete       bool
	noHeadDigest   bool

	mu       sync.Mutex
	blobs    map[string][]byte            // "repository@digest"
	contents map[string]map[string][]byte // manifests: repository, then tag or digest
	types    map[string]string            // media types by digest
	requests []string                     // "METHOD path", those that were let in
	logins   int                          // requests that came with credentials
	busy     int                          // so many uploads are answered by 503
	resets   int                          // so many uploads are cut in the middle
	forged   map[string][]byte            // what is sent in place of manifests, by digest
	statuses map[string]int               // statuses of requests in place of answers: "METHOD path"
	refuse   string                       // a blob whose upload is always refused by 400
	ended    int                          // so many uploads find, when they are through, that their token has ended
	issued   int                          // tokens
	oldest   int                          // token that still is good for uploads
}

func newServer(t *testing.T, tls bool, configure ...func(*server)) *server {
	t.Helper()
	s := &server{blobs: map[string][]byte{}, contents: map[string]map[string][]byte{}, types: map[string]string{}}
	for _, c := range configure {
		c(s)
	}
	if s.Server = httptest.NewUnstartedServer(s); tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) host() string { return s.Listener.Addr().String() }

func (s *server) client(t *testing.T) *Client {
	t.Helper()
	return connect(t, Endpoint{Host: s.host(), PlainHTTP: true, User: s.user, Password: s.password}, nil)
}

// connect makes a client that does not wait between attempts.
func connect(t *testing.T, endpoint Endpoint, dial DialFunc) *Client {
	t.Helper()
	c, err := NewClient(endpoint, dial)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = func(int) time.Duration { return time.Millisecond }
	t.Cleanup(c.Close)
	return c
}

// count is how many requests began so.
func (s *server) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(s.requests), func(r string) bool { return strings.HasPrefix(r, prefix) })
	return len(s.requests) - len(others)
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.logins = nil, 0
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		s.token(w, r)
		return
	}
	if !s.admit(w, r) {
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.String())
	status := s.statuses[r.Method+" "+r.URL.Path]
	s.mu.Unlock()
	if status != 0 {
		refuse(w, status, "DENIED")
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	switch {
	case path == "":
		w.WriteHeader(http.StatusOK)
	case path == "_catalog" || strings.HasSuffix(path, "/tags/list"):
		s.list(w, strings.TrimSuffix(path, "/tags/list"))
	case strings.Contains(path, "/blobs/uploads/"):
		s.upload(w, r, path[:strings.Index(path, "/blobs/uploads/")])
	case strings.Contains(path, "/blobs/"):
		repository, d, _ := strings.Cut(path, "/blobs/")
		s.blob(w, r, repository, d)
	default:
		repository, reference, _ := strings.Cut(path, "/manifests/")
		s.manifest(w, r, repository, reference)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"no"}]}`, code)
}

// admit checks Basic credentials or the token, and asks for them.
func (s *server) admit(w http.ResponseWriter, r *http.Request) bool {
	if s.user == "" && !s.bearer {
		return true
	}
	if r.Header.Get("Authorization") != "" && !s.bearer {
		s.mu.Lock()
		s.logins++
		s.mu.Unlock()
	}
	user, password, _ := r.BasicAuth()
	if !s.bearer && user == s.user && password == s.password || s.bearer && tokenOf(r) > 0 {
		return true
	}
	challenge := `Basic realm="test"`
	if s.bearer {
		challenge = fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, s.host())
	}
	w.Header().Set("WWW-Authenticate", challenge)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
	return false
}

// tokenOf is the number of the token that a request comes with; 0: none.
func tokenOf(r *http.Request) int {
	var number int
	if _, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer let-me-in-%d", &number); err != nil {
		return 0
	}
	return number
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.logins++
	s.mu.Unlock()
	if user, password, _ := r.BasicAuth(); user != s.user || password != s.password {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	fmt.Fprintf(w, `{"token":"let-me-in-%d"}`, s.issued)
}

func (s *server) upload(w http.ResponseWriter, r *http.Request, repository string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := r.URL.Query().Get("digest")
	if mount := r.URL.Query().Get("mount"); r.Method == http.MethodPost {
		if mount != "" && s.mountStatus != 0 {
			refuse(w, s.mountStatus, "DENIED")
			return
		}
		if data, ok := s.blobs[r.URL.Query().Get("from")+"@"+mount]; ok && !s.noMount {
			s.blobs[repository+"@"+mount] = data
			w.WriteHeader(http.StatusCreated)
			return
		}
		w.Header().Set("Location", "/v2/"+repository+"/blobs/uploads/1?_state=s3cret-state")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if s.resets > 0 {
		s.resets--
		io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
		return
	}
	data, err := io.ReadAll(r.Body)
	switch {
	case s.ended > 0:
		s.ended--
		s.oldest = s.issued + 1
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
	case s.bearer && tokenOf(r) < s.oldest:
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
	case s.busy > 0:
		s.busy--
		w.WriteHeader(http.StatusServiceUnavailable)
	case err != nil || digest.FromBytes(data).String() != d || d == s.refuse:
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID")
	default:
		s.blobs[repository+"@"+d] = data
		w.WriteHeader(http.StatusCreated)
	}
}

func (s *server) blob(w http.ResponseWriter, r *http.Request, repository, d string) {
	s.mu.Lock()
	data, ok := s.blobs[repository+"@"+d]
	s.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN")
		return
	}
	w.Header().Set("Docker-Content-Digest", d)
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method == http.MethodGet {
		w.Write(data)
	}
}

func (s *server) manifest(w http.ResponseWriter, r *http.Request, repository, reference string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.contents[repository]
	data, ok := here[reference]
	switch r.Method {
	case http.MethodPut:
		data, _ = io.ReadAll(r.Body)
		d := digest.FromBytes(data).String()
		if here == nil {
			here = map[string][]byte{}
			s.contents[repository] = here
		}
		here[reference], here[d], s.types[d] = data, data, r.Header.Get("Content-Type")
		w.WriteHeader(http.StatusCreated)
	case http.MethodDelete:
		if s.noDelete {
			refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
			return
		}
		maps.DeleteFunc(here, func(_ string, other []byte) bool { return string(other) == string(data) })
		w.WriteHeader(http.StatusAccepted)
	default:
		if !ok {
			refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN")
			return
		}
		d := digest.FromBytes(data).String()
		if !s.noHeadDigest || r.Method == http.MethodGet {
			w.Header().Set("Docker-Content-Digest", d)
		}
		w.Header().Set("Content-Type", s.types[d])
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		if other, ok := s.forged[d]; ok && r.Method == http.MethodGet {
			w.Header().Set("Content-Length", fmt.Sprint(len(other)))
			data = other
		}
		if r.Method == http.MethodGet {
			w.Write(data)
		}
	}
}

// list answers with the repositories, and with the tags of one.
func (s *server) list(w http.ResponseWriter, repository string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags := slices.DeleteFunc(slices.Collect(maps.Keys(s.contents[repository])), func(tag string) bool { return strings.HasPrefix(tag, "sha256:") })
	json.NewEncoder(w).Encode(map[string][]string{"repositories": slices.Collect(maps.Keys(s.contents)), "tags": tags})
}
