package bundle

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// tarOf packs a folder.
func tarOf(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle.tar")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := tar.NewWriter(file)
	if err := out.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenFolderAndTar(t *testing.T) {
	dir, shared := layout(t)
	for title, path := range map[string]string{"folder": dir, "tar": tarOf(t, dir)} {
		b, err := Open(t.Context(), path)
		if err != nil {
			t.Fatalf("%s: %v", title, err)
		}
		if b.Path() != path || b.Manifest.KubernetesVersion != "1.37.2" || len(b.Manifest.Images) != 2 {
			t.Errorf("%s: %s holds %+v", title, b.Path(), b.Manifest)
		}
		r, err := b.Blob(t.Context(), shared, b.Manifest.Images[0].Size)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); err != nil || digest.FromBytes(data) != shared {
			t.Errorf("%s: %d bytes, %v", title, len(data), err)
		}
		r.Close()
		lost := digest.FromString("lost")
		if _, err := b.Blob(t.Context(), lost, 4); err == nil || !strings.HasPrefix(err.Error(), "open blob "+lost.String()+": ") {
			t.Errorf("%s: a blob that is not there: %v", title, err)
		}
	}
}

// relabel puts another artifact under the bundle's tag.
func relabel(t *testing.T, dir string, artifact ocispec.Descriptor) {
	t.Helper()
	artifact.MediaType = ocispec.MediaTypeImageManifest
	artifact.Annotations = map[string]string{ocispec.AnnotationRefName: ManifestRef}
	write(t, filepath.Join(dir, ocispec.ImageIndexFile), marshal(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []ocispec.Descriptor{artifact}}))
}

func TestOpenRefuses(t *testing.T) {
	artifact := func(t *testing.T, dir, kind string, layers ...ocispec.Descriptor) ocispec.Descriptor {
		return document(t, dir, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, ArtifactType: kind, Config: ocispec.DescriptorEmptyJSON, Layers: layers}, ocispec.MediaTypeImageManifest)
	}
	damaged := func(t *testing.T, dir string, desc ocispec.Descriptor, change func([]byte) []byte) ocispec.Descriptor {
		path := filepath.Join(dir, blobPath(desc.Digest))
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, change(data))
		return desc
	}
	flip := func(data []byte) []byte {
		data[len(data)-2] ^= 1
		return data
	}
	cut := func(data []byte) []byte { return data[:len(data)-1] }
	longer := func(data []byte) []byte { return append(data, ' ') }
	for _, c := range []struct {
		title   string
		make    func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor
		want    string
		corrupt bool
	}{
		{"as it should be", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, good)
		}, "", false},
		{"another type", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ComponentArtifactType, good)
		}, `"fairlead.bundle" is an artifact of type "application/vnd.fairlead.component.v1" with 1 layers, want "application/vnd.fairlead.bundle.v1" with one`, false},
		{"two layers", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, good, good)
		}, "with 2 layers", false},
		{"no layer", func(t *testing.T, dir string, _ ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType)
		}, "with 0 layers", false},
		{"another version", func(t *testing.T, dir string, _ ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, document(t, dir, Manifest{SchemaVersion: 2}, ManifestMediaType))
		}, "bundle manifest has schema version 2, want 1", false},
		{"a digest that is none", func(t *testing.T, dir string, _ ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, document(t, dir, Manifest{SchemaVersion: 1, Images: []Image{{Name: "a", Digest: "x"}}}, ManifestMediaType))
		}, `bundle manifest: image "a": its digest "x" is no SHA-256 digest`, false},
		{"no JSON", func(t *testing.T, dir string, _ ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, blob(t, dir, []byte("no JSON")))
		}, "parse blob " + digest.FromString("no JSON").String() + ": ", false},
		{"artifact that is no JSON", func(t *testing.T, dir string, _ ocispec.Descriptor) ocispec.Descriptor {
			return blob(t, dir, []byte("no JSON"))
		}, "invalid OCI Image Index: ", false},
		{"damaged manifest", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, damaged(t, dir, good, flip))
		}, "read blob ", true},
		{"longer manifest", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, damaged(t, dir, good, longer))
		}, "read blob ", true},
		{"cut manifest", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return artifact(t, dir, ManifestArtifactType, damaged(t, dir, good, cut))
		}, "read blob ", true},
		{"damaged artifact", func(t *testing.T, dir string, good ocispec.Descriptor) ocispec.Descriptor {
			return damaged(t, dir, artifact(t, dir, ManifestArtifactType, good), flip)
		}, "", true},
	} {
		dir, _ := layout(t)
		good := document(t, dir, Manifest{SchemaVersion: 1}, ManifestMediaType)
		relabel(t, dir, c.make(t, dir, good))
		_, err := Open(t.Context(), dir)
		if c.want == "" && !c.corrupt {
			if err != nil {
				t.Errorf("%s: %v", c.title, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "bundle "+dir+": ") || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrCorrupt) != c.corrupt {
			t.Errorf("%s: %v, want %q in it", c.title, err, c.want)
		}
	}
	text := filepath.Join(t.TempDir(), "bundle.tar")
	write(t, text, []byte("this is no tar file"))
	if _, err := Open(t.Context(), text); err == nil || !strings.HasPrefix(err.Error(), "open bundle "+text+": ") {
		t.Errorf("no tar: %v", err)
	}
	whole, err := os.ReadFile(tarOf(t, mustLayout(t)))
	if err != nil {
		t.Fatal(err)
	}
	write(t, text, whole[:len(whole)/2+100])
	if _, err := Open(t.Context(), text); !errors.Is(err, ErrCorrupt) {
		t.Errorf("half a tar: %v", err)
	}
}

