package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// opener opens a blob to be sent.
type opener func() (io.ReadCloser, error)

// send puts a blob into a repository, again from its start as long as only passing failures
// are in the way. Where push does not open the blob, the target had it.
func (t *transfer) send(ctx context.Context, b *blob, repository string, push func(context.Context, opener) error) error {
	u := &upload{transfer: t, blob: b, push: push, announced: b.holder == ""}
	err := t.to.try(ctx, u.attempt)
	var source *sourceError
	switch {
	case errors.As(err, &source):
		return source
	case err != nil:
		return t.to.explain("send blob "+b.Digest.String()+" to", repository, err)
	case u.sent:
		t.count(func(s *Stats) { s.Blobs++; s.Bytes += b.Size })
	default:
		t.count(func(s *Stats) { s.Mounted++ })
	}
	return nil
}

// upload is a blob on its way into one repository.
type upload struct {
	*transfer
	blob      *blob
	push      func(context.Context, opener) error
	announced bool // it is part of the total; one that was to be mounted is not, yet
	sent      bool
	renewed   bool // the token was renewed
}

// attempt sends the blob once. A token that ends while the content is on its way is renewed, once:
// what a registry denies then, it denies.
func (u *upload) attempt(ctx context.Context) error {
	denied, err := u.once(ctx)
	if !denied || u.renewed {
		return err
	}
	u.renewed = true
	u.to.tokens.forget()
	_, err = u.once(ctx)
	return err
}

// once makes the requests. denied says that the one with the content was refused to this user, to
// whom the one before it was not.
func (u *upload) once(ctx context.Context) (denied bool, err error) {
	body := &body{progress: u.progress}
	defer body.end()
	err = u.push(ctx, func() (io.ReadCloser, error) {
		if !u.announced {
			u.announced = true
			u.progress.add(0, u.blob.Size)
		}
		u.sent = true
		return body, body.open(ctx, u.blob)
	})
	if cause := body.failure(); cause != nil {
		return false, &sourceError{fmt.Errorf("read blob %s: %w", u.blob.Digest, cause)}
	}
	if err == nil {
		body.keep()
	}
	return body.wasRead() && status(http.StatusUnauthorized)(err), err
}

// sourceError keeps failures of the source apart from those of the target.
type sourceError struct{ cause error }

// Error implements error.
func (e *sourceError) Error() string { return e.cause.Error() }

// Unwrap returns the source's error.
func (e *sourceError) Unwrap() error { return e.cause }
