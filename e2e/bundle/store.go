package bundle

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	format "fairlead/provision/bundle"
)

// store is the blobs of an OCI layout that is being made, as a flat folder of files
// named by their sha256 in hex.
type store struct {
	dir   string
	index []ocispec.Descriptor
}

// put adds what fill writes.
func (s *store) put(mediaType string, fill func(io.Writer) error) (ocispec.Descriptor, error) {
	f, err := os.CreateTemp(s.dir, ".new-")
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("make blob: %w", err)
	}
	digester := digest.Canonical.Digester()
	counter := &countingWriter{w: io.MultiWriter(f, digester.Hash())}
	if err := errors.Join(fill(counter), f.Close()); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("write blob: %w", err)
	}
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digester.Digest(), Size: counter.n}
	if err := os.Rename(f.Name(), filepath.Join(s.dir, d.Digest.Encoded())); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("keep blob: %w", err)
	}
	return d, nil
}

// putJSON adds a document.
func (s *store) putJSON(mediaType string, document any) (ocispec.Descriptor, error) {
	content, err := json.Marshal(document)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("encode %s: %w", mediaType, err)
	}
	return s.put(mediaType, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// layer is a stored layer and the digest of its tar before compression.
type layer struct {
	ocispec.Descriptor
	diffID digest.Digest
}

// putLayer adds a tar file, compressed as the media type says.
func (s *store) putLayer(mediaType string, fill func(*tar.Writer) error) (layer, error) {
	digester := digest.Canonical.Digester()
	d, err := s.put(mediaType, func(w io.Writer) error {
		compressed, err := compress(mediaType, w)
		if err != nil {
			return err
		}
		archive := tar.NewWriter(io.MultiWriter(compressed, digester.Hash()))
		if err := fill(archive); err != nil {
			return err
		}
		return errors.Join(archive.Close(), compressed.Close())
	})
	return layer{Descriptor: d, diffID: digester.Digest()}, err
}

// compress chooses speed: a bundle is unpacked far more often than it is carried.
func compress(mediaType string, w io.Writer) (io.WriteCloser, error) {
	switch mediaType {
	case format.ComponentLayerMediaType:
		return gzip.NewWriterLevel(w, gzip.BestSpeed)
	case ocispec.MediaTypeImageLayerZstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	default:
		return nil, fmt.Errorf("compress layer: unknown media type %s", mediaType)
	}
}

// tag enters a manifest into the layout's index.
func (s *store) tag(d ocispec.Descriptor, annotations map[string]string) {
	d.Annotations = annotations
	s.index = append(s.index, d)
}

// writeTo writes the layout as a tar file, its index first.
func (s *store) writeTo(w io.Writer) error {
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: s.index,
	})
	if err != nil {
		return fmt.Errorf("encode index: %w", err)
	}
	version, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return fmt.Errorf("encode layout: %w", err)
	}
	entries := []entry{
		{name: ocispec.ImageIndexFile, content: index, mode: 0o644},
		{name: ocispec.ImageLayoutFile, content: version, mode: 0o644},
	}
	blobs, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	for _, blob := range blobs {
		name := ocispec.ImageBlobsDir + "/" + digest.Canonical.String() + "/" + blob.Name()
		entries = append(entries, entry{name: name, source: filepath.Join(s.dir, blob.Name()), mode: 0o644})
	}
	archive := tar.NewWriter(w)
	for e := range slices.Values(entries) {
		if err := e.write(archive); err != nil {
			return err
		}
	}
	return archive.Close()
}

// countingWriter counts what passes through it.
type countingWriter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
