package bundle

import (
	"archive/tar"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	format "fairlead/provision/bundle"
)

// parts are the folders in the cache from which a bundle is put together.
type parts struct {
	sets map[string]string // by the set's name
	base string            // empty when the recipe has no base
}

func (p parts) source(f file) string {
	return filepath.Join(p.sets[f.Set], path.Base(f.Path))
}

// assembler puts a bundle together.
type assembler struct {
	recipe recipe
	parts  parts
	store  *store
	base   layer // set when an image stands on the base
}

// manifest adds all components and images and the manifest that lists them.
func (a *assembler) manifest(ctx context.Context, log logger) error {
	m := format.Manifest{SchemaVersion: 1, KubernetesVersion: a.recipe.Kubernetes, Architecture: a.recipe.Arch}
	for _, c := range a.recipe.Components {
		packed, err := a.component(c)
		if err = cmp.Or(ctx.Err(), err); err != nil {
			return fmt.Errorf("pack component %s: %w", c.Name, err)
		}
		m.Components = append(m.Components, packed)
		log.printf("packed component %s", c.Name)
	}
	for _, i := range a.recipe.Images {
		packed, err := a.image(i)
		if err = cmp.Or(ctx.Err(), err); err != nil {
			return fmt.Errorf("pack image %s: %w", i.Name, err)
		}
		m.Images = append(m.Images, packed)
		log.printf("packed image %s", i.Name)
	}
	d, err := a.store.putJSON(format.ManifestMediaType, m)
	if err != nil {
		return err
	}
	return a.artifact(format.ManifestArtifactType, format.ManifestRef, []ocispec.Descriptor{d})
}

// artifact tags a manifest of layers that are no container image.
func (a *assembler) artifact(artifactType, ref string, layers []ocispec.Descriptor) error {
	config, err := a.store.putJSON(ocispec.MediaTypeEmptyJSON, struct{}{})
	if err != nil {
		return err
	}
	d, err := a.store.putJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: artifactType,
		Config:       config,
		Layers:       layers,
	})
	if err != nil {
		return err
	}
	d.ArtifactType = artifactType
	a.store.tag(d, map[string]string{ocispec.AnnotationRefName: ref})
	return nil
}

func (a *assembler) component(c component) (format.Component, error) {
	packed := format.Component{Name: c.Name, Version: c.Version}
	var descriptors []ocispec.Descriptor
	for _, files := range c.Layers {
		files = sorted(files)
		l, err := a.store.putLayer(format.ComponentLayerMediaType, func(archive *tar.Writer) error {
			return a.writeFiles(archive, files)
		})
		if err != nil {
			return format.Component{}, err
		}
		listed := format.Layer{Digest: l.Digest, Size: l.Size}
		for _, f := range files {
			entry, err := describe(a.parts.source(f), f.Path)
			if err != nil {
				return format.Component{}, err
			}
			listed.Files = append(listed.Files, entry)
		}
		packed.Layers = append(packed.Layers, listed)
		descriptors = append(descriptors, l.Descriptor)
	}
	return packed, a.artifact(format.ComponentArtifactType, c.Name+":"+c.Version, descriptors)
}

// binaryMode is the permission of everything that the bundle installs.
const binaryMode = 0o755

func (a *assembler) writeFiles(archive *tar.Writer, files []file) error {
	for _, f := range files {
		e := entry{name: strings.TrimPrefix(f.Path, "/"), mode: binaryMode, source: a.parts.source(f)}
		if err := e.write(archive); err != nil {
			return err
		}
	}
	return nil
}

func sorted(files []file) []file {
	return slices.SortedFunc(slices.Values(files), func(x, y file) int { return cmp.Compare(x.Path, y.Path) })
}

func describe(source, target string) (format.File, error) {
	f, err := os.Open(source)
	if err != nil {
		return format.File{}, fmt.Errorf("describe %s: %w", target, err)
	}
	defer f.Close()
	digester := digest.Canonical.Digester()
	size, err := io.Copy(digester.Hash(), f)
	if err != nil {
		return format.File{}, fmt.Errorf("describe %s: %w", target, err)
	}
	return format.File{Path: target, Mode: binaryMode, Size: size, Digest: digester.Digest()}, nil
}
