package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// transfer brings what is missing of some images into the target.
type transfer struct {
	to       *Client
	progress *progress

	mu    sync.Mutex
	stats Stats
}

// count changes the stats.
func (t *transfer) count(change func(*Stats)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.stats)
}

// run looks for all blobs first, so that the whole of what is to be sent is known, then sends
// them. An image follows as soon as its last blob is there. The error is what would meet all
// other images, too; what befell single ones is noted with them.
func (t *transfer) run(ctx context.Context, parallel int, images []*image) error {
	blobs := blobsOf(images)
	if err := forEach(ctx, parallel, blobs, t.look); err != nil {
		return err
	}
	for _, b := range blobs {
		if b.holder == "" && len(b.missing) > 0 {
			t.progress.add(0, b.Size)
		}
	}
	for _, im := range images {
		if len(im.blobs) > 0 {
			continue
		}
		if err := t.finish(ctx, im); err != nil {
			return err
		}
	}
	return forEach(ctx, parallel, blobs, t.bring)
}

// note notes a failure with the images that it befalls. It is returned if it would meet others, too.
func note(ctx context.Context, err error, images []*image) error {
	for _, im := range images {
		im.fail(fmt.Errorf("copy image %s: %w", im.From, err))
	}
	if ctx.Err() != nil || everywhere(err) {
		return err
	}
	return nil
}

// look asks which repositories have a blob.
func (t *transfer) look(ctx context.Context, b *blob) error {
	for _, repository := range b.repositories {
		exists, err := t.exists(ctx, repository, b)
		switch {
		case err != nil:
			err = t.to.explain("look for blob "+b.Digest.String()+" in", repository, err)
			if err := note(ctx, err, b.within(repository)); err != nil {
				return err
			}
		case exists:
			b.holder = repository
			t.count(func(s *Stats) { s.Skipped++ })
		default:
			b.missing = append(b.missing, repository)
		}
	}
	return nil
}

// exists asks for a blob. A registry that does not answer the question is sent the blob.
func (t *transfer) exists(ctx context.Context, repository string, b *blob) (exists bool, err error) {
	repo, err := t.to.registry.Repository(ctx, repository)
	if err != nil {
		return false, err
	}
	err = t.to.try(ctx, func(ctx context.Context) (err error) {
		exists, err = repo.Blobs().Exists(ctx, b.Descriptor)
		return err
	})
	if status(http.StatusMethodNotAllowed, http.StatusNotImplemented)(err) {
		return false, nil
	}
	return exists, err
}

// bring sees that all repositories have a blob, then finishes the images that waited for it.
func (t *transfer) bring(ctx context.Context, b *blob) error {
	for _, repository := range b.missing {
		if !waiting(b.within(repository)) {
			continue
		}
		err := t.put(ctx, b, repository)
		var source *sourceError
		befallen := b.within(repository)
		if errors.As(err, &source) {
			befallen = b.images
		}
		if err != nil {
			if err := note(ctx, err, befallen); err != nil {
				return err
			}
			continue
		}
		if b.holder == "" {
			b.holder = repository
		}
	}
	for _, im := range b.images {
		if im.pending.Add(-1) > 0 || im.failure() != nil {
			continue
		}
		if err := t.finish(ctx, im); err != nil {
			return err
		}
	}
	return nil
}

// waiting says that some image is not given up.
func waiting(images []*image) bool {
	return slices.ContainsFunc(images, func(im *image) bool { return im.failure() == nil })
}

// put mounts a blob into a repository, or sends it if no repository has it or the target
// does not mount.
func (t *transfer) put(ctx context.Context, b *blob, repository string) error {
	repo, err := t.to.registry.Repository(ctx, repository)
	if err != nil {
		return t.to.explain("open", repository, err)
	}
	if mounter, mounts := repo.Blobs().(registry.Mounter); mounts && b.holder != "" {
		err := t.send(ctx, b, repository, func(ctx context.Context, open opener) error {
			return mounter.Mount(ctx, b.Descriptor, b.holder, open)
		})
		if !refusesMount(err) {
			return err
		}
	}
	return t.send(ctx, b, repository, func(ctx context.Context, open opener) error {
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		return repo.Blobs().Push(ctx, b.Descriptor, r)
	})
}

// refusesMount says that the target does not mount, in whatever way it says so: the user may write
// here and not read there, and registries that know no mounting answer by 400, 405, 501 and others.
// If there is more to it than that, the upload will tell.
func refusesMount(err error) bool {
	var source *sourceError
	var answer *errcode.ErrorResponse
	if errors.As(err, &source) {
		return false
	}
	if errors.Is(err, ErrCredentials) || errors.Is(err, ErrMissing) {
		return true
	}
	return errors.As(err, &answer) && (answer.StatusCode < http.StatusInternalServerError || answer.StatusCode == http.StatusNotImplemented)
}

// finish writes the manifests of an image, whose blobs are all there, and its tag. The error is
// what would meet all other images, too.
func (t *transfer) finish(ctx context.Context, im *image) error {
	what := im.Repository
	if im.Tag != "" {
		what = name(im.Repository, im.Tag)
	}
	last := len(im.manifests) - 1
	for i, m := range im.manifests {
		tag := ""
		if i == last {
			tag = im.Tag
		}
		written, err := t.write(ctx, im.Repository, m, tag)
		if err != nil {
			return note(ctx, t.to.explain("write manifest "+m.Digest.String()+" of", what, err), []*image{im})
		}
		if i < last {
			continue
		}
		t.count(func(s *Stats) {
			if written {
				s.Images++
			} else {
				s.Skipped++
			}
		})
	}
	im.finish()
	return nil
}

// write sees that a repository has a manifest, under a tag unless that is empty.
func (t *transfer) write(ctx context.Context, repository string, m manifest, tag string) (written bool, err error) {
	repo, err := t.to.registry.Repository(ctx, repository)
	if err != nil {
		return false, err
	}
	which := tag
	if tag == "" {
		which = m.Digest.String()
	}
	is, err := t.to.Resolve(ctx, repository, which)
	if err == nil && is.Digest == m.Digest {
		return false, nil
	}
	if err != nil && !errors.Is(err, ErrMissing) {
		return false, err
	}
	err = t.to.try(ctx, func(ctx context.Context) error {
		return repo.Manifests().PushReference(ctx, m.Descriptor, bytes.NewReader(m.data), which)
	})
	return err == nil, err
}
