package registry

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func login(bearer bool) func(*server) {
	return func(s *server) { s.user, s.password, s.bearer = "ann", "s3cret", bearer }
}

// filled is a registry with the image lib/a:1.
func filled(t *testing.T, tls bool, configure ...func(*server)) *server {
	t.Helper()
	s := newServer(t, tls, configure...)
	s.contents["lib/a"] = map[string][]byte{}
	m, _, items := pair(t)
	desc := m.images["a"]
	for _, reference := range []string{"1", "same", desc.Digest.String()} {
		s.contents["lib/a"][reference] = m.blobs[items[0].Digest]
	}
	s.types[desc.Digest.String()] = desc.MediaType
	return s
}

func (s *server) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

func TestResolveNamesWhatIsWrong(t *testing.T) {
	plain, secure := filled(t, false), filled(t, true)
	basic, bearer := filled(t, false, login(false)), filled(t, false, login(true))
	other := newServer(t, true)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	for _, c := range []struct {
		title    string
		endpoint Endpoint
		tag      string
		want     error
	}{
		{"plain HTTP", Endpoint{Host: plain.host(), PlainHTTP: true}, "1", nil},
		{"TLS", Endpoint{Host: secure.host(), CA: secure.ca()}, "1", nil},
		{"Basic", Endpoint{Host: basic.host(), PlainHTTP: true, User: "ann", Password: "s3cret"}, "1", nil},
		{"Bearer", Endpoint{Host: bearer.host(), PlainHTTP: true, User: "ann", Password: "s3cret"}, "1", nil},
		{"no such tag", Endpoint{Host: plain.host(), PlainHTTP: true}, "2", ErrMissing},
		{"unknown CA", Endpoint{Host: secure.host()}, "1", ErrCertificate},
		{"HTTP in place of HTTPS", Endpoint{Host: plain.host()}, "1", ErrScheme},
		{"HTTPS in place of HTTP", Endpoint{Host: other.host(), PlainHTTP: true}, "1", ErrScheme},
		{"Basic, wrong password", Endpoint{Host: basic.host(), PlainHTTP: true, User: "ann", Password: "s3cret2"}, "1", ErrCredentials},
		{"Bearer, wrong password", Endpoint{Host: bearer.host(), PlainHTTP: true, User: "ann", Password: "s3cret2"}, "1", ErrCredentials},
		{"Basic, no password", Endpoint{Host: basic.host(), PlainHTTP: true}, "1", ErrCredentials},
		{"nobody listens", Endpoint{Host: closed, PlainHTTP: true}, "1", ErrUnreachable},
	} {
		basic.forget()
		bearer.forget()
		desc, err := connect(t, c.endpoint, nil).Resolve(t.Context(), "lib/a", c.tag)
		if !errors.Is(err, c.want) || c.want == nil && desc.Size == 0 {
			t.Errorf("%s: %v, %v, want %v", c.title, desc, err, c.want)
		}
		if err == nil {
			continue
		}
		if text := err.Error(); !strings.Contains(text, c.endpoint.Host+"/lib/a:"+c.tag) || strings.Contains(text, "s3cret") || !strings.HasSuffix(text, ")") {
			t.Errorf("%s: the text is %q", c.title, text)
		}
		if n := basic.logins + bearer.logins; n > 1 {
			t.Errorf("%s: %d attempts to log in", c.title, n)
		}
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	for _, bearer := range []bool{false, true} {
		s := newServer(t, false, login(bearer))
		m, _, items := pair(t)
		c := connect(t, Endpoint{Host: s.host(), PlainHTTP: true, User: "ann", Password: "wrong"}, nil)
		if _, err := Copy(t.Context(), m, c, items, CopyOptions{}); !errors.Is(err, ErrCredentials) {
			t.Errorf("error is %v", err)
		}
		if s.logins != 1 {
			t.Errorf("bearer %v: %d attempts to log in", bearer, s.logins)
		}
		if stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{}); err != nil || stats.Images != 2 {
			t.Errorf("bearer %v, with the right one: %+v, %v", bearer, stats, err)
		}
	}
}

func TestStatusAndAttempts(t *testing.T) {
	for _, c := range []struct {
		status   int
		want     error
		requests int32
	}{
		{http.StatusForbidden, ErrCredentials, 1},
		{http.StatusMethodNotAllowed, ErrDisabled, 1},
		{http.StatusInsufficientStorage, ErrServer, 1},
		{http.StatusInternalServerError, ErrServer, attempts},
		{http.StatusTooManyRequests, ErrServer, attempts},
	} {
		var requests atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			w.WriteHeader(c.status)
		}))
		_, err := connect(t, Endpoint{Host: s.Listener.Addr().String(), PlainHTTP: true}, nil).Tags(t.Context(), "lib/a")
		s.Close()
		if !errors.Is(err, c.want) || requests.Load() != c.requests {
			t.Errorf("%d: %v after %d requests, want %v after %d", c.status, err, requests.Load(), c.want, c.requests)
		}
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		user, password, _ := r.BasicAuth()
		fmt.Fprintf(w, `{"errors":[{"code":"UNAUTHORIZED","message":"%s:%s or\n%s is wrong"}]}`, user, password, r.Header.Get("Authorization"))
	}))
	defer s.Close()
	_, err := connect(t, Endpoint{Host: s.Listener.Addr().String(), PlainHTTP: true, User: "ann", Password: "s3cret"}, nil).Tags(t.Context(), "lib/a")
	if !errors.Is(err, ErrCredentials) {
		t.Fatal(err)
	}
	text := err.Error()
	if strings.Contains(text, "s3cret") || strings.Contains(text, "YW5uOnMzY3JldA") || strings.Contains(text, "\n") || !strings.Contains(text, "ann:***") {
		t.Errorf("the text is %q", text)
	}
}

