package registry

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/content"
)

// defaultParallel is how many blobs or images are worked on at once.
const defaultParallel = 4

// Source is where images are copied from: a bundle's Source, a Client, or Origins.
type Source interface {
	// Image finds an image. The content of the descriptor and of all that it refers to is
	// fetched from the returned Fetcher, from several goroutines and as often as needed.
	Image(ctx context.Context, reference string) (ocispec.Descriptor, content.Fetcher, error)
}

// Item is an image to be copied.
type Item struct {
	From       string        // reference in the source
	Repository string        // in the target
	Tag        string        // in the target; empty: none
	Digest     digest.Digest // what From must stand for; empty: anything
	Size       int64         // bytes, for estimates before copying; Copy does not read it
}

// CopyOptions are the choices that a copy leaves.
type CopyOptions struct {
	// Platforms chooses among the platforms of an index; none: all, and the digest stays as it
	// is. An index cannot lose a platform and keep its digest: with one chosen platform its
	// manifest is copied, with its own digest, and gets the tag; with several a new index of
	// them gets it. An image without an index is copied as it is. An empty variant fits any.
	Platforms []ocispec.Platform
	// Parallel is how many blobs are on their way at once; 0: four.
	Parallel int
	// OnProgress hears of bytes of blobs that were sent, and of how many have to be. sent goes
	// back when a blob has to be sent again, total grows when the target does not mount a blob
	// from one repository into another. Calls do not overlap.
	OnProgress func(sent, total int64)
}

// Stats says what a copy did. A copy that had nothing to do has Skipped only.
type Stats struct {
	Images  int   // tags, or manifests without a tag, that were written
	Blobs   int   // blobs that were sent
	Mounted int   // blobs that the target took from another of its repositories
	Skipped int   // blobs and images that were there already
	Bytes   int64 // of the blobs that were sent
}

// Copy copies images into the target's repositories. A blob that several of them share is
// sent once, and mounted into the others by the target. What the target holds already is not
// sent, so a copy that was cut off is continued by doing it again. Passing failures are met by
// sending the blob again; after any other nothing new is started, blobs on their way arrive,
// and images that are complete by then are there. The Stats are true also with an error.
func Copy(ctx context.Context, from Source, to *Client, items []Item, options CopyOptions) (Stats, error) {
	if options.Parallel <= 0 {
		options.Parallel = defaultParallel
	}
	// One request first: with a wrong password, many at once could lock the user out.
	if err := to.Ping(ctx); err != nil {
		return Stats{}, err
	}
	images := make([]*image, len(items))
	positions := make([]int, len(items))
	for i := range positions {
		positions[i] = i
	}
	err := forEach(ctx, options.Parallel, positions, func(ctx context.Context, i int) (err error) {
		if images[i], err = readImage(ctx, from, items[i], options.Platforms); err != nil {
			return fmt.Errorf("read image %s: %w", items[i].From, err)
		}
		return nil
	})
	if err != nil {
		return Stats{}, err
	}
	t := &transfer{to: to, progress: &progress{report: options.OnProgress}}
	err = t.run(ctx, options.Parallel, images)
	return t.stats, err
}

// image is an Item whose manifests were read.
type image struct {
	Item
	fetcher   content.Fetcher
	manifests []manifest // each after those that it refers to; the last is what gets the tag
	blobs     []ocispec.Descriptor
	pending   atomic.Int64 // blobs that are not in the target yet
}

// manifest is a manifest or an index.
type manifest struct {
	ocispec.Descriptor
	data []byte
}

// blob is a blob of some images.
type blob struct {
	ocispec.Descriptor
	of           *image   // where its content comes from
	images       []*image // that need it
	repositories []string // of these images, each once
	missing      []string // those of the repositories that lack it
	holder       string   // a repository that has it
}

// blobsOf are the blobs of all images, each once, in the order of the images.
func blobsOf(images []*image) []*blob {
	var blobs []*blob
	known := map[digest.Digest]*blob{}
	for _, im := range images {
		for _, desc := range im.blobs {
			b, ok := known[desc.Digest]
			if !ok {
				b = &blob{Descriptor: desc, of: im}
				known[desc.Digest] = b
				blobs = append(blobs, b)
			}
			b.images = append(b.images, im)
			b.need(im.Repository)
		}
	}
	return blobs
}

func (b *blob) need(repository string) {
	for _, r := range b.repositories {
		if r == repository {
			return
		}
	}
	b.repositories = append(b.repositories, repository)
}

// forEach does something with every item, with limit of them at once. After a failure no
// further item is begun; those that were begun are finished. The first failure is returned.
func forEach[T any](ctx context.Context, limit int, items []T, do func(context.Context, T) error) error {
	var group errgroup.Group
	group.SetLimit(limit)
	var failed atomic.Bool
	for _, item := range items {
		group.Go(func() error {
			if failed.Load() {
				return nil
			}
			err := ctx.Err()
			if err == nil {
				err = do(ctx, item)
			}
			if err != nil {
				failed.Store(true)
			}
			return err
		})
	}
	return group.Wait()
}

// progress counts the bytes of all blobs.
type progress struct {
	report func(sent, total int64)

	mu          sync.Mutex
	sent, total int64
}

// add changes the counts.
func (p *progress) add(sent, total int64) {
	if sent == 0 && total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent += sent
	p.total += total
	if p.report != nil {
		p.report(p.sent, p.total)
	}
}
