package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"

	format "fairlead/provision/bundle"
)

// TestImagesAreValid reads the images of an unpacked layout with another library.
func TestImagesAreValid(t *testing.T) {
	r, modules := smallRecipe(t)
	path, err := build(t.Context(), r, Options{Cache: t.TempDir(), Modules: modules})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	unpack(t, path, folder)
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, d := range listed.Manifests {
		if d.ArtifactType != "" {
			continue
		}
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkLayers(t, image)
		checked++
	}
	if checked != len(r.Images) {
		t.Errorf("index lists %d images, want %d", checked, len(r.Images))
	}
}

// checkLayers unpacks every layer and compares it with the diff ID in the config.
func checkLayers(t *testing.T, image v1.Image) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		want, err := l.DiffID()
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := v1.SHA256(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("layer unpacks to %s, config says %s", got, want)
		}
	}
	if len(layers) == 0 {
		t.Error("image has no layers")
	}
}

func manifestOf(t *testing.T, store *oci.ReadOnlyStore, ref string) ocispec.Manifest {
	t.Helper()
	d, err := store.Resolve(t.Context(), ref)
	if err != nil {
		t.Fatalf("resolve %s: %v", ref, err)
	}
	var m ocispec.Manifest
	fetch(t, store, d, &m)
	return m
}

// fetch reads a document; oras-go verifies its size and digest.
func fetch(t *testing.T, store *oci.ReadOnlyStore, d ocispec.Descriptor, into any) {
	t.Helper()
	document, err := content.FetchAll(t.Context(), store, d)
	if err != nil {
		t.Fatalf("fetch %s: %v", d.Digest, err)
	}
	if err := json.Unmarshal(document, into); err != nil {
		t.Fatal(err)
	}
}

func checkComponent(t *testing.T, store *oci.ReadOnlyStore, m format.Manifest) {
	t.Helper()
	artifact := manifestOf(t, store, "kubernetes:1.2.3")
	if artifact.ArtifactType != format.ComponentArtifactType {
		t.Errorf("artifact type is %s", artifact.ArtifactType)
	}
	c, err := m.Component(format.Kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Layers) != 1 || len(artifact.Layers) != 1 {
		t.Fatalf("component has %d layers, artifact %d", len(c.Layers), len(artifact.Layers))
	}
	l := artifact.Layers[0]
	if l.Digest != c.Layers[0].Digest || l.Size != c.Layers[0].Size || l.MediaType != format.ComponentLayerMediaType {
		t.Errorf("manifest lists %+v, artifact %+v", c.Layers[0], l)
	}
	blob, err := content.FetchAll(t.Context(), store, l)
	if err != nil {
		t.Fatal(err)
	}
	name, file := onlyFile(t, blob)
	f := c.Layers[0].Files[0]
	if name != "usr/local/bin/renamed" || f.Path != "/usr/local/bin/renamed" || f.Mode != 0o755 {
		t.Errorf("layer holds %q, listed as %+v", name, f)
	}
	if f.Digest != digest.FromBytes(file) || f.Size != int64(len(file)) {
		t.Errorf("file is listed as %+v, is %d bytes of %s", f, len(file), digest.FromBytes(file))
	}
}

func checkImage(t *testing.T, store *oci.ReadOnlyStore, i format.Image) {
	t.Helper()
	d, err := store.Resolve(t.Context(), i.Name)
	if err != nil {
		t.Fatal(err)
	}
	m := manifestOf(t, store, i.Name)
	size := d.Size + m.Config.Size
	for _, l := range m.Layers {
		size += l.Size
	}
	if d.Digest != i.Digest || size != i.Size || !slices.Equal(i.Roles, []string{format.RoleWorker}) {
		t.Errorf("image is %s of %d bytes, listed as %+v", d.Digest, size, i)
	}
	var config ocispec.Image
	fetch(t, store, m.Config, &config)
	if !slices.Equal(config.Config.Entrypoint, []string{"/renamed"}) || config.Config.User != "65535:65535" {
		t.Errorf("config is %+v", config.Config)
	}
}

// checkLeftovers finds unfinished entries.
func checkLeftovers(t *testing.T, cache string) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(cache, "tmp"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("%s is left in the cache", entry.Name())
	}
}
