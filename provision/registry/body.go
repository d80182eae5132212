package registry

import (
	"context"
	"errors"
	"io"
	"sync"
)

var errEnded = errors.New("the request for it is over")

// body is the content of a blob on its way. An HTTP client may go on reading after its
// request has failed; what it reads after end counts no more.
type body struct {
	progress *progress

	mu     sync.Mutex
	source io.ReadCloser
	count  int64 // bytes reported to progress
	kept   bool  // the bytes arrived
	ended  bool
	cause  error // why the source failed
}

// open fetches the content from the blob's source.
func (b *body) open(ctx context.Context, from *blob) error {
	source, err := from.of.fetcher.Fetch(ctx, from.Descriptor)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.source, b.cause = source, err
	return err
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, errEnded
	}
	n, err := b.source.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.cause = err
	}
	b.count += int64(n)
	b.progress.add(int64(n), 0)
	return n, err
}

// Close implements io.Closer. The source is closed by end, when nobody reads it any more.
func (b *body) Close() error { return nil }

// failure is why the source failed, if it did.
func (b *body) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}

// keep says that the bytes arrived.
func (b *body) keep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = true
}

// end closes the source and takes back the bytes that did not arrive.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.source != nil {
		b.source.Close()
	}
	if !b.kept {
		b.progress.add(-b.count, 0)
	}
}
