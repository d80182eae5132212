package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// memory is a Source.
type memory struct {
	images map[string]ocispec.Descriptor
	blobs  map[digest.Digest][]byte

	mu     sync.Mutex
	opened map[digest.Digest]int
	fail   digest.Digest // its content ends in an error
}

func newMemory() *memory {
	return &memory{images: map[string]ocispec.Descriptor{}, blobs: map[digest.Digest][]byte{}, opened: map[digest.Digest]int{}}
}

func (m *memory) Image(_ context.Context, reference string) (ocispec.Descriptor, content.Fetcher, error) {
	desc, ok := m.images[reference]
	if !ok {
		return desc, nil, fmt.Errorf("no image %s", reference)
	}
	return desc, m, nil
}

func (m *memory) Fetch(_ context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.blobs[desc.Digest]
	if !ok {
		return nil, fmt.Errorf("no blob %s", desc.Digest)
	}
	m.opened[desc.Digest]++
	if desc.Digest == m.fail {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data[:len(data)/2]), failing{})), nil
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

var errDisk = errors.New("disk on fire")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func (m *memory) add(mediaType string, data []byte) ocispec.Descriptor {
	desc := content.NewDescriptorFromBytes(mediaType, data)
	m.blobs[desc.Digest] = data
	return desc
}

func (m *memory) document(t *testing.T, mediaType string, value any) ocispec.Descriptor {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return m.add(mediaType, data)
}

// image adds an image of layers, named name.
func (m *memory) image(t *testing.T, name string, layers ...ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	desc := m.document(t, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: m.add(ocispec.MediaTypeImageConfig, []byte(`{"for":"`+name+`"}`)), Layers: layers,
	})
	m.images[name] = desc
	return desc
}

func (m *memory) layer(size int, fill string) ocispec.Descriptor {
	return m.add(ocispec.MediaTypeImageLayerGzip, bytes.Repeat([]byte(fill), size))
}

// pair is a source with two images that share a layer of 300000 bytes.
func pair(t *testing.T) (m *memory, shared ocispec.Descriptor, items []Item) {
	t.Helper()
	m = newMemory()
	shared = m.layer(300000, "s")
	for _, name := range []string{"a", "b"} {
		desc := m.image(t, name, shared, m.layer(1000, name))
		items = append(items, Item{From: name, Repository: "lib/" + name, Tag: "1", Digest: desc.Digest})
	}
	return m, shared, items
}

func TestCopySendsEachBlobOnce(t *testing.T) {
	for _, parallel := range []int{0, 1} {
		m, shared, items := pair(t)
		s := newServer(t, false)
		c := s.client(t)
		var sent, total int64
		stats, err := Copy(t.Context(), m, c, items, CopyOptions{Parallel: parallel, OnProgress: func(a, b int64) { sent, total = a, b }})
		if err != nil {
			t.Fatal(err)
		}
		size := int64(300000 + 2*1000 + 2*len(`{"for":"a"}`))
		if want := (Stats{Images: 2, Blobs: 5, Mounted: 1, Bytes: size}); stats != want {
			t.Errorf("stats are %+v, want %+v", stats, want)
		}
		if sent != size || total != size {
			t.Errorf("progress ended at %d of %d, want %d", sent, total, size)
		}
		if n := m.opened[shared.Digest]; n != 1 {
			t.Errorf("the shared layer was read %d times", n)
		}
		if n := s.count("PUT /v2/lib/a/blobs") + s.count("PUT /v2/lib/b/blobs"); n != 5 {
			t.Errorf("%d blobs were sent", n)
		}
		for _, item := range items {
			if desc, err := c.Resolve(t.Context(), item.Repository, item.Tag); err != nil || desc.Digest != item.Digest {
				t.Errorf("%s has %s, %v, want %s", item.Repository, desc.Digest, err, item.Digest)
			}
		}
		s.forget()
		stats, err = Copy(t.Context(), m, c, items, CopyOptions{})
		if want := (Stats{Skipped: 8}); err != nil || stats != want {
			t.Errorf("the second copy did %+v, %v, want %+v", stats, err, want)
		}
		if n := s.count("PUT") + s.count("POST"); n != 0 {
			t.Errorf("the second copy wrote %d times", n)
		}
	}
}

func TestCopyWithoutMount(t *testing.T) {
	m, shared, items := pair(t)
	s := newServer(t, false, func(s *server) { s.noMount = true })
	var sent, total int64
	stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{OnProgress: func(a, b int64) { sent, total = a, b }})
	if err != nil || stats.Blobs != 6 || stats.Mounted != 0 || m.opened[shared.Digest] != 2 {
		t.Errorf("stats are %+v, %v", stats, err)
	}
	if sent != total || sent != stats.Bytes {
		t.Errorf("progress ended at %d of %d, %d bytes were sent", sent, total, stats.Bytes)
	}
}

