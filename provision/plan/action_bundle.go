package plan

import (
	"fmt"

	"fairlead/provision/bundle"
	"fairlead/provision/ledger"
)

// InstallLayers streams layers of the bundle to the host, in one go. Each file replaces
// its predecessor by a rename, and only after its layer arrived whole and verified.
type InstallLayers struct{ Layers []bundle.Layer }

// Describe implements Action.
func (a InstallLayers) Describe() string {
	count, size := 0, int64(0)
	for _, layer := range a.Layers {
		count += len(layer.Files)
		size += layer.Size
	}
	return fmt.Sprintf("install %d files from the bundle (%d MiB)", count, size>>20)
}

// Touches implements Toucher.
func (a InstallLayers) Touches() []ledger.Touch { return ledger.Files(a.paths()...) }

func (a InstallLayers) paths() []string {
	var paths []string
	for _, layer := range a.Layers {
		for _, file := range layer.Files {
			paths = append(paths, file.Path)
		}
	}
	return paths
}

// Sums are the files as the script wants them: SHA256:PATH.
func (a InstallLayers) Sums() []string {
	var sums []string
	for _, layer := range a.Layers {
		for _, file := range layer.Files {
			sums = append(sums, file.Digest.Encoded()+":"+file.Path)
		}
	}
	return sums
}

// ImportImages streams images of the bundle into containerd's store for Kubernetes. Blobs
// that the store has already are not sent.
type ImportImages struct {
	Images []bundle.Image
}

// Describe implements Action.
func (a ImportImages) Describe() string {
	return fmt.Sprintf("import %d images (up to %d MiB)", len(a.Images), bundle.ExportSize(a.Images)>>20)
}
