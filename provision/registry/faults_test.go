package registry

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An image that cannot be had holds up no other, and each of them is named.
func TestCopyGoesOnPastWhatFails(t *testing.T) {
	m, _, items := pair(t)
	origin := newServer(t, false)
	if _, err := Copy(t.Context(), m, origin.client(t), items, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	for i := range items {
		items[i].From = items[i].Repository + ":1"
	}
	gone := func(name string) Item { return Item{From: name + ":1", Repository: name, Tag: "1"} }
	items = []Item{gone("gone/a"), items[0], gone("gone/b"), items[1]}
	for _, parallel := range []int{1, 4} {
		target := newServer(t, false)
		stats, err := Copy(t.Context(), origin.client(t), target.client(t), items, CopyOptions{Parallel: parallel})
		if !errors.Is(err, ErrMissing) || stats.Images != 2 {
			t.Errorf("%+v, %v", stats, err)
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 2 || !strings.HasPrefix(lines[0], "read image gone/a:1: ") || !strings.HasPrefix(lines[1], "read image gone/b:1: ") {
			t.Errorf("the error is %v", err)
		}
	}
}

// In one repository of the target nothing may be written: the others are filled.
func TestCopyGoesOnPastARepository(t *testing.T) {
	m, shared, items := pair(t)
	for _, request := range []string{
		"HEAD /v2/lib/a/blobs/" + shared.Digest.String(), "POST /v2/lib/a/blobs/uploads/", "PUT /v2/lib/a/manifests/1",
	} {
		s := newServer(t, false, func(s *server) { s.statuses = map[string]int{request: http.StatusForbidden} })
		stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{})
		if !errors.Is(err, ErrCredentials) || stats.Images != 1 || strings.Count(err.Error(), "copy image") != 1 || !strings.HasPrefix(err.Error(), "copy image a: ") {
			t.Errorf("%s: %+v, %v", request, stats, err)
		}
	}
}

// What would meet every other image too is met once, and the others are named.
func TestCopyEndsWhereAllWouldFail(t *testing.T) {
	m, _, items := pair(t)
	s := newServer(t, false, func(s *server) {
		s.statuses = map[string]int{"POST /v2/lib/a/blobs/uploads/": http.StatusInsufficientStorage}
	})
	stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{Parallel: 1})
	if !errors.Is(err, ErrServer) || stats.Images != 0 || s.count("POST") != 1 {
		t.Errorf("%+v, %v after %d uploads", stats, err, s.count("POST"))
	}
	if text := err.Error(); !strings.HasPrefix(text, "copy image a: ") || !strings.Contains(text, "copy image b: ") && !strings.HasSuffix(text, "not copied after that: b") {
		t.Errorf("the error is %v", err)
	}
	source := newServer(t, false, func(s *server) {
		s.statuses = map[string]int{"HEAD /v2/lib/a/manifests/1": http.StatusTooManyRequests}
	})
	items[0].From, items[1].From = "lib/a:1", "lib/b:1"
	_, err = Copy(t.Context(), source.client(t), newServer(t, false).client(t), items, CopyOptions{Parallel: 1})
	if !errors.Is(err, ErrServer) || !strings.HasPrefix(err.Error(), "read image lib/a:1: ") || !strings.HasSuffix(err.Error(), "\nnot copied after that: lib/b:1") {
		t.Errorf("the error is %v", err)
	}
}

// A source that does not let the user in is asked no further: it could lock the user out.
func TestCopyStopsAtAWrongPassword(t *testing.T) {
	_, _, items := pair(t)
	for _, bearer := range []bool{false, true} {
		source := newServer(t, false, login(bearer))
		client := connect(t, Endpoint{Host: source.host(), PlainHTTP: true, User: "ann", Password: "wrong"}, nil)
		var many []Item
		for range 20 {
			many = append(many, Item{From: "docker.io/lib/a:1", Repository: items[0].Repository, Tag: "1"})
		}
		from := Origins(func(string) (*Client, error) { return client, nil })
		if _, err := Copy(t.Context(), from, newServer(t, false).client(t), many, CopyOptions{Parallel: 1}); !errors.Is(err, ErrCredentials) {
			t.Errorf("error is %v", err)
		}
		if source.logins > 3 {
			t.Errorf("bearer %v: it came with the password %d times", bearer, source.logins)
		}
	}
}

// A token that ends while a blob is on its way is renewed once. What is denied then, is denied.
func TestCopyRenewsATokenThatEnds(t *testing.T) {
	for ended, want := range map[int]error{1: nil, 2: ErrCredentials} {
		m, _, items := pair(t)
		s := newServer(t, false, login(true))
		s.ended = ended
		var sent, total int64
		stats, err := Copy(t.Context(), m, s.client(t), items[:1], CopyOptions{Parallel: 1, OnProgress: func(a, b int64) { sent, total = a, b }})
		if !errors.Is(err, want) {
			t.Errorf("%d: %+v, %v", ended, stats, err)
		}
		if want == nil && (stats != Stats{Images: 1, Blobs: 3, Bytes: 301011} || sent != total) {
			t.Errorf("%d: %+v, sent %d of %d", ended, stats, sent, total)
		}
	}
}

