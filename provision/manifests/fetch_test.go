package manifests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/inventory"
)

// site serves manifests over TLS, and counts requests.
type site struct {
	*httptest.Server
	requests atomic.Int32
}

func newSite(t *testing.T, answer http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		answer(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are meant to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func (s *site) source() Source { return Source{Client: s.Client()} }

// fetched loads what an address gives.
func fetched(ctx context.Context, s Source, address, hash string) (string, error) {
	text, err := s.Load(ctx, inventory.Manifest{URL: address, SHA256: hash})
	return string(text.Content), err
}

func TestFetchChecksTheHash(t *testing.T) {
	text := configMap("a")
	s := newSite(t, says(text))
	address := s.URL + "/app.yaml"
	if got, err := fetched(t.Context(), s.source(), address, sum([]byte(text))); err != nil || got != text {
		t.Errorf("got %q, %v", got, err)
	}
	wrong := sum([]byte(text + "\n"))
	got, err := fetched(t.Context(), s.source(), address, wrong)
	if !errors.Is(err, ErrHash) || errors.Is(err, ErrDownload) || got != "" {
		t.Fatalf("with another hash: got %q, %v", got, err)
	}
	for _, part := range []string{address, "its sha256 is " + sum([]byte(text)), "want " + wrong} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, want %q in it", err, part)
		}
	}
	if n := s.requests.Load(); n != 2 {
		t.Errorf("%d requests for two manifests", n)
	}
	if got, err := fetched(t.Context(), s.source(), address, ""); !errors.Is(err, ErrHash) || got != "" {
		t.Errorf("without a hash: got %q, %v", got, err)
	}
}

func TestSumIsTheOneOfSha256sum(t *testing.T) {
	if got, want := sum(nil), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFetchedManifestsArePatched(t *testing.T) {
	s := newSite(t, says(configMap("a")))
	m := inventory.Manifest{
		URL: s.URL + "/app.yaml?token=s3cret", SHA256: sum([]byte(configMap("a"))),
		Patches: []inventory.Patch{{Inline: configMap("a") + "data: {x: patched}\n"}},
	}
	text, err := s.source().Load(t.Context(), m)
	if err != nil || !strings.Contains(string(text.Content), "x: patched") {
		t.Errorf("got %q, %v", text.Content, err)
	}
	if !strings.HasPrefix(text.Origin, s.URL+"/app.yaml") || strings.Contains(text.Origin, "s3cret") {
		t.Errorf("the origin is %q", text.Origin)
	}
	m.Patches[0].Inline = configMap("b")
	if _, err := s.source().Load(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), "patch "+text.Origin+": ") {
		t.Errorf("got %v", err)
	}
}

func TestFailedDownloadsAreNotTriedAgain(t *testing.T) {
	text := configMap("a")
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, text)
		}
	}
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"401":           {status(http.StatusUnauthorized), "401 Unauthorized"},
		"404":           {status(http.StatusNotFound), "404 Not Found"},
		"500":           {status(http.StatusInternalServerError), "500 Internal Server Error"},
		"503":           {status(http.StatusServiceUnavailable), "503 Service Unavailable"},
		"203":           {status(http.StatusNonAuthoritativeInfo), "203"},
		"300 to no one": {status(http.StatusMultipleChoices), "300 Multiple Choices"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
			_, _ = io.WriteString(w, text)
		}, io.ErrUnexpectedEOF.Error()},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		s := newSite(t, c.answer)
		got, err := fetched(t.Context(), s.source(), s.URL+"/app.yaml", sum([]byte(text)))
		if !errors.Is(err, ErrDownload) || got != "" || s.requests.Load() != 1 {
			t.Errorf("%s: got %q, %v after %d requests", what, got, err, s.requests.Load())
			continue
		}
		if prefix := s.URL + "/app.yaml: " + ErrDownload.Error() + ": "; !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %q, want %q in it", what, err, c.want)
		}
	}
}

