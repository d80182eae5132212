package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"oras.land/oras-go/v2/registry"
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
// them. An image follows as soon as its last blob is there.
func (t *transfer) run(ctx context.Context, parallel int, images []*image) error {
	blobs := blobsOf(images)
	if err := forEach(ctx, parallel, blobs, t.look); err != nil {
		return err
	}
	for _, b := range blobs {
		if b.holder == "" {
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

// look asks which repositories have a blob.
func (t *transfer) look(ctx context.Context, b *blob) error {
	for _, repository := range b.repositories {
		exists, err := t.exists(ctx, repository, b)
		switch {
		case err != nil:
			return t.to.explain("look for blob "+b.Digest.String()+" in", repository, err)
		case exists:
			b.holder = repository
			t.count(func(s *Stats) { s.Skipped++ })
		default:
			b.missing = append(b.missing, repository)
		}
	}
	return nil
}

func (t *transfer) exists(ctx context.Context, repository string, b *blob) (exists bool, err error) {
	repo, err := t.to.registry.Repository(ctx, repository)
	if err != nil {
		return false, err
	}
	err = t.to.try(ctx, func(ctx context.Context) (err error) {
		exists, err = repo.Blobs().Exists(ctx, b.Descriptor)
		return err
	})
	return exists, err
}

// bring sees that all repositories have a blob, then finishes the images that waited for it.
func (t *transfer) bring(ctx context.Context, b *blob) error {
	for _, repository := range b.missing {
		if err := t.put(ctx, b, repository); err != nil {
			return err
		}
		if b.holder == "" {
			b.holder = repository
		}
	}
	for _, im := range b.images {
		if im.pending.Add(-1) > 0 {
			continue
		}
		if err := t.finish(ctx, im); err != nil {
			return err
		}
	}
	return nil
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
		// The user may write here and not read there, and some registries refuse to mount by an error.
		if !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMissing) && !errors.Is(err, ErrDisabled) {
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

// opener opens a blob to be sent.
type opener func() (io.ReadCloser, error)

// send puts a blob into a repository, again from its start as long as only passing failures
// are in the way. Where push does not open the blob, the target had it.
func (t *transfer) send(ctx context.Context, b *blob, repository string, push func(context.Context, opener) error) error {
	sent := false
	// A blob that was to be mounted is not part of the total yet.
	announced := b.holder == ""
	err := t.to.try(ctx, func(ctx context.Context) error {
		body := &body{progress: t.progress}
		defer body.end()
		err := push(ctx, func() (io.ReadCloser, error) {
			if !announced {
				announced = true
				t.progress.add(0, b.Size)
			}
			sent = true
			return body, body.open(ctx, b)
		})
		if cause := body.failure(); cause != nil {
			return &sourceError{fmt.Errorf("read blob %s of image %s: %w", b.Digest, b.of.From, cause)}
		}
		if err == nil {
			body.keep()
		}
		return err
	})
	var source *sourceError
	switch {
	case errors.As(err, &source):
		return source.cause
	case err != nil:
		return t.to.explain("send blob "+b.Digest.String()+" to", repository, err)
	case sent:
		t.count(func(s *Stats) { s.Blobs++; s.Bytes += b.Size })
	default:
		t.count(func(s *Stats) { s.Mounted++ })
	}
	return nil
}

// sourceError keeps failures of the source apart from those of the target.
type sourceError struct{ cause error }

// Error implements error.
func (e *sourceError) Error() string { return e.cause.Error() }

// Unwrap returns the source's error.
func (e *sourceError) Unwrap() error { return e.cause }

// finish writes the manifests of an image, whose blobs are all there, and its tag.
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
			return t.to.explain("write manifest "+m.Digest.String()+" of", what, err)
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
