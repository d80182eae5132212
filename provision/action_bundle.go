package provision

import (
	"context"
	"fmt"
	"io"
	"strings"

	"fairlead/provision/bundle"
	"fairlead/provision/remote"
	"fairlead/templates"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
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

func (a InstallLayers) touches() []touch { return files(a.paths()...) }

func (a InstallLayers) paths() []string {
	var paths []string
	for _, layer := range a.Layers {
		for _, file := range layer.Files {
			paths = append(paths, file.Path)
		}
	}
	return paths
}

// sums are the files as the script wants them: SHA256:PATH.
func (a InstallLayers) sums() []string {
	var sums []string
	for _, layer := range a.Layers {
		for _, file := range layer.Files {
			sums = append(sums, file.Digest.Encoded()+":"+file.Path)
		}
	}
	return sums
}

func (a InstallLayers) apply(ctx context.Context, s *stepRun) error {
	var total int64
	for _, layer := range a.Layers {
		total += layer.Size
	}
	err := s.stream(ctx, total, remote.Command{Argv: append(shell(templates.InstallLayers()), a.sums()...), Root: true},
		func(ctx context.Context, w io.Writer) error {
			for _, layer := range a.Layers {
				if err := s.session.copyBlob(ctx, w, layer); err != nil {
					return err
				}
			}
			return nil
		})
	if err != nil {
		return fmt.Errorf("install files from the bundle: %w", err)
	}
	return nil
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

func (a ImportImages) touches() []touch { return nil }

func (a ImportImages) apply(ctx context.Context, s *stepRun) error {
	// Asked here and not by the probe: only an import needs to know.
	store, err := s.host.Run(ctx, remote.Command{Script: templates.ListBlobs(), Root: true})
	if err != nil {
		return fmt.Errorf("list the blobs that the host has: %w", err)
	}
	there := map[digest.Digest]bool{}
	for line := range strings.Lines(string(store.Stdout)) {
		there[digest.Digest(strings.TrimSpace(line))] = true
	}
	err = s.stream(ctx, bundle.ExportSize(a.Images), remote.Command{Argv: shell(templates.ImportImages()), Root: true},
		func(ctx context.Context, w io.Writer) error {
			return s.session.bundle.Export(ctx, w, a.Images, func(d digest.Digest) bool { return there[d] })
		})
	if err != nil {
		return fmt.Errorf("import images: %w", err)
	}
	return nil
}

// shell is the argv that runs a script which reads data on its standard input.
func shell(script string) []string { return []string{"/bin/sh", "-c", script, "sh"} }

// stream runs a command on the host and feeds it what produce writes. When produce
// fails the command's input ends early and its error is the one returned.
func (s *stepRun) stream(ctx context.Context, total int64, command remote.Command, produce func(context.Context, io.Writer) error) error {
	r, w := io.Pipe()
	command.Stdin = r
	command.OnSend = func(sent int64) { s.transferred(sent, total) }
	group, ctx := errgroup.WithContext(ctx)
	var produced error
	group.Go(func() error {
		produced = produce(ctx, w)
		return w.CloseWithError(produced)
	})
	group.Go(func() error {
		_, err := s.host.Run(ctx, command)
		r.CloseWithError(err)
		return err
	})
	err := group.Wait()
	if produced != nil && err != nil && !isClosedPipe(produced) {
		return produced
	}
	return err
}

// copyBlob writes a layer of the bundle to w.
func (s *Session) copyBlob(ctx context.Context, w io.Writer, layer bundle.Layer) error {
	blob, err := s.bundle.Blob(ctx, layer.Digest, layer.Size)
	if err != nil {
		return err
	}
	defer blob.Close()
	_, err = io.Copy(w, blob)
	return err
}
