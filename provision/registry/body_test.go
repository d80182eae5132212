package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// counted is content that notes its end.
type counted struct {
	io.Reader
	closed int
}

func (c *counted) Close() error {
	c.closed++
	return nil
}

func TestBody(t *testing.T) {
	var sent int64
	p := &progress{report: func(s, _ int64) { sent = s }}
	source := &counted{Reader: bytes.NewReader([]byte("content"))}
	from := &blob{of: &image{fetcher: content.FetcherFunc(func(_ context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
		if desc.Digest != digest.FromString("content") {
			return nil, errDisk
		}
		return source, nil
	})}, Descriptor: ocispec.Descriptor{Digest: digest.FromString("content"), Size: 7}}
	b := &body{progress: p}
	if err := b.open(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 4)
	if n, err := b.Read(part); n != 4 || err != nil || sent != 4 {
		t.Errorf("read %d, %v, sent %d", n, err, sent)
	}
	if err := b.Close(); err != nil || source.closed > 0 {
		t.Errorf("closed too early: %v", err)
	}
	if b.end(); sent != 0 || source.closed != 1 {
		t.Errorf("sent %d, closed %d times", sent, source.closed)
	}
	if n, err := b.Read(part); n != 0 || !errors.Is(err, errEnded) || sent != 0 {
		t.Errorf("after the end: read %d, %v, sent %d", n, err, sent)
	}
	if b.failure() != nil {
		t.Errorf("it failed: %v", b.failure())
	}

	source = &counted{Reader: bytes.NewReader([]byte("content"))}
	b = &body{progress: p}
	if err := b.open(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(b); string(data) != "content" || err != nil || b.failure() != nil {
		t.Errorf("read %q, %v, failure %v", data, err, b.failure())
	}
	b.keep()
	if b.end(); sent != 7 || source.closed != 1 {
		t.Errorf("kept: sent %d, closed %d times", sent, source.closed)
	}

	b = &body{progress: p}
	if err := b.open(t.Context(), &blob{of: from.of}); !errors.Is(err, errDisk) || !errors.Is(b.failure(), errDisk) {
		t.Errorf("without content: %v, failure %v", err, b.failure())
	}
	if b.end(); sent != 7 {
		t.Errorf("sent %d", sent)
	}
}
