package registry

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// answering is a registry that answers each request by what the handler does.
func answering(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return connect(t, Endpoint{Host: strings.TrimPrefix(s.URL, "http://"), PlainHTTP: true}, nil)
}

// A list may come in pages, and one that breaks off is begun anew.
func TestListsHavePages(t *testing.T) {
	for title, c := range map[string]struct {
		path, field string
		list        func(*Client) ([]string, error)
	}{
		"tags":         {"/v2/lib/a/tags/list", "tags", func(c *Client) ([]string, error) { return c.Tags(t.Context(), "lib/a") }},
		"repositories": {"/v2/_catalog", "repositories", func(c *Client) ([]string, error) { return c.Repositories(t.Context()) }},
	} {
		var second atomic.Int32
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path != c.path:
				t.Errorf("%s: asked for %s", title, r.URL)
			case r.URL.Query().Get("last") == "":
				w.Header().Set("Link", "<"+c.path+`?last=b>; rel="next"`)
				fmt.Fprintf(w, `{%q: ["a", "b"]}`, c.field)
			case second.Add(1) == 1:
				w.WriteHeader(http.StatusBadGateway)
			default:
				fmt.Fprintf(w, `{%q: ["c"]}`, c.field)
			}
		})
		if got, err := c.list(client); err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("%s are %v, %v", title, got, err)
		}
	}
}

func TestRequestsNameWhatFails(t *testing.T) {
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusForbidden, "DENIED") })
	host := client.endpoint.Host
	d := digest.FromString("x").String()
	for want, do := range map[string]func() error{
		"reach registry " + host + ": registry denies access":           func() error { return client.Ping(t.Context()) },
		"wait for registry " + host + ": registry denies access":        func() error { return client.WaitReady(t.Context()) },
		"list the repositories of " + host + ": registry denies access": func() error { _, err := client.Repositories(t.Context()); return err },
		"list the tags of " + host + "/lib/a: registry denies access":   func() error { _, err := client.Tags(t.Context(), "lib/a"); return err },
		"list the tags of " + host + "/No: invalid":                     func() error { _, err := client.Tags(t.Context(), "No"); return err },
		"resolve " + host + "/lib/a:1: registry denies access":          func() error { _, err := client.Resolve(t.Context(), "lib/a", "1"); return err },
		"resolve " + host + "/lib/a@" + d + ": registry denies access":  func() error { _, err := client.Resolve(t.Context(), "lib/a", d); return err },
		"resolve " + host + "/No:1: invalid":                            func() error { _, err := client.Resolve(t.Context(), "No", "1"); return err },
		"resolve " + host + "/lib/a:2: registry denies access":          func() error { return client.Delete(t.Context(), "lib/a", "2") },
		"resolve " + host + "/lib/a:latest: registry denies access":     func() error { _, _, err := client.Image(t.Context(), "lib/a"); return err },
		`image "No": `:         func() error { _, _, err := client.Image(t.Context(), "No"); return err },
		`image "@` + d + `": `: func() error { _, _, err := client.Image(t.Context(), "@"+d); return err },
	} {
		if err := do(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestDeleteNamesWhatFails(t *testing.T) {
	s := filled(t, false)
	desc, err := s.client(t).Resolve(t.Context(), "lib/a", "1")
	if err != nil {
		t.Fatal(err)
	}
	s.statuses = map[string]int{"DELETE /v2/lib/a/manifests/" + desc.Digest.String(): http.StatusForbidden}
	if err := s.client(t).Delete(t.Context(), "lib/a", "1"); !errors.Is(err, ErrCredentials) || !strings.HasPrefix(err.Error(), "delete "+s.host()+"/lib/a:1: ") {
		t.Errorf("error is %v", err)
	}
}

// The digest of a reference is believed before its tag, and no tag is "latest".
func TestClientIsASource(t *testing.T) {
	s := filled(t, false)
	m, shared, items := pair(t)
	d := items[0].Digest
	s.contents["lib/a"]["latest"], s.contents["lib/a"][items[1].Digest.String()] = m.blobs[items[1].Digest], m.blobs[items[1].Digest]
	s.types[items[1].Digest.String()] = ocispec.MediaTypeImageManifest
	s.blobs["lib/a@"+shared.Digest.String()] = m.blobs[shared.Digest]
	c := s.client(t)
	for ref, want := range map[string]digest.Digest{
		"lib/a:1": d, "lib/a": items[1].Digest, "lib/a@" + d.String(): d, "lib/a:latest@" + d.String(): d,
	} {
		desc, fetcher, err := c.Image(t.Context(), ref)
		if err != nil || desc.Digest != want {
			t.Errorf("%s is %s, %v, want %s", ref, desc.Digest, err, want)
			continue
		}
		for _, part := range []ocispec.Descriptor{desc, shared} {
			r, err := fetcher.Fetch(t.Context(), part)
			if err != nil {
				t.Errorf("%s: %v", ref, err)
				continue
			}
			if data, err := io.ReadAll(r); err != nil || digest.FromBytes(data) != part.Digest {
				t.Errorf("%s: %s is %d bytes, %v", ref, part.Digest, len(data), err)
			}
			r.Close()
		}
		lost := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromString("lost"), Size: 4}
		for _, mediaType := range []string{ocispec.MediaTypeImageLayer, ocispec.MediaTypeImageManifest} {
			lost.MediaType = mediaType
			if r, err := fetcher.Fetch(t.Context(), lost); r != nil || !errors.Is(err, ErrMissing) || !strings.HasPrefix(err.Error(), "read "+s.host()+"/lib/a@"+lost.Digest.String()+": ") {
				t.Errorf("%s: what is not there: %v", ref, err)
			}
		}
	}
}

// A manifest whose way breaks off is fetched again.
func TestFetchTriesManifestsAgain(t *testing.T) {
	m, _, items := pair(t)
	data := m.blobs[items[0].Digest]
	var gets atomic.Int32
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		w.Header().Set("Docker-Content-Digest", items[0].Digest.String())
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		switch {
		case r.Method == http.MethodHead:
		case gets.Add(1) == 1:
			w.Write(data[:10]) // less than announced: the connection is cut
		default:
			w.Write(data)
		}
	})
	desc, fetcher, err := client.Image(t.Context(), "lib/a:1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := fetcher.Fetch(t.Context(), desc)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != string(data) || gets.Load() != 2 {
		t.Errorf("%q, %v after %d requests", got, err, gets.Load())
	}
}

