package bundle

import (
	"context"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// Source hands out the images of a bundle to be copied elsewhere. It is safe for concurrent
// use, and content can be fetched any number of times.
type Source struct{ bundle *Bundle }

// Source is the bundle as a place to copy images from.
func (b *Bundle) Source() Source { return Source{b} }

// Image finds an image by its Name in the Manifest. The content of the descriptor, and all
// that it refers to, comes from the Fetcher, verified as Blob does.
func (s Source) Image(ctx context.Context, name string) (ocispec.Descriptor, content.Fetcher, error) {
	desc, err := s.bundle.store.Resolve(ctx, name)
	if err != nil {
		return desc, nil, fmt.Errorf("find image %s in the bundle %s: %w", name, s.bundle.path, err)
	}
	return desc, s, nil
}

// Fetch implements content.Fetcher.
func (s Source) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	return s.bundle.Blob(ctx, desc.Digest, desc.Size)
}