func mustLayout(t *testing.T) string {
	t.Helper()
	dir, _ := layout(t)
	return dir
}

func TestExport(t *testing.T) {
	dir, _ := layout(t)
	b := open(t, dir)
	var out bytes.Buffer
	if err := b.Export(t.Context(), &out, b.Manifest.Images[:1], func(digest.Digest) bool { return false }); err != nil {
		t.Fatal(err)
	}
	whole := out.Len()
	files := map[string][]byte{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Mode != 0o644 || h.Typeflag != tar.TypeReg {
			t.Errorf("%s has type %c and mode %o", h.Name, h.Typeflag, h.Mode)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(h.Name, "blobs/sha256/"); ok && digest.FromBytes(files[h.Name]).Encoded() != name {
			t.Errorf("%s holds something else", h.Name)
		}
	}
	if got := string(files["oci-layout"]); got != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("the layout is %s", got)
	}
	var index ocispec.Index
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	if index.SchemaVersion != 2 || index.MediaType != ocispec.MediaTypeImageIndex || len(index.Manifests) != 1 {
		t.Fatalf("the index is %s", files["index.json"])
	}
	desc := index.Manifests[0]
	if desc.Digest != b.Manifest.Images[0].Digest || desc.MediaType != ocispec.MediaTypeImageManifest || files[blobPath(desc.Digest)] == nil {
		t.Errorf("the index holds %+v", desc)
	}
	for _, key := range []string{"org.opencontainers.image.ref.name", "io.containerd.image.name", "org.opencontainers.image.name"} {
		if desc.Annotations[key] != "example.test/a:1" || len(desc.Annotations) != 3 {
			t.Errorf("annotations %v", desc.Annotations)
		}
	}
	// Wherever the receiver goes away, the export says so.
	for left := 0; left < whole; left += 10240 {
		if err := b.Export(t.Context(), &narrow{left: left}, b.Manifest.Images[:1], func(digest.Digest) bool { return false }); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("after %d of %d bytes: %v", left, whole, err)
		}
	}
	if err := b.Export(t.Context(), io.Discard, []Image{{Name: "example.test/c:3"}}, nil); err == nil || !strings.HasPrefix(err.Error(), "find image example.test/c:3 in the bundle: ") {
		t.Errorf("an image that is not there: %v", err)
	}
}

// narrow takes so many bytes.
type narrow struct{ left int }

func (n *narrow) Write(p []byte) (int, error) {
	if len(p) > n.left {
		return 0, io.ErrShortWrite
	}
	n.left -= len(p)
	return len(p), nil
}

func TestExportNamesTheBlobThatIsNotThere(t *testing.T) {
	dir, shared := layout(t)
	b := open(t, dir)
	if err := os.Remove(filepath.Join(dir, blobPath(shared))); err != nil {
		t.Fatal(err)
	}
	err := b.Export(t.Context(), io.Discard, b.Manifest.Images, func(digest.Digest) bool { return false })
	if err == nil || !strings.HasPrefix(err.Error(), "export image example.test/a:1: open blob "+shared.String()+": ") {
		t.Errorf("error is %v", err)
	}
	if err := os.Remove(filepath.Join(dir, blobPath(b.Manifest.Images[1].Digest))); err != nil {
		t.Fatal(err)
	}
	err = b.Export(t.Context(), io.Discard, b.Manifest.Images[1:], func(digest.Digest) bool { return true })
	if err == nil || !strings.HasPrefix(err.Error(), "export image example.test/b:2: read blob "+b.Manifest.Images[1].Digest.String()+": ") {
		t.Errorf("error is %v", err)
	}
}

func TestManifest(t *testing.T) {
	m := Manifest{Components: []Component{{Name: Runc, Version: "1.3.0"}, {Name: Containerd, Version: "2.4.2"}}}
	if c, err := m.Component(Containerd); err != nil || c.Version != "2.4.2" {
		t.Errorf("containerd is %+v, %v", c, err)
	}
	if c, err := m.Component(Kubernetes); err == nil || c.Name != "" || err.Error() != `bundle holds no component "kubernetes"` {
		t.Errorf("kubernetes is %+v, %v", c, err)
	}
	if got := ExportSize([]Image{{Size: 5}, {Size: 7}}); got != 12 {
		t.Errorf("size is %d", got)
	}
	if got := ExportSize(nil); got != 0 {
		t.Errorf("size of nothing is %d", got)
	}
}
