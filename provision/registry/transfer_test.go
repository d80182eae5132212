package registry

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A registry that refuses to mount gets the blob itself; one that is in trouble gets nothing more.
func TestCopyWhereMountIsRefused(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusBadRequest: nil, http.StatusNotImplemented: nil, http.StatusConflict: nil, http.StatusUnsupportedMediaType: nil,
		http.StatusUnauthorized: nil, http.StatusForbidden: nil, http.StatusNotFound: nil, http.StatusMethodNotAllowed: nil,
		http.StatusServiceUnavailable: ErrServer, http.StatusInsufficientStorage: ErrServer,
	} {
		m, shared, items := pair(t)
		s := newServer(t, false, func(s *server) { s.mountStatus = status })
		stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{Parallel: 1})
		if !errors.Is(err, want) || want == nil && (stats != Stats{Images: 2, Blobs: 6, Bytes: stats.Bytes}) {
			t.Errorf("%d: %+v, %v, want %v", status, stats, err, want)
		}
		if opened := map[bool]int{true: 2, false: 1}[want == nil]; m.opened[shared.Digest] != opened {
			t.Errorf("%d: the shared layer was read %d times", status, m.opened[shared.Digest])
		}
	}
}

func TestCopyNamesWhatFails(t *testing.T) {
	m, _, items := pair(t)
	layer := m.layerOf(t, "a")
	manifest := items[0].Digest.String()
	for _, c := range []struct {
		request string
		want    string // after the registry's name; the whole text begins with what comes before it
		kind    error
		stats   Stats
	}{
		{"GET /v2/", "reach registry |: ", ErrCredentials, Stats{}},
		{"HEAD /v2/lib/a/blobs/" + layer, "copy image a: look for blob " + layer + " in |/lib/a: ", ErrCredentials, Stats{}},
		{"POST /v2/lib/a/blobs/uploads/", "copy image a: send blob sha256:", ErrCredentials, Stats{}},
		{"HEAD /v2/lib/a/manifests/1", "copy image a: resolve |/lib/a:1: ", ErrCredentials, Stats{Blobs: 3, Bytes: 301011}},
		{"PUT /v2/lib/a/manifests/1", "copy image a: write manifest " + manifest + " of |/lib/a:1: ", ErrCredentials, Stats{Blobs: 3, Bytes: 301011}},
	} {
		s := newServer(t, false, func(s *server) { s.statuses = map[string]int{c.request: http.StatusForbidden} })
		stats, err := Copy(t.Context(), m, s.client(t), items[:1], CopyOptions{Parallel: 1})
		if want := strings.ReplaceAll(c.want, "|", s.host()); !errors.Is(err, c.kind) || !strings.HasPrefix(err.Error(), want) || stats.Images != 0 || stats.Blobs != c.stats.Blobs || stats.Bytes != c.stats.Bytes {
			t.Errorf("%s: %+v, %v, want %s", c.request, stats, err, want)
		}
	}
}

func TestCopyWithoutTag(t *testing.T) {
	m, _, items := pair(t)
	items[0].Tag = ""
	s := newServer(t, false)
	for _, want := range []Stats{{Images: 1, Blobs: 3, Bytes: 301011}, {Skipped: 4}} {
		if stats, err := Copy(t.Context(), m, s.client(t), items[:1], CopyOptions{}); err != nil || stats != want {
			t.Errorf("%+v, %v, want %+v", stats, err, want)
		}
	}
	if tags := s.contents["lib/a"]; len(tags) != 1 || tags[items[0].Digest.String()] == nil {
		t.Errorf("the repository has %d references", len(tags))
	}
	s.statuses = map[string]int{"HEAD /v2/lib/a/manifests/" + items[0].Digest.String(): http.StatusNotFound, "GET /v2/lib/a/manifests/" + items[0].Digest.String(): http.StatusNotFound, "PUT /v2/lib/a/manifests/" + items[0].Digest.String(): http.StatusForbidden}
	want := "copy image a: write manifest " + items[0].Digest.String() + " of " + s.host() + "/lib/a: "
	if _, err := Copy(t.Context(), m, s.client(t), items[:1], CopyOptions{}); !errors.Is(err, ErrCredentials) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// A tag that stands for something else is moved.
func TestCopyMovesATag(t *testing.T) {
	m, _, items := pair(t)
	s := newServer(t, false)
	c := s.client(t)
	items[1].Repository = "lib/a"
	for i := range items {
		if stats, err := Copy(t.Context(), m, c, items[i:i+1], CopyOptions{}); err != nil || stats.Images != 1 {
			t.Fatalf("%+v, %v", stats, err)
		}
	}
	if desc, err := c.Resolve(t.Context(), "lib/a", "1"); err != nil || desc.Digest != items[1].Digest {
		t.Errorf("the tag stands for %s, %v, want %s", desc.Digest, err, items[1].Digest)
	}
}

// The source has lost a blob: it is asked for it once, also where the target was to mount it.
func TestCopyOfALostBlob(t *testing.T) {
	m, shared, items := pair(t)
	s := newServer(t, false, func(s *server) { s.noMount = true })
	c := s.client(t)
	lost := m.layerOf(t, "a")
	layer := m.blobs[digest.Digest(lost)]
	delete(m.blobs, digest.Digest(lost))
	if stats, err := Copy(t.Context(), m, c, items[:1], CopyOptions{Parallel: 1}); err == nil || err.Error() != "copy image a: read blob "+lost+": no blob "+lost || stats.Images != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	m.blobs[digest.Digest(lost)] = layer
	data := m.blobs[shared.Digest]
	delete(m.blobs, shared.Digest)
	because := "read blob " + shared.Digest.String() + ": no blob " + shared.Digest.String()
	want := "copy image a: " + because + "\ncopy image b: " + because
	if stats, err := Copy(t.Context(), m, c, items, CopyOptions{Parallel: 1}); err == nil || err.Error() != want || stats.Images != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	m.blobs[shared.Digest] = data
	if stats, err := Copy(t.Context(), m, c, items, CopyOptions{}); err != nil || stats.Images != 2 {
		t.Errorf("when it is back: %+v, %v", stats, err)
	}
}

// Two images of one repository share a layer: it is sent once, and mounted never.
func TestCopyIntoOneRepository(t *testing.T) {
	m, shared, items := pair(t)
	items[1].Repository, items[1].Tag = "lib/a", "2"
	s := newServer(t, false)
	stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{})
	if want := (Stats{Images: 2, Blobs: 5, Bytes: 302022}); err != nil || stats != want || m.opened[shared.Digest] != 1 {
		t.Errorf("%+v, %v, want %+v", stats, err, want)
	}
	if n := s.count("HEAD /v2/lib/a/blobs/" + shared.Digest.String()); n != 1 {
		t.Errorf("it was looked for %d times", n)
	}
}

