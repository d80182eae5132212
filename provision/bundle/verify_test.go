package bundle

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
)

// Whatever the parts a blob comes and is asked for in, its last bytes wait for the verdict.
func TestVerifyingReader(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 30)
	sources := map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "with its end": iotest.DataErrReader, "by halves": iotest.HalfReader, "by bytes": iotest.OneByteReader,
	}
	for title, source := range sources {
		for _, size := range []int{0, 1, heldBack - 1, heldBack, heldBack + 1, len(data)} {
			good := data[:size]
			read := func(sent []byte, part int) (got []byte, err error) {
				r := newVerifyingReader(io.NopCloser(source(bytes.NewReader(sent))), digest.FromBytes(good), int64(size))
				buffer := make([]byte, part)
				for {
					n, err := r.Read(buffer)
					if got = append(got, buffer[:n]...); err != nil {
						return got, err
					}
				}
			}
			for _, part := range []int{7, heldBack, 400} {
				if got, err := read(good, part); !errors.Is(err, io.EOF) || !bytes.Equal(got, good) {
					t.Errorf("%s, %d bytes by %d: got %d, %v", title, size, part, len(got), err)
				}
				if size == 0 {
					continue
				}
				wrong := bytes.Clone(good)
				wrong[size-1] ^= 1
				got, err := read(wrong, part)
				if !errors.Is(err, ErrCorrupt) || !strings.HasSuffix(err.Error(), "does not have that digest") || len(got) > max(0, size-heldBack) {
					t.Errorf("%s, %d bytes by %d, one is wrong: got %d, %v", title, size, part, len(got), err)
				}
				if _, err := read(good[:size-1], part); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "bytes, want ") {
					t.Errorf("%s, %d bytes by %d, one lacks: %v", title, size, part, err)
				}
			}
		}
	}
	disk := errors.New("disk on fire")
	r := newVerifyingReader(io.NopCloser(iotest.ErrReader(disk)), digest.FromBytes(data), int64(len(data)))
	if _, err := r.Read(make([]byte, 10)); !errors.Is(err, disk) || errors.Is(err, ErrCorrupt) || !strings.HasPrefix(err.Error(), "read blob "+digest.FromBytes(data).String()+": ") {
		t.Errorf("error is %v", err)
	}
}