func TestLargestDownload(t *testing.T) {
	for _, c := range []struct {
		size int
		want error
	}{{maxSize, nil}, {maxSize + 1, ErrTooLarge}} {
		content := make([]byte, c.size)
		s := newSite(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
		got, err := fetched(t.Context(), s.source(), s.URL, sum(content))
		if !errors.Is(err, c.want) || err == nil && len(got) != c.size || err != nil && got != "" {
			t.Errorf("%d bytes: got %d, %v", c.size, len(got), err)
		}
	}
}

func TestOnlyVerifiedTLS(t *testing.T) {
	s := newSite(t, says(configMap("a")))
	hash := sum([]byte(configMap("a")))
	if _, err := fetched(t.Context(), Source{Client: &http.Client{}}, s.URL, hash); !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
	if _, err := fetched(t.Context(), Source{}, s.URL, hash); !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "nothing can be fetched here") {
		t.Errorf("without a client: %v", err)
	}
	plain, requests := elsewhere(t)
	for _, address := range []string{plain, "file:///etc/hostname", "//example.com/app.yaml", strings.Replace(s.URL, "https", "ftp", 1)} {
		if _, err := fetched(t.Context(), s.source(), address, hash); !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "only https is fetched") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if s.requests.Load()+requests.Load() > 0 {
		t.Errorf("%d requests arrived by TLS, %d others", s.requests.Load(), requests.Load())
	}
}

func TestRedirects(t *testing.T) {
	plain, requests := elsewhere(t)
	other := newSite(t, says(configMap("other")))
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if left, err := strconv.Atoi(r.URL.Path[1:]); err == nil && left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusFound)
			return
		}
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
		_, _ = io.WriteString(w, configMap("a"))
	})
	for _, c := range []struct {
		path, want string // a part of the error
		hash       string
		requests   int32
	}{
		{"/0", "", "a", 1},
		{"/5", "", "a", 6},
		{"/6", "leads on more than 5 times", "a", 6},
		{"/to?to=" + url.QueryEscape(other.URL), "", "other", 1},
		{"/to?to=" + url.QueryEscape(other.URL), ErrHash.Error(), "a", 1},
		{"/to?to=" + url.QueryEscape(plain), "leads away from https", "a", 1},
		{"/to?to=" + url.QueryEscape("ftp://example.com/"), "leads away from https", "a", 1},
	} {
		s.requests.Store(0)
		got, err := fetched(t.Context(), s.source(), s.URL+c.path, sum([]byte(configMap(c.hash))))
		if c.want == "" && (err != nil || got != configMap(c.hash)) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %q, %v, want %q", c.path, got, err, c.want)
		}
		if n := s.requests.Load(); n != c.requests {
			t.Errorf("%s: %d requests, want %d", c.path, n, c.requests)
		}
	}
	if requests.Load() > 0 {
		t.Error("a redirect to plain HTTP was followed")
	}
	if s.Client().CheckRedirect != nil {
		t.Error("the client that was given has changed")
	}
}

func TestFetchEndsWithTheContext(t *testing.T) {
	arrived := make(chan struct{})
	s := newSite(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := fetched(ctx, s.source(), s.URL, ""); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrDownload) {
		t.Errorf("in the middle: %v", err)
	}
	if _, err := fetched(ctx, s.source(), s.URL, ""); !errors.Is(err, context.Canceled) || s.requests.Load() != 1 {
		t.Errorf("before: %v after %d requests", err, s.requests.Load())
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFetchHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		begin := time.Now()
		_, err := fetched(t.Context(), Source{Client: &http.Client{Transport: silent}}, "https://example.com", "")
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != fetchTime {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestFetchErrorsHoldNoSecrets(t *testing.T) {
	s := newSite(t, says("x"))
	missing := newSite(t, http.NotFound)
	closed := newSite(t, http.NotFound)
	closed.Close()
	for what, c := range map[string]struct {
		source  Source
		address string
	}{
		"hash":         {s.source(), s.URL},
		"status":       {missing.source(), missing.URL},
		"no connect":   {closed.source(), closed.URL},
		"no client":    {Source{}, s.URL},
		"scheme":       {s.source(), strings.Replace(s.URL, "https", "http", 1)},
		"not verified": {Source{Client: &http.Client{}}, s.URL},
		"unreadable":   {s.source(), s.URL + "\x00"},
	} {
		address := strings.Replace(c.address, "://", "://ann:s3cret@", 1) + "/app.yaml?token=s3cret"
		_, err := fetched(t.Context(), c.source, address, sum(nil))
		shown := []string{"/app.yaml", "(unreadable URL)"}
		if err == nil || strings.Contains(err.Error(), "s3cret") || !slices.ContainsFunc(shown, func(part string) bool { return strings.Contains(err.Error(), part) }) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
