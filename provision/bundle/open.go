package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"
)

// ErrCorrupt says that a blob of the bundle is not what its digest promises.
var ErrCorrupt = errors.New("bundle is corrupt")

// Bundle is an opened bundle. It is safe for concurrent use.
type Bundle struct {
	Manifest Manifest
	path     string
	store    *oci.ReadOnlyStore
}

// Open reads the index and the Manifest of the bundle at path, a tar file or a folder.
// Blobs are read and verified only when they are used.
func Open(ctx context.Context, path string) (*Bundle, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	var store *oci.ReadOnlyStore
	if info.IsDir() {
		store, err = oci.NewFromFS(ctx, os.DirFS(path))
	} else {
		store, err = oci.NewFromTar(ctx, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open bundle %s: %w", path, corrupt(err))
	}
	b := &Bundle{path: path, store: store}
	if err := b.readManifest(ctx); err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", path, corrupt(err))
	}
	return b, nil
}

// Path is where the bundle was opened.
func (b *Bundle) Path() string { return b.path }

func (b *Bundle) readManifest(ctx context.Context) error {
	desc, err := b.store.Resolve(ctx, ManifestRef)
	if err != nil {
		return fmt.Errorf("find %q in the index (is it a fairlead bundle?): %w", ManifestRef, err)
	}
	var artifact ocispec.Manifest
	if err := b.readJSON(ctx, desc, &artifact); err != nil {
		return err
	}
	if artifact.ArtifactType != ManifestArtifactType || len(artifact.Layers) != 1 {
		return fmt.Errorf("%q is an artifact of type %q with %d layers, want %q with one",
			ManifestRef, artifact.ArtifactType, len(artifact.Layers), ManifestArtifactType)
	}
	if err := b.readJSON(ctx, artifact.Layers[0], &b.Manifest); err != nil {
		return err
	}
	if v := b.Manifest.SchemaVersion; v != 1 {
		return fmt.Errorf("bundle manifest has schema version %d, want 1", v)
	}
	if err := b.Manifest.check(); err != nil {
		return fmt.Errorf("bundle manifest: %w", err)
	}
	return nil
}

func (b *Bundle) readJSON(ctx context.Context, desc ocispec.Descriptor, into any) error {
	data, err := content.FetchAll(ctx, b.store, desc)
	if err != nil {
		return fmt.Errorf("read blob %s: %w", desc.Digest, corrupt(err))
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("parse blob %s: %w", desc.Digest, err)
	}
	return nil
}

// Blob opens a blob of the given digest and size. Its last bytes are handed out only
// after the digest of the whole was found right, so that a receiver never holds a
// complete wrong blob; else Read returns an error that wraps ErrCorrupt and names it.
func (b *Bundle) Blob(ctx context.Context, d digest.Digest, size int64) (io.ReadCloser, error) {
	desc := ocispec.Descriptor{Digest: d, Size: size}
	r, err := b.store.Fetch(ctx, desc)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", d, err)
	}
	return newVerifyingReader(r, d, size), nil
}

// corrupt marks the errors of the store that mean damaged content.
func corrupt(err error) error {
	if errors.Is(err, content.ErrMismatchedDigest) || errors.Is(err, content.ErrTrailingData) ||
		errors.Is(err, content.ErrInvalidDescriptorSize) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}
