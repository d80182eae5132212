package bundle

import (
	"archive/tar"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	format "fairlead/provision/bundle"
)

const (
	// searchPath is the PATH in every image; static pods name their program only.
	searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// containerdName is the annotation by which containerd names an image that it imports.
	containerdName = "io.containerd.image.name"
)

// image adds a container image and tags it with its upstream name.
func (a *assembler) image(i image) (format.Image, error) {
	layers, err := a.layers(i)
	if err != nil {
		return format.Image{}, err
	}
	platform := ocispec.Platform{OS: "linux", Architecture: a.recipe.Arch}
	config := ocispec.Image{
		Platform: platform,
		Config:   ocispec.ImageConfig{Env: []string{searchPath}, Entrypoint: i.Entrypoint, User: i.User, WorkingDir: "/"},
		RootFS:   ocispec.RootFS{Type: "layers"},
	}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	var size int64
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		manifest.Layers = append(manifest.Layers, l.Descriptor)
		size += l.Size
	}
	if manifest.Config, err = a.store.putJSON(ocispec.MediaTypeImageConfig, config); err != nil {
		return format.Image{}, err
	}
	d, err := a.store.putJSON(ocispec.MediaTypeImageManifest, manifest)
	if err != nil {
		return format.Image{}, err
	}
	d.Platform = &platform
	a.store.tag(d, map[string]string{ocispec.AnnotationRefName: i.Name, containerdName: i.Name})
	return format.Image{Name: i.Name, Digest: d.Digest, Size: size + manifest.Config.Size + d.Size, Roles: i.Roles, Addon: i.Addon}, nil
}

// layers are the base, if the image stands on it, and the image's own files.
func (a *assembler) layers(i image) ([]layer, error) {
	var layers []layer
	if i.OnBase {
		base, err := a.baseLayer()
		if err != nil {
			return nil, err
		}
		layers = append(layers, base)
	}
	own, err := a.store.putLayer(ocispec.MediaTypeImageLayerZstd, func(archive *tar.Writer) error {
		if !i.OnBase {
			// Go's programs expect a folder for temporary files even in an otherwise empty root.
			if err := (entry{name: "tmp/", mode: 0o1777, folder: true}).write(archive); err != nil {
				return err
			}
		}
		return a.writeFiles(archive, sorted(i.Files))
	})
	return append(layers, own), err
}

// baseLayer packs the base on first use; all images share the one layer.
func (a *assembler) baseLayer() (layer, error) {
	if a.base.Digest != digest.Digest("") {
		return a.base, nil
	}
	base, err := a.store.putLayer(ocispec.MediaTypeImageLayerZstd, func(archive *tar.Writer) error {
		return copyRoot(archive, filepath.Join(a.parts.base, rootFile), a.recipe.Base.Drop)
	})
	if err == nil {
		a.base = base
	}
	return base, err
}
