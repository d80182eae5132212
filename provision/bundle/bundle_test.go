package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layout writes a small bundle as a folder: two images that share a layer, and a manifest.
func layout(t *testing.T) (dir string, shared digest.Digest) {
	t.Helper()
	dir = t.TempDir()
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	layer := blob(t, dir, bytes.Repeat([]byte("shared layer "), 20000))
	layer.MediaType = ocispec.MediaTypeImageLayer
	contents := Manifest{SchemaVersion: 1, KubernetesVersion: "1.37.2", Architecture: "amd64"}
	for _, name := range []string{"example.test/a:1", "example.test/b:2"} {
		config := blob(t, dir, []byte(`{"for":"`+name+`"}`))
		config.MediaType = ocispec.MediaTypeImageConfig
		image := document(t, dir, ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
			Config: config, Layers: []ocispec.Descriptor{layer},
		}, ocispec.MediaTypeImageManifest)
		image.Annotations = map[string]string{ocispec.AnnotationRefName: name}
		index.Manifests = append(index.Manifests, image)
		contents.Images = append(contents.Images, Image{Name: name, Digest: image.Digest, Size: layer.Size, Roles: []string{RoleWorker}})
	}
	artifact := document(t, dir, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: ManifestArtifactType,
		Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{document(t, dir, contents, ManifestMediaType)},
	}, ocispec.MediaTypeImageManifest)
	blob(t, dir, []byte("{}"))
	artifact.Annotations = map[string]string{ocispec.AnnotationRefName: ManifestRef}
	index.Manifests = append(index.Manifests, artifact)
	write(t, filepath.Join(dir, ocispec.ImageIndexFile), marshal(t, index))
	write(t, filepath.Join(dir, ocispec.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return dir, layer.Digest
}

func document(t *testing.T, dir string, value any, mediaType string) ocispec.Descriptor {
	desc := blob(t, dir, marshal(t, value))
	desc.MediaType = mediaType
	return desc
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func blob(t *testing.T, dir string, data []byte) ocispec.Descriptor {
	t.Helper()
	d := digest.FromBytes(data)
	write(t, filepath.Join(dir, blobPath(d)), data)
	return ocispec.Descriptor{Digest: d, Size: int64(len(data))}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *Bundle {
	t.Helper()
	b, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExportSendsSharedBlobsOnceAndSkipsThoseThere(t *testing.T) {
	dir, shared := layout(t)
	b := open(t, dir)
	for _, there := range []bool{false, true} {
		var out bytes.Buffer
		has := func(d digest.Digest) bool { return there && d == shared }
		if err := b.Export(context.Background(), &out, b.Manifest.Images, has); err != nil {
			t.Fatal(err)
		}
		names := map[string]int{}
		for r := tar.NewReader(&out); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names[h.Name]++
		}
		want := 1
		if there {
			want = 0
		}
		if names[blobPath(shared)] != want {
			t.Errorf("shared layer is sent %d times, want %d", names[blobPath(shared)], want)
		}
		if names[ocispec.ImageIndexFile] != 1 || len(names) != 2+4+want {
			t.Errorf("export holds %v", names)
		}
	}
}

func TestBlobHoldsBackWhatIsCorrupt(t *testing.T) {
	dir, shared := layout(t)
	b := open(t, dir)
	path := filepath.Join(dir, blobPath(shared))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[0] ^= 1
	for name, data := range map[string][]byte{"changed": bad, "short": good[:len(good)-1], "long": append(bytes.Clone(good), 'x')} {
		t.Run(name, func(t *testing.T) {
			write(t, path, data)
			r, err := b.Blob(context.Background(), shared, int64(len(good)))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, err := io.ReadAll(r)
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), shared.String()) {
				t.Errorf("error is %v", err)
			}
			if len(got) >= len(good) {
				t.Errorf("%d of %d bytes were handed out", len(got), len(good))
			}
		})
	}
	write(t, path, good)
	r, err := b.Blob(context.Background(), shared, int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := iotest.TestReader(r, good); err != nil {
		t.Error(err)
	}
}

func TestOpenNamesTheCorruptBlob(t *testing.T) {
	dir, _ := layout(t)
	b := open(t, dir)
	path := filepath.Join(dir, blobPath(b.Manifest.Images[0].Digest))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-2] ^= 1
	write(t, path, data)
	_, err = Open(context.Background(), dir)
	if err == nil {
		b := open(t, dir)
		err = b.Export(context.Background(), io.Discard, b.Manifest.Images, func(digest.Digest) bool { return false })
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("error is %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	empty := t.TempDir()
	write(t, filepath.Join(empty, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	write(t, filepath.Join(empty, "index.json"), []byte(`{"schemaVersion":2,"manifests":[]}`))
	for path, want := range map[string]string{
		"/nonexistent/bundle.tar": "no such file",
		empty:                     "is it a fairlead bundle?",
	} {
		if _, err := Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s) = %v, want an error with %q", path, err, want)
		}
	}
}