// A blob that is not what its digest says is the source's fault, and does not reach the target.
func TestCopyOfACorruptBlob(t *testing.T) {
	for title, c := range map[string]struct {
		change func([]byte) []byte
		kind   error
	}{
		"another byte": {func(b []byte) []byte { return append(bytes.Clone(b[1:]), 'x') }, ErrCorrupt},
		"as long":      {func(b []byte) []byte { return bytes.Repeat([]byte("x"), len(b)) }, ErrCorrupt},
		"shorter":      {func(b []byte) []byte { return b[1:] }, nil},
		"empty":        {func([]byte) []byte { return nil }, nil},
	} {
		m, _, items := pair(t)
		d := digest.Digest(m.layerOf(t, "a"))
		m.blobs[d] = c.change(m.blobs[d])
		s := newServer(t, false)
		stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{Parallel: 1})
		if err == nil || c.kind != nil && !errors.Is(err, c.kind) || stats.Images != 1 {
			t.Errorf("%s: %+v, %v", title, stats, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "copy image a: read blob "+d.String()+": ") || strings.Contains(text, s.host()) {
			t.Errorf("%s: the error is %v", title, err)
		}
		if s.blobs["lib/a@"+d.String()] != nil {
			t.Errorf("%s: the target has it", title)
		}
	}
}

// indexed is a source with an index of two platforms, of which only the first may be there.
func indexed(t *testing.T) (m *memory, index ocispec.Descriptor, children []ocispec.Descriptor) {
	t.Helper()
	m = newMemory()
	for _, architecture := range []string{"amd64", "s390x"} {
		child := m.image(t, architecture, m.layer(100, architecture))
		child.Platform = &ocispec.Platform{OS: "linux", Architecture: architecture}
		children = append(children, child)
	}
	index = m.document(t, ocispec.MediaTypeImageIndex, ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: children})
	return m, index, children
}

// Who pins an image by the digest of an index asks for the index: a choice of platforms would
// leave that out.
func TestCopyOfAPinnedIndexIsWhole(t *testing.T) {
	m, index, children := indexed(t)
	amd64 := []ocispec.Platform{{OS: "linux", Architecture: "amd64"}}
	for from, want := range map[string]digest.Digest{"x:1@" + index.Digest.String(): index.Digest, "x@" + index.Digest.String(): index.Digest, "x:1": children[0].Digest} {
		m.images[from] = index
		s := newServer(t, false)
		c := s.client(t)
		if _, err := Copy(t.Context(), m, c, []Item{{From: from, Repository: "x", Tag: "1"}}, CopyOptions{Platforms: amd64}); err != nil {
			t.Errorf("%s: %v", from, err)
		}
		for _, which := range []string{"1", want.String()} {
			if desc, err := c.Resolve(t.Context(), "x", which); err != nil || desc.Digest != want {
				t.Errorf("%s: %s is %s, %v, want %s", from, which, desc.Digest, err, want)
			}
		}
	}
}

// An index may name more than its registry has: what is missing is named, and the rest can be
// copied by platform.
func TestCopyOfASparseIndex(t *testing.T) {
	m, index, children := indexed(t)
	m.images["x"] = index
	origin := newServer(t, false)
	if _, err := Copy(t.Context(), m, origin.client(t), []Item{{From: "x", Repository: "x", Tag: "1"}}, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	delete(origin.contents["x"], children[1].Digest.String())
	target := newServer(t, false)
	for _, c := range []struct {
		from   string
		pinned bool
	}{{"x:1", false}, {"x@" + index.Digest.String(), true}} {
		_, err := Copy(t.Context(), origin.client(t), target.client(t), []Item{{From: c.from, Repository: "x", Tag: "1"}}, CopyOptions{})
		var sparse *SparseError
		if !errors.As(err, &sparse) || !errors.Is(err, ErrMissing) || sparse.Pinned != c.pinned ||
			!slices.Equal(sparse.Lacks, []string{"linux/s390x"}) || !slices.Equal(sparse.Has, []string{"linux/amd64"}) {
			t.Errorf("%s: %v, %+v", c.from, err, sparse)
		}
		if want := "its index names manifests for linux/s390x, which the source lacks; it has linux/amd64"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", c.from, err, want)
		}
	}
	stats, err := Copy(t.Context(), origin.client(t), target.client(t), []Item{{From: "x:1", Repository: "x", Tag: "1"}},
		CopyOptions{Platforms: []ocispec.Platform{{OS: "linux", Architecture: "amd64"}}})
	if err != nil || stats.Images != 1 {
		t.Errorf("only what is there: %+v, %v", stats, err)
	}
}
