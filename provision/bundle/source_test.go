package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

func TestSource(t *testing.T) {
	dir, shared := layout(t)
	b := open(t, dir)
	image := b.Manifest.Images[1]
	desc, fetcher, err := b.Source().Image(t.Context(), image.Name)
	if err != nil || desc.Digest != image.Digest {
		t.Fatalf("%s is %s, %v, want %s", image.Name, desc.Digest, err, image.Digest)
	}
	parts, err := content.Successors(t.Context(), fetcher, desc)
	if err != nil || len(parts) != 2 || parts[1].Digest != shared {
		t.Fatalf("parts are %v, %v", parts, err)
	}
	for range 2 {
		data, err := content.FetchAll(t.Context(), fetcher, parts[1])
		if err != nil || int64(len(data)) != parts[1].Size {
			t.Errorf("%d bytes, %v", len(data), err)
		}
	}
	path := filepath.Join(dir, blobPath(shared))
	if err := os.Truncate(path, parts[1].Size-1); err != nil {
		t.Fatal(err)
	}
	if _, err := content.FetchAll(t.Context(), fetcher, parts[1]); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a short blob: %v", err)
	}
	if _, err := fetcher.Fetch(t.Context(), ocispec.Descriptor{Digest: "sha256:00"}); err == nil {
		t.Error("a wrong digest was fetched")
	}
	if _, _, err := b.Source().Image(t.Context(), "example.test/c:3"); err == nil || !strings.Contains(err.Error(), "example.test/c:3") {
		t.Errorf("an image that is not there: %v", err)
	}
}
