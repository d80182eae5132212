package apply_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fairlead/provision/bundle"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layout is a bundle in a folder while it is made.
type layout struct {
	t     *testing.T
	dir   string
	index ocispec.Index
}

// layer is a blob of the bundle that stands for a layer with files at the paths. What it holds is of no concern here:
// the machine takes it as it is.
func (l *layout) layer(content string, paths ...string) bundle.Layer {
	desc := l.blob([]byte(content), "")
	made := bundle.Layer{Digest: desc.Digest, Size: desc.Size}
	for _, path := range paths {
		made.Files = append(made.Files, bundle.File{Path: path, Digest: digest.FromString(path)})
	}
	return made
}

// image is an image of the bundle with the given layers.
func (l *layout) image(name string, layers ...string) bundle.Image {
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: l.blob([]byte(`{"for":"`+name+`"}`), ocispec.MediaTypeImageConfig),
	}
	size := manifest.Config.Size
	for _, layer := range layers {
		desc := l.blob([]byte(layer), ocispec.MediaTypeImageLayer)
		manifest.Layers = append(manifest.Layers, desc)
		size += desc.Size
	}
	desc := l.document(manifest, ocispec.MediaTypeImageManifest)
	l.tag(name, desc)
	return bundle.Image{Name: name, Digest: desc.Digest, Size: size + desc.Size}
}

// open is the finished bundle.
func (l *layout) open() *bundle.Bundle {
	l.t.Helper()
	artifact := l.document(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, ArtifactType: bundle.ManifestArtifactType, Config: ocispec.DescriptorEmptyJSON,
		Layers: []ocispec.Descriptor{l.document(bundle.Manifest{SchemaVersion: 1}, bundle.ManifestMediaType)},
	}, ocispec.MediaTypeImageManifest)
	l.tag(bundle.ManifestRef, artifact)
	l.write(ocispec.ImageIndexFile, l.json(l.index))
	l.write(ocispec.ImageLayoutFile, l.json(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}))
	opened, err := bundle.Open(l.t.Context(), l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	return opened
}

func (l *layout) tag(name string, desc ocispec.Descriptor) {
	desc.Annotations = map[string]string{ocispec.AnnotationRefName: name}
	l.index.Manifests = append(l.index.Manifests, desc)
}

func (l *layout) document(value any, mediaType string) ocispec.Descriptor {
	return l.blob(l.json(value), mediaType)
}

func (l *layout) blob(data []byte, mediaType string) ocispec.Descriptor {
	d := digest.FromBytes(data)
	l.write(blobPath(d), data)
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

// blobPath is where a blob is in a layout.
func blobPath(d digest.Digest) string { return "blobs/sha256/" + d.Encoded() }

func (l *layout) json(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		l.t.Fatal(err)
	}
	return text
}

func (l *layout) write(name string, data []byte) {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		l.t.Fatal(err)
	}
}
