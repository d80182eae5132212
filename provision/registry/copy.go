package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	// them gets it. An image without an index is copied as it is, and so is one whose From has a
	// digest: it is asked for by that. An empty variant fits any.
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
// sending the blob again. An image that cannot be copied holds up no other; the error names each
// of them. Only what would meet all others too ends the copy: blobs on their way arrive then, and
// images that are complete by that time are there. The Stats are true also with an error.
func Copy(ctx context.Context, from Source, to *Client, items []Item, options CopyOptions) (Stats, error) {
	if options.Parallel <= 0 {
		options.Parallel = defaultParallel
	}
	// One request first: with a wrong password, many at once could lock the user out.
	if err := to.Ping(ctx); err != nil {
		return Stats{}, err
	}
	images, errRead := readImages(ctx, from, items, options)
	t := &transfer{to: to, progress: &progress{report: options.OnProgress}}
	errSend := t.run(ctx, options.Parallel, slices.DeleteFunc(slices.Clone(images), func(im *image) bool { return !im.read }))
	return t.stats, failures(images, errRead, errSend)
}

// failures joins what befell single images, each named, and what ended the copy.
func failures(images []*image, ends ...error) error {
	var all []error
	var rest []string // that nobody has come to
	for _, im := range images {
		if err := im.failure(); err != nil {
			all = append(all, err)
		} else if !im.there() {
			rest = append(rest, im.From)
		}
	}
	for _, end := range ends {
		if end != nil && !slices.ContainsFunc(all, func(known error) bool { return errors.Is(known, end) }) {
			all = append(all, end)
		}
	}
	if len(rest) > 0 {
		all = append(all, fmt.Errorf("not copied after that: %s", strings.Join(rest, ", ")))
	}
	return errors.Join(all...)
}

// readImages reads the manifests of all images. Those of which that failed say why. The error is
// what would meet all others too.
func readImages(ctx context.Context, from Source, items []Item, options CopyOptions) ([]*image, error) {
	images := make([]*image, len(items))
	positions := make([]int, len(items))
	for i, item := range items {
		positions[i], images[i] = i, &image{Item: item}
	}
	var door sync.Once
	err := forEach(ctx, options.Parallel, positions, func(ctx context.Context, i int) error {
		im, err := readImage(ctx, from, items[i], options.Platforms)
		if err == nil {
			images[i], im.read = im, true
			return nil
		}
		err = fmt.Errorf("read image %s: %w", items[i].From, err)
		locked := error(nil)
		if keeper, ok := from.(doorkeeper); ok && errors.Is(err, ErrCredentials) {
			// Not every refusal is about the password; if it is, asking on could lock the user out.
			door.Do(func() { locked = keeper.admits(ctx, items[i].From) })
		}
		images[i].fail(err)
		if ctx.Err() != nil || everywhere(err) || locked != nil {
			return err
		}
		return nil
	})
	return images, err
}

// doorkeeper is a source that can be asked whether it lets the user in at all.
type doorkeeper interface {
	admits(ctx context.Context, reference string) error
}

// image is an Item whose manifests were read.
type image struct {
	Item
	read      bool
	fetcher   content.Fetcher
	manifests []manifest // each after those that it refers to; the last is what gets the tag
	blobs     []ocispec.Descriptor
	pending   atomic.Int64 // blobs that are not in the target yet

	mu       sync.Mutex
	err      error // why it is not copied
	finished bool
}

// Pinned says that the image is named by its digest, so that it can be copied only as a whole.
func (i Item) Pinned() bool { return strings.Contains(i.From, "@") }

// fail says why an image is not copied. The first reason counts.
func (im *image) fail(err error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.err == nil {
		im.err = err
	}
}

func (im *image) failure() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.err
}

// finish says that the image is in the target.
func (im *image) finish() {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.finished = true
}

func (im *image) there() bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.finished
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

// within are the images of one repository that need the blob.
func (b *blob) within(repository string) []*image {
	return slices.DeleteFunc(slices.Clone(b.images), func(im *image) bool { return im.Repository != repository })
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