func TestOrigins(t *testing.T) {
	s := filled(t, false)
	s.contents["library/a"] = s.contents["lib/a"]
	for ref, want := range map[string]string{
		"a:1": "docker.io", "docker.io/library/a:1": "docker.io", "registry.example:5000/lib/a:1": "registry.example:5000",
	} {
		asked := ""
		origins := Origins(func(domain string) (*Client, error) {
			asked = domain
			return s.client(t), nil
		})
		if desc, _, err := origins.Image(t.Context(), ref); err != nil || desc.Digest == "" || asked != want {
			t.Errorf("%s: %v, %v, asked %q, want %q", ref, desc, err, asked, want)
		}
	}
	origins := Origins(func(string) (*Client, error) { return nil, errDisk })
	for ref, want := range map[string]string{
		"Not A Reference": `image "Not A Reference": `, "registry.example/lib/a:1": "image registry.example/lib/a:1: registry registry.example: disk on fire",
	} {
		if _, _, err := origins.Image(t.Context(), ref); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", ref, err, want)
		}
	}
	for domain, want := range map[string]string{"docker.io": "registry-1.docker.io", "registry.example": "registry.example", "": ""} {
		if got := Origin(domain); got != want {
			t.Errorf("images of %q are served by %q", domain, got)
		}
	}
}

// A registry that is busy while it starts is waited for.
func TestWaitReadyMeetsABusyRegistry(t *testing.T) {
	var requests atomic.Int32
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "fairlead" {
			t.Errorf("asked as %q", r.UserAgent())
		}
		if requests.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	if err := client.WaitReady(t.Context()); err != nil || requests.Load() != 3 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

func TestProxyOfTheEndpoint(t *testing.T) {
	s := filled(t, false)
	var asked []string
	client := connect(t, Endpoint{Host: "registry.example", PlainHTTP: true, Proxy: func(u *url.URL) (*url.URL, error) {
		asked = append(asked, u.String())
		return url.Parse(s.URL)
	}}, nil)
	if err := client.Ping(t.Context()); err != nil || !slices.Equal(asked, []string{"http://registry.example/v2/"}) {
		t.Errorf("%v, asked for the proxy of %q", err, asked)
	}
	if s.count("GET http://registry.example/v2/") != 1 {
		t.Errorf("requests %q", s.requests)
	}
	if transport := client.http.Transport.(*transport).base; transport.TLSClientConfig.RootCAs != nil {
		t.Error("without a CA of its own it does not trust the system's")
	}
}

// An endpoint's CA is trusted besides the system's, not in their place.
func TestTrusted(t *testing.T) {
	own := newServer(t, true).ca()
	want, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	want.AppendCertsFromPEM(own)
	if pool, err := trusted(own); err != nil || !pool.Equal(want) {
		t.Errorf("trusted = %v, %v", pool, err)
	}
	if _, err := trusted([]byte("x")); err == nil || err.Error() != "its CA holds no certificate: want PEM" {
		t.Errorf("what is no PEM: %v", err)
	}
}
