package bundle

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Export writes an OCI image layout as a tar with the given images to w, without the
// blobs that the receiver has already (keyed by digest). It streams: no blob is held in
// memory.
func (b *Bundle) Export(ctx context.Context, w io.Writer, images []Image, has func(digest.Digest) bool) error {
	out := tar.NewWriter(w)
	layout, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return fmt.Errorf("encode oci-layout: %w", err)
	}
	if err := addFile(out, ocispec.ImageLayoutFile, layout); err != nil {
		return err
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	written := map[digest.Digest]bool{}
	for _, image := range images {
		desc, err := b.store.Resolve(ctx, image.Name)
		if err != nil {
			return fmt.Errorf("find image %s in the bundle: %w", image.Name, err)
		}
		desc.Annotations = map[string]string{
			ocispec.AnnotationRefName:       image.Name,
			"io.containerd.image.name":      image.Name,
			"org.opencontainers.image.name": image.Name,
		}
		index.Manifests = append(index.Manifests, desc)
		if err := b.exportImage(ctx, out, desc, has, written); err != nil {
			return fmt.Errorf("export image %s: %w", image.Name, err)
		}
	}
	data, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("encode index: %w", err)
	}
	if err := addFile(out, ocispec.ImageIndexFile, data); err != nil {
		return err
	}
	return out.Close()
}

// exportImage writes the manifest, the configuration and the layers of one image.
func (b *Bundle) exportImage(ctx context.Context, out *tar.Writer, desc ocispec.Descriptor,
	has func(digest.Digest) bool, written map[digest.Digest]bool,
) error {
	var manifest ocispec.Manifest
	if err := b.readJSON(ctx, desc, &manifest); err != nil {
		return err
	}
	for _, blob := range append([]ocispec.Descriptor{desc, manifest.Config}, manifest.Layers...) {
		if written[blob.Digest] || has(blob.Digest) {
			continue
		}
		written[blob.Digest] = true
		if err := b.exportBlob(ctx, out, blob); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) exportBlob(ctx context.Context, out *tar.Writer, blob ocispec.Descriptor) error {
	r, err := b.Blob(ctx, blob.Digest, blob.Size)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := out.WriteHeader(header(blobPath(blob.Digest), blob.Size)); err != nil {
		return fmt.Errorf("write header of blob %s: %w", blob.Digest, err)
	}
	if _, err := io.Copy(out, r); err != nil {
		return fmt.Errorf("write blob %s: %w", blob.Digest, err)
	}
	return nil
}

func blobPath(d digest.Digest) string {
	return ocispec.ImageBlobsDir + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

func addFile(out *tar.Writer, name string, data []byte) error {
	if err := out.WriteHeader(header(name, int64(len(data)))); err != nil {
		return fmt.Errorf("write header of %s: %w", name, err)
	}
	if _, err := out.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX}
}

// ExportSize is about how many bytes Export writes for the images when the receiver
// lacks every blob. Layers shared between images count once for each image.
func ExportSize(images []Image) int64 {
	var sum int64
	for _, image := range images {
		sum += image.Size
	}
	return sum
}