func TestDialFunction(t *testing.T) {
	s := filled(t, false)
	var dialed []string
	c := connect(t, Endpoint{Host: "registry.example:5000", PlainHTTP: true}, func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return (&net.Dialer{}).DialContext(ctx, network, s.host())
	})
	if _, err := c.Resolve(t.Context(), "lib/a", "1"); err != nil || !slices.Equal(dialed, []string{"registry.example:5000"}) {
		t.Errorf("dialed %v, %v", dialed, err)
	}
	if c.http.Transport.(*transport).base.Proxy != nil || s.client(t).http.Transport.(*transport).base.Proxy == nil {
		t.Error("proxies of the environment are for clients that dial themselves, and for these only")
	}
	lost := errors.New("the host is lost")
	calls := 0
	c = connect(t, Endpoint{Host: "registry.example"}, func(context.Context, string, string) (net.Conn, error) {
		calls++
		return nil, lost
	})
	if err := c.Ping(t.Context()); !errors.Is(err, ErrUnreachable) || !errors.Is(err, lost) || calls != 1 {
		t.Errorf("after %d dials: %v", calls, err)
	}
}

// closing tells when a connection is closed.
type closing struct {
	net.Conn
	closed chan<- bool
}

func (c closing) Close() error {
	c.closed <- true
	return c.Conn.Close()
}

func TestCloseEndsConnections(t *testing.T) {
	s := newServer(t, false)
	closed := make(chan bool, 10)
	c := connect(t, Endpoint{Host: s.host(), PlainHTTP: true}, func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return closing{conn, closed}, err
	})
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Close()
	<-closed
}

func TestWaitReady(t *testing.T) {
	s := newServer(t, false)
	dials := 0
	c := connect(t, Endpoint{Host: s.host(), PlainHTTP: true}, func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials < 3 {
			return nil, errors.New("connection refused")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	})
	if err := c.WaitReady(t.Context()); err != nil || dials != 3 {
		t.Errorf("after %d dials: %v", dials, err)
	}
	locked := newServer(t, false, login(false))
	if err := connect(t, Endpoint{Host: locked.host(), PlainHTTP: true}, nil).WaitReady(t.Context()); !errors.Is(err, ErrCredentials) {
		t.Errorf("without a password: %v", err)
	}
}

func TestListAndDelete(t *testing.T) {
	s := filled(t, false)
	c := s.client(t)
	if got, err := c.Repositories(t.Context()); err != nil || !slices.Equal(got, []string{"lib/a"}) {
		t.Errorf("repositories are %v, %v", got, err)
	}
	tags, err := c.Tags(t.Context(), "lib/a")
	if slices.Sort(tags); err != nil || !slices.Equal(tags, []string{"1", "same"}) {
		t.Errorf("tags are %v, %v", tags, err)
	}
	s.noDelete = true
	if err := c.Delete(t.Context(), "lib/a", "1"); !errors.Is(err, ErrDisabled) {
		t.Errorf("where it is not allowed: %v", err)
	}
	s.noDelete = false
	if err := c.Delete(t.Context(), "lib/a", "1"); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"1", "same"} {
		if _, err := c.Resolve(t.Context(), "lib/a", tag); !errors.Is(err, ErrMissing) {
			t.Errorf("%s after the deletion: %v", tag, err)
		}
	}
	if err := c.Delete(t.Context(), "lib/a", "1"); !errors.Is(err, ErrMissing) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestResolveWithoutDigestInHead(t *testing.T) {
	s := filled(t, false, func(s *server) { s.noHeadDigest = true })
	desc, err := s.client(t).Resolve(t.Context(), "lib/a", "1")
	if err != nil || s.contents["lib/a"][desc.Digest.String()] == nil {
		t.Errorf("%v, %v", desc, err)
	}
	s.statuses = map[string]int{"GET /v2/lib/a/manifests/1": http.StatusForbidden}
	if _, err := s.client(t).Resolve(t.Context(), "lib/a", "1"); !errors.Is(err, ErrCredentials) || !strings.HasPrefix(err.Error(), "resolve "+s.host()+"/lib/a:1: ") {
		t.Errorf("GET is forbidden: %v", err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	for _, endpoint := range []Endpoint{
		{Host: ""},
		{Host: "https://registry.example"},
		{Host: "registry.example", CA: []byte("no PEM")},
		{Host: "registry.example", User: "ann"},
		{Host: "registry.example", Password: "s3cret"},
	} {
		if _, err := NewClient(endpoint, nil); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v", endpoint, err)
		}
	}
}
