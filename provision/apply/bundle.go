package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"fairlead/provision/bundle"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"

	"github.com/opencontainers/go-digest"
)

// querySilence is how long a host may say nothing while it is only asked. What changes a host has no such limit: package
// managers, kubeadm and disks are silent for as long as they work, and to end them in the middle is worse than to wait.
const querySilence = 30 * time.Second

func (s *stepRun) installLayers(ctx context.Context, a plan.InstallLayers) error {
	var total int64
	for _, layer := range a.Layers {
		total += layer.Size
	}
	err := s.stream(ctx, total, remote.Command{Script: templates.ScriptInstallLayers.Text(), Argv: a.Sums(), Root: true},
		func(ctx context.Context, w io.Writer) error {
			for _, layer := range a.Layers {
				if err := s.copyBlob(ctx, w, layer); err != nil {
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

// importImages sends the images without the blobs that the host has. An import that fails so is tried once more with all
// blobs, as some may have gone from the host in between: whoever removes an image there has its blobs collected.
func (s *stepRun) importImages(ctx context.Context, a plan.ImportImages) error {
	// Asked here and not by the probe: only an import needs to know.
	store, err := s.host.Run(ctx, remote.Command{Script: templates.ScriptListBlobs.Text(), Root: true, Silence: querySilence})
	if err != nil {
		return fmt.Errorf("list the blobs that the host has: %w", err)
	}
	there := map[digest.Digest]bool{}
	for line := range strings.Lines(string(store.Stdout)) {
		there[digest.Digest(strings.TrimSpace(line))] = true
	}
	left, err := s.sendImages(ctx, a.Images, there)
	var exit *remote.ExitError
	if left > 0 && errors.As(err, &exit) {
		s.output(fmt.Sprintf("import images without %d blobs that the host has: %v; once more with all of them", left, err))
		_, err = s.sendImages(ctx, a.Images, nil)
	}
	if err != nil {
		return fmt.Errorf("import images: %w", err)
	}
	return nil
}

// sendImages has the host import images without the blobs that are there, and counts those that were left out.
func (s *stepRun) sendImages(ctx context.Context, images []bundle.Image, there map[digest.Digest]bool) (left int, err error) {
	err = s.stream(ctx, bundle.ExportSize(images), remote.Command{Script: templates.ScriptImportImages.Text(), Root: true},
		func(ctx context.Context, w io.Writer) error {
			return s.bundle.Export(ctx, w, images, func(d digest.Digest) bool {
				if there[d] {
					left++
				}
				return there[d]
			})
		})
	return left, err
}

// stream runs a command on the host and feeds it what produce writes. When produce fails the
// command is ended and that error is the one returned; when the command ends first, its own is.
func (s *stepRun) stream(ctx context.Context, total int64, command remote.Command, produce func(context.Context, io.Writer) error) error {
	r, w := io.Pipe()
	command.Stdin = r
	command.OnSend = func(sent int64) { s.transferred(sent, total) }
	var produced error
	var group sync.WaitGroup
	group.Go(func() {
		produced = produce(ctx, w)
		_ = w.CloseWithError(produced) // always nil
	})
	_, err := s.host.Run(ctx, command)
	r.CloseWithError(nil) // who still writes gets io.ErrClosedPipe
	group.Wait()
	if produced != nil && !errors.Is(produced, io.ErrClosedPipe) {
		return produced
	}
	return err
}

// copyBlob writes a layer of the bundle to w.
func (s *stepRun) copyBlob(ctx context.Context, w io.Writer, layer bundle.Layer) error {
	blob, err := s.bundle.Blob(ctx, layer.Digest, layer.Size)
	if err != nil {
		return err
	}
	defer blob.Close()
	_, err = io.Copy(w, blob)
	return err
}
