package registry

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A TLS server that got HTTP says so in its own words. Any other bad request is what it is,
// whatever form its answer has.
func TestBadRequests(t *testing.T) {
	const storage = "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>"
	for _, c := range []struct {
		tls         bool
		contentType string
		body        string
		scheme      bool
	}{
		{false, "text/plain", "Client sent an HTTP request to an HTTPS server.\n", true},
		{false, "text/html", "<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>", true},
		{false, "text/html", "Reason: You're speaking plain HTTP to an SSL-enabled server port.", true},
		{false, "", "Bad Request\nThis combination of host and port requires TLS.", true},
		{false, "application/xml", storage, false},
		{false, "text/plain", "", false},
		{false, "", "", false},
		{false, "application/json; charset=utf-8", `{"errors":[{"code":"NAME_INVALID","message":"no such name"}]}`, false},
		{true, "text/plain", "Client sent an HTTP request to an HTTPS server.\n", false},
	} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, c.body)
		}))
		endpoint := Endpoint{PlainHTTP: !c.tls}
		if s.Start(); c.tls {
			s.Close()
			s = httptest.NewTLSServer(s.Config.Handler)
			endpoint.CA = (&server{Server: s}).ca()
		}
		endpoint.Host = s.Listener.Addr().String()
		err := connect(t, endpoint, nil).Ping(t.Context())
		s.Close()
		want := ": status 400"
		switch {
		case c.scheme:
			want = ": 400 Bad Request to HTTP ("
		case strings.HasPrefix(c.body, "{"):
			want = ": status 400: name invalid: no such name"
		}
		if err == nil || errors.Is(err, ErrScheme) != c.scheme || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What HEAD does not find, GET may: proxies answer HEAD in ways of their own.
func TestResolveAsksByGET(t *testing.T) {
	m, _, items := pair(t)
	data, d := m.blobs[items[0].Digest], items[0].Digest
	for title, c := range map[string]struct {
		head, get func(http.ResponseWriter)
		kind      error
	}{
		"404": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, nil, nil},
		"405": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusMethodNotAllowed) }, nil, nil},
		"501": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotImplemented) }, nil, nil},
		"400": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadRequest) }, nil, nil},
		"no length, no type": {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "") }, func(w http.ResponseWriter) {
			w.(http.Flusher).Flush()
			w.Write(data)
		}, nil},
		"it is not there":   {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, ErrMissing},
		"it is forbidden":   {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, ErrCredentials},
		"it is another one": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, func(w http.ResponseWriter) { w.Write([]byte("{}")) }, ErrCorrupt},
		"it is too large": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, func(w http.ResponseWriter) {
			w.Write(make([]byte, maxManifest+1))
		}, errors.ErrUnsupported},
	} {
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodHead:
				c.head(w)
			case c.get != nil:
				c.get(w)
			default:
				w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
				w.Write(data)
			}
		})
		desc, err := client.Resolve(t.Context(), "lib/a", d.String())
		switch want := (ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d, Size: int64(len(data))}); {
		case c.kind == nil && (err != nil || desc.Digest != want.Digest || desc.Size != want.Size || desc.MediaType != want.MediaType):
			t.Errorf("%s: %+v, %v", title, desc, err)
		case c.kind == errors.ErrUnsupported: //nolint:errorlint // stands for an error without a kind
			if err == nil || !strings.Contains(err.Error(), "more than 4194304 bytes") {
				t.Errorf("%s: %v", title, err)
			}
		case !errors.Is(err, c.kind):
			t.Errorf("%s: %v, want %v", title, err, c.kind)
		}
	}
}