func TestCopyMeetsPassingFailures(t *testing.T) {
	for title, fault := range map[string]func(*server){
		"reset in the middle": func(s *server) { s.resets = 2 },
		"503":                 func(s *server) { s.busy = 4 },
	} {
		t.Run(title, func(t *testing.T) {
			m, _, items := pair(t)
			s := newServer(t, false, fault)
			var sent, total int64
			stats, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{Parallel: 1, OnProgress: func(a, b int64) { sent, total = a, b }})
			if err != nil || stats.Images != 2 || stats.Blobs != 5 {
				t.Fatalf("%+v, %v", stats, err)
			}
			if sent != total || sent != stats.Bytes {
				t.Errorf("progress ended at %d of %d, %d bytes were sent", sent, total, stats.Bytes)
			}
		})
	}
}

func TestCopyGoesOnWhereItWasCutOff(t *testing.T) {
	m, shared, items := pair(t)
	s := newServer(t, false, func(s *server) { s.busy = 1000 })
	c := s.client(t)
	stats, err := Copy(t.Context(), m, c, items, CopyOptions{Parallel: 1})
	if !errors.Is(err, ErrServer) || stats.Blobs != 0 {
		t.Fatalf("%+v, %v, want %v", stats, err, ErrServer)
	}
	if strings.Contains(err.Error(), "s3cret-state") {
		t.Errorf("the error holds the state of the upload: %v", err)
	}
	if n := s.count("PUT"); n != attempts {
		t.Errorf("%d attempts, want %d", n, attempts)
	}
	s.busy, s.refuse = 0, m.layerOf(t, "b")
	stats, err = Copy(t.Context(), m, c, items, CopyOptions{Parallel: 1})
	if err == nil || !strings.Contains(err.Error(), s.host()+"/lib/b") || stats.Images != 1 {
		t.Fatalf("%+v, %v, want the first image and an error that names lib/b", stats, err)
	}
	s.refuse = ""
	before := m.opened[shared.Digest]
	stats, err = Copy(t.Context(), m, c, items, CopyOptions{})
	if want := (Stats{Images: 1, Blobs: 1, Bytes: 1000, Skipped: 6}); err != nil || stats != want {
		t.Errorf("%+v, %v, want %+v", stats, err, want)
	}
	if m.opened[shared.Digest] != before {
		t.Error("the shared layer was read again")
	}
}

// layerOf is the digest of the image's own layer.
func (m *memory) layerOf(t *testing.T, name string) string {
	t.Helper()
	return digest.FromBytes(bytes.Repeat([]byte(name), 1000)).String()
}

func TestCopyMountsWhatAnEarlierRunSent(t *testing.T) {
	m, shared, items := pair(t)
	s := newServer(t, false)
	c := s.client(t)
	if _, err := Copy(t.Context(), m, c, items[1:], CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	stats, err := Copy(t.Context(), m, c, items, CopyOptions{})
	if err != nil || stats.Mounted != 1 || m.opened[shared.Digest] != 1 {
		t.Errorf("%+v, %v; the layer was read %d times", stats, err, m.opened[shared.Digest])
	}
}

func TestCopySaysWhenTheSourceFails(t *testing.T) {
	m, shared, items := pair(t)
	s := newServer(t, false)
	m.fail = shared.Digest
	_, err := Copy(t.Context(), m, s.client(t), items, CopyOptions{})
	if !errors.Is(err, errDisk) || errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "image a") {
		t.Errorf("error is %v", err)
	}
	if m.opened[shared.Digest] != 1 {
		t.Errorf("the layer was read %d times", m.opened[shared.Digest])
	}
	items[0].Digest = shared.Digest
	if _, err := Copy(t.Context(), m, s.client(t), items[:1], CopyOptions{}); err == nil || !strings.Contains(err.Error(), "has it changed") {
		t.Errorf("with another digest: %v", err)
	}
	if _, err := Copy(t.Context(), m, s.client(t), []Item{{From: "c"}}, CopyOptions{}); err == nil || !strings.Contains(err.Error(), "no image c") {
		t.Errorf("without the image: %v", err)
	}
}

func TestCopyFromRegistry(t *testing.T) {
	m, _, items := pair(t)
	origin, target := newServer(t, false), newServer(t, false)
	if _, err := Copy(t.Context(), m, origin.client(t), items, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	var asked []string
	var mu sync.Mutex
	from := Origins(func(domain string) (*Client, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, domain)
		return origin.client(t), nil
	})
	for i := range items {
		items[i].From = "docker.io/" + items[i].Repository + ":1@" + items[i].Digest.String()
	}
	stats, err := Copy(t.Context(), from, target.client(t), items, CopyOptions{})
	if err != nil || stats.Images != 2 || stats.Blobs != 5 {
		t.Errorf("%+v, %v", stats, err)
	}
	if len(asked) != 2 || asked[0] != "docker.io" {
		t.Errorf("asked for %v", asked)
	}
}
