package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
)

var errEnded = errors.New("the request for it is over")

// body is the content of a blob on its way. Its last bytes are passed on only when all of it
// is what the digest says, so that a target never sees a corrupt blob, and is not blamed for
// it. An HTTP client may go on reading after its request has failed; what it reads after end
// counts no more.
type body struct {
	progress *progress

	mu       sync.Mutex
	source   io.ReadCloser
	size     int64
	verifier digest.Verifier
	count    int64 // bytes reported to progress
	begun    bool  // somebody has read
	kept     bool  // the bytes arrived
	ended    bool
	cause    error // why the source failed
}

// open fetches the content from the blob's source.
func (b *body) open(ctx context.Context, from *blob) error {
	source, err := from.of.fetcher.Fetch(ctx, from.Descriptor)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.source, b.cause = source, err
	if err == nil {
		b.size, b.verifier = from.Size, from.Digest.Verifier()
	}
	return err
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.begun = true; {
	case b.ended:
		return 0, errEnded
	case b.cause != nil:
		return 0, b.cause
	}
	n, err := 0, error(nil)
	if left := b.size - b.count; left > 0 { // what a source adds to a blob is no part of it
		n, err = b.source.Read(p[:min(int64(len(p)), left)])
	}
	b.count += int64(n)
	b.progress.add(int64(n), 0)
	if b.cause = b.check(p[:n], err); b.cause != nil {
		return 0, b.cause
	}
	if b.count == b.size {
		err = io.EOF
	}
	return n, err
}

// check says what is wrong with what was just read.
func (b *body) check(read []byte, err error) error {
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if _, failed := b.verifier.Write(read); failed != nil {
		return failed
	}
	switch {
	case b.count == b.size && !b.verifier.Verified():
		return fmt.Errorf("%w: its %d bytes have another digest", ErrCorrupt, b.size)
	case err != nil && b.count < b.size:
		return fmt.Errorf("it ends after %d of %d bytes: %w", b.count, b.size, io.ErrUnexpectedEOF)
	}
	return nil
}

// Close implements io.Closer. The source is closed by end, when nobody reads it any more.
func (b *body) Close() error { return nil }

// failure is why the source failed, if it did.
func (b *body) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}

// wasRead says that a request came as far as the content.
func (b *body) wasRead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
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