func TestCopyOfAnEmptyIndex(t *testing.T) {
	m := newMemory()
	m.images["empty"] = m.document(t, ocispec.MediaTypeImageIndex, ocispec.Index{MediaType: ocispec.MediaTypeImageIndex})
	s := newServer(t, false)
	items := []Item{{From: "empty", Repository: "empty", Tag: "1"}}
	if stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{}); err != nil || stats != (Stats{Images: 1}) {
		t.Errorf("%+v, %v", stats, err)
	}
	more, _, others := pair(t)
	more.images["empty"] = m.images["empty"]
	more.blobs[m.images["empty"].Digest] = m.blobs[m.images["empty"].Digest]
	if stats, err := Copy(t.Context(), more, newServer(t, false).client(t), append(items, others...), CopyOptions{}); err != nil || stats.Images != 3 {
		t.Errorf("with others: %+v, %v", stats, err)
	}
	s.statuses = map[string]int{"HEAD /v2/empty/manifests/1": http.StatusForbidden}
	if _, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{}); !errors.Is(err, ErrCredentials) {
		t.Errorf("forbidden: %v", err)
	}
}

// What was sent of a blob counts no more when the blob is sent again, and what is to be sent
// is known from the start.
func TestCopyReportsProgress(t *testing.T) {
	m, _, items := pair(t)
	s := newServer(t, false, func(s *server) { s.busy = 1 })
	type report struct{ sent, total int64 }
	var reports []report
	if _, err := Copy(t.Context(), m, s.client(t), items[:1], CopyOptions{Parallel: 1, OnProgress: func(sent, total int64) { reports = append(reports, report{sent, total}) }}); err != nil {
		t.Fatal(err)
	}
	const total = 301011
	// The first three announce the blobs, in the order of the manifest: configuration, shared layer, own layer.
	if want := []report{{0, 11}, {0, 300011}, {0, total}, {11, total}, {0, total}, {11, total}}; !slices.Equal(reports[:6], want) {
		t.Errorf("it begins with %v, want %v", reports[:6], want)
	}
	for i, r := range reports[6:] {
		if r.total != total || r.sent <= reports[5+i].sent {
			t.Errorf("report %d is %v after %v", 6+i, r, reports[5+i])
		}
	}
	if last := reports[len(reports)-1]; last != (report{total, total}) {
		t.Errorf("it ends with %v", last)
	}
	(&progress{}).add(1, 1)
	(&progress{report: func(int64, int64) { t.Error("nothing is reported") }}).add(0, 0)
}

// A blob that was to be mounted and is sent joins the total, once.
func TestProgressOfABlobThatIsNotMounted(t *testing.T) {
	m, _, items := pair(t)
	s := newServer(t, false, func(s *server) { s.noMount = true })
	c := s.client(t)
	if _, err := Copy(t.Context(), m, c, items[:1], CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	s.busy = 1
	var totals []int64
	stats, err := Copy(t.Context(), m, c, items, CopyOptions{Parallel: 1, OnProgress: func(_, total int64) { totals = append(totals, total) }})
	if err != nil || stats.Blobs != 3 || totals[len(totals)-1] != stats.Bytes {
		t.Errorf("%+v, %v, total %v", stats, err, totals)
	}
}

func TestForEach(t *testing.T) {
	var mu sync.Mutex
	var done []int
	do := func(_ context.Context, i int) error {
		mu.Lock()
		defer mu.Unlock()
		if done = append(done, i); i == 2 {
			return errDisk
		}
		return nil
	}
	if err := forEach(t.Context(), 1, []int{1, 2, 3}, do); !errors.Is(err, errDisk) || !slices.Equal(done, []int{1, 2}) {
		t.Errorf("%v, did %v", err, done)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done = nil
	if err := forEach(ctx, 4, []int{1, 3}, do); !errors.Is(err, context.Canceled) || len(done) > 0 {
		t.Errorf("after the end: %v, did %v", err, done)
	}
	if err := forEach(t.Context(), 2, []int{1, 3, 4}, do); err != nil || len(done) != 3 {
		t.Errorf("%v, did %v", err, done)
	}
	// As many at once as are allowed, and not one more.
	var running, most int
	meet := make(chan struct{})
	err := forEach(t.Context(), 2, []int{1, 2, 3, 4}, func(context.Context, int) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		select { // two meet
		case meet <- struct{}{}:
		case <-meet:
		}
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	})
	if err != nil || most != 2 {
		t.Errorf("%v, %d at once", err, most)
	}
}
