package bundle

import (
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
)

// heldBack is how many bytes of a blob wait for the verdict on the whole. It is larger
// than the trailers of gzip (8 bytes) and zstd (4 bytes).
const heldBack = 64

// verifyingReader passes on a blob and holds its last bytes back until the digest of
// all of it was checked.
type verifyingReader struct {
	io.Closer
	source   io.Reader
	verifier digest.Verifier
	digest   digest.Digest
	want     int64 // bytes that the blob must have
	got      int64 // bytes read from source
	held     []byte
	end      error // what Read returns once held is empty
}

func newVerifyingReader(r io.ReadCloser, d digest.Digest, size int64) *verifyingReader {
	return &verifyingReader{Closer: r, source: r, verifier: d.Verifier(), digest: d, want: size}
}

// Read implements io.Reader.
func (v *verifyingReader) Read(p []byte) (int, error) {
	for v.end == nil && len(v.held) <= heldBack {
		if err := v.fill(max(len(p), 32<<10)); err != nil {
			return 0, err
		}
	}
	ready := len(v.held)
	if v.end == nil {
		ready -= heldBack
	}
	if ready == 0 {
		return 0, v.end
	}
	n := copy(p, v.held[:ready])
	v.held = v.held[n:]
	return n, nil
}

func (v *verifyingReader) fill(size int) error {
	buffer := make([]byte, len(v.held), len(v.held)+size)
	copy(buffer, v.held)
	n, err := v.source.Read(buffer[len(buffer):cap(buffer)])
	chunk := buffer[len(buffer) : len(buffer)+n]
	v.got += int64(n)
	if _, werr := v.verifier.Write(chunk); werr != nil {
		return fmt.Errorf("hash blob %s: %w", v.digest, werr)
	}
	v.held = buffer[:len(buffer)+n]
	if err == nil {
		return nil
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read blob %s: %w", v.digest, err)
	}
	if v.got != v.want {
		return fmt.Errorf("%w: blob %s has %d bytes, want %d", ErrCorrupt, v.digest, v.got, v.want)
	}
	if !v.verifier.Verified() {
		return fmt.Errorf("%w: blob %s does not have that digest", ErrCorrupt, v.digest)
	}
	v.end = io.EOF
	return nil
}
