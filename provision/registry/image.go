package registry

import (
	"bytes"
	"context"
	_ "crypto/sha256" // the digests that content may have
	_ "crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

const (
	// maxManifest bounds a manifest, in bytes, as registries do.
	maxManifest = 4 << 20
	// The media types of Docker's older formats (distribution, manifest v2 schema 2).
	dockerManifest, dockerIndex = "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json"
)

func isManifest(desc ocispec.Descriptor) bool {
	return isIndex(desc) || desc.MediaType == ocispec.MediaTypeImageManifest || desc.MediaType == dockerManifest
}

func isIndex(desc ocispec.Descriptor) bool {
	return desc.MediaType == ocispec.MediaTypeImageIndex || desc.MediaType == dockerIndex
}

// isForeign tells layers that their makers want fetched from elsewhere. Registries accept
// manifests without them.
func isForeign(desc ocispec.Descriptor) bool {
	return strings.HasPrefix(desc.MediaType, "application/vnd.oci.image.layer.nondistributable.") ||
		strings.HasPrefix(desc.MediaType, "application/vnd.docker.image.rootfs.foreign.")
}

// readImage finds an image and reads its manifests. One that is named by its digest is asked for
// by that digest, which it has only as a whole: no platforms are chosen there.
func readImage(ctx context.Context, from Source, item Item, platforms []ocispec.Platform) (*image, error) {
	root, fetcher, err := from.Image(ctx, item.From)
	if err != nil {
		return nil, err
	}
	if item.Digest != "" && root.Digest != item.Digest {
		return nil, fmt.Errorf("the source holds %s, want %s: has it changed since?", root.Digest, item.Digest)
	}
	if !isManifest(root) {
		return nil, fmt.Errorf("media type %q is not one of an image: want OCI or Docker schema 2", root.MediaType)
	}
	im := &image{Item: item, fetcher: fetcher}
	if item.Pinned() {
		platforms = nil
	}
	if root, err = im.choose(ctx, root, platforms); err != nil {
		return nil, err
	}
	if err := im.walk(ctx, root, map[digest.Digest]bool{}); err != nil {
		return nil, err
	}
	im.pending.Store(int64(len(im.blobs)))
	return im, nil
}

// walk adds a descriptor and all that it refers to, the referrer last.
func (im *image) walk(ctx context.Context, desc ocispec.Descriptor, seen map[digest.Digest]bool) error {
	if seen[desc.Digest] || isForeign(desc) {
		return nil
	}
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("a manifest names the digest %q: %w", desc.Digest, err)
	}
	seen[desc.Digest] = true
	if !isManifest(desc) {
		im.blobs = append(im.blobs, desc)
		return nil
	}
	data, err := fetchManifest(ctx, im.fetcher, desc)
	if err != nil {
		return err
	}
	parts, err := content.Successors(ctx, in(desc.Digest, data, im.fetcher), desc)
	if err != nil {
		return fmt.Errorf("parse manifest %s: %w", desc.Digest, err)
	}
	if err := im.walkParts(ctx, desc, parts, seen); err != nil {
		return err
	}
	im.manifests = append(im.manifests, manifest{Descriptor: desc, data: data})
	return nil
}

// walkParts adds what a manifest refers to. Of an index it goes on past manifests that are not there,
// to say of all platforms whether they are.
func (im *image) walkParts(ctx context.Context, of ocispec.Descriptor, parts []ocispec.Descriptor, seen map[digest.Digest]bool) error {
	lacks := &SparseError{Index: of.Digest, Pinned: im.Pinned()}
	for _, part := range parts {
		err := im.walk(ctx, part, seen)
		switch {
		case err == nil:
			lacks.Has = append(lacks.Has, platformOf(part))
		case isIndex(of) && isManifest(part) && errors.Is(err, ErrMissing):
			lacks.Lacks, lacks.cause = append(lacks.Lacks, platformOf(part)), err
		default:
			return err
		}
	}
	if lacks.cause != nil {
		return lacks
	}
	return nil
}

// choose returns what is to be copied of an image, as CopyOptions.Platforms says.
func (im *image) choose(ctx context.Context, root ocispec.Descriptor, platforms []ocispec.Platform) (ocispec.Descriptor, error) {
	if len(platforms) == 0 || !isIndex(root) {
		return root, nil
	}
	data, err := fetchManifest(ctx, im.fetcher, root)
	if err != nil {
		return root, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return root, fmt.Errorf("parse index %s: %w", root.Digest, err)
	}
	all := len(index.Manifests)
	if index.Manifests, err = pick(index.Manifests, platforms); err != nil {
		return root, err
	}
	switch len(index.Manifests) {
	case 1:
		return index.Manifests[0], nil
	case all:
		return root, nil
	}
	if data, err = json.Marshal(index); err != nil {
		return root, fmt.Errorf("encode index: %w", err)
	}
	made := content.NewDescriptorFromBytes(root.MediaType, data)
	im.fetcher = in(made.Digest, data, im.fetcher)
	return made, nil
}

// in is a fetcher that has one piece of content at hand.
func in(d digest.Digest, data []byte, rest content.Fetcher) content.Fetcher {
	return content.FetcherFunc(func(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
		if desc.Digest == d {
			return io.NopCloser(bytes.NewReader(data)), nil
		}
		return rest.Fetch(ctx, desc)
	})
}

// fetchManifest reads a manifest and verifies its digest.
func fetchManifest(ctx context.Context, fetcher content.Fetcher, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > maxManifest {
		return nil, fmt.Errorf("manifest %s has %d bytes: want %d at most", desc.Digest, desc.Size, maxManifest)
	}
	data, err := content.FetchAll(ctx, fetcher, desc)
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", desc.Digest, err)
	}
	return data, nil
}
