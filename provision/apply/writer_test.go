package apply_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/templates"

	"github.com/opencontainers/go-digest"
	"golang.org/x/crypto/bcrypt"
)

// writer is the registry's writer on cp1: it runs from when its unit is started, a little later, until
// that is stopped, and lets in whom its file of passwords has.
type writer struct {
	w *world

	mu       sync.Mutex
	stored   map[string]string // by path: blobs and manifests
	password string            // the one that was taken
	refuse   string            // a request that is refused, "METHOD PATH"
}

const (
	// passwords is the file of passwords, startWriter and stopWriter what the journal has of the unit.
	passwords   = "/etc/fairlead/registry/htpasswd"
	startWriter = "cp1: restart-unit fairlead-registry-writer.service"
	stopWriter  = "cp1: stop-unit fairlead-registry-writer.service"
)

// addWriter has cp1 have a writer.
func (w *world) addWriter() *writer {
	r := &writer{w: w, stored: map[string]string{}}
	_, listener := serve(w.t, r, (*httptest.Server).Start)
	var up time.Time // zero while it does not run
	w.cp1.answer(answer{do: func([]string, []byte) { up = time.Now().Add(time.Second) }}, templates.ScriptRestartUnit)
	w.cp1.answer(answer{do: func([]string, []byte) { up = time.Time{} }}, templates.ScriptStopUnit)
	w.cp1.dial = func(address string) (net.Conn, error) {
		if up.IsZero() || time.Now().Before(up) || address != "127.0.0.1:15000" {
			return nil, errors.New("connection refused")
		}
		return listener.connect()
	}
	return r
}

// ServeHTTP implements http.Handler.
func (r *writer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.w.t.Error(err)
	}
	path := request.URL.Path
	content, exists := r.stored[path]
	switch {
	case !r.admits(request):
		w.Header().Set("WWW-Authenticate", `Basic realm="writer"`)
		w.WriteHeader(http.StatusUnauthorized)
	case request.Method+" "+path == r.refuse:
		w.WriteHeader(http.StatusForbidden)
	case path == "/v2/":
	case request.Method == http.MethodPost:
		w.Header().Set("Location", path+"1")
		w.WriteHeader(http.StatusAccepted)
	case request.Method == http.MethodPut:
		path = strings.Replace(path, "/blobs/uploads/1", "/blobs/"+request.URL.Query().Get("digest"), 1)
		r.stored[path] = string(body)
		w.WriteHeader(http.StatusCreated)
	case request.Method == http.MethodDelete:
		delete(r.stored, path)
		w.WriteHeader(http.StatusAccepted)
	case !exists:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", digest.FromString(content).String())
		io.WriteString(w, content)
	}
}

// admits looks a user up as the registry does: with the file of passwords as it is now.
func (r *writer) admits(request *http.Request) bool {
	user, password, _ := request.BasicAuth()
	hash, found := strings.CutPrefix(strings.TrimSpace(r.w.cp1.file(passwords)), "600 "+user+":")
	if !found || bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		return false
	}
	r.password = password
	return true
}

// has says whether the registry holds something at a path.
func (r *writer) has(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stored[path] != ""
}

// used is the password of the last request, which is a secret.
func (r *writer) used(t *testing.T) string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.password) < 16 {
		t.Errorf("a password of %d characters", len(r.password))
	}
	r.w.secret(r.password)
	return r.password
}
