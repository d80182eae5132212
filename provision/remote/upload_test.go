package remote_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"fairlead/provision/remote"
)

func TestUpload(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		h := open(t, setting{})
		dir := t.TempDir()
		content := make([]byte, 5<<20+123)
		if _, err := rand.Read(content); err != nil {
			t.Fatal(err)
		}
		f := own(filepath.Join(dir, "blob"), 0o755, string(content))
		var last int64
		size := int64(len(content))
		if err := h.Upload(t.Context(), f.Path, f.Mode, bytes.NewReader(content), size, func(n int64) { last = n }); err != nil || last != size {
			t.Fatalf("%v, progress %d of %d", err, last, size)
		}
		checkFile(t, f)
		why := errors.New("disk error")
		ctx, cancel := context.WithCancel(t.Context())
		for name, try := range map[string]struct {
			r    io.Reader
			size int64
			want string
		}{
			"short":     {bytes.NewReader(content[:100]), 200, "source ended after 100 of 200 bytes"},
			"long":      {bytes.NewReader(content), 200, "source is longer than 200 bytes"},
			"broken":    {io.MultiReader(bytes.NewReader(content[:100]), iotest.ErrReader(why)), 200, "disk error"},
			"truncated": {io.MultiReader(bytes.NewReader(content[:100]), iotest.ErrReader(io.ErrUnexpectedEOF)), 200, "unexpected EOF"},
			"cancelled": {io.MultiReader(bytes.NewReader(content), readFunc(func([]byte) (int, error) { cancel(); return 1, nil })), 1 << 40, "context canceled"},
		} {
			c := t.Context()
			if name == "cancelled" {
				c = ctx
			}
			err := h.Upload(c, f.Path, 0o600, try.r, try.size, nil)
			if err == nil || !strings.Contains(err.Error(), try.want) {
				t.Errorf("%s: got %v, want %q", name, err, try.want)
			}
			checkFile(t, f)
			noTemporaries(t, dir)
		}
	})
}

const benchSize = 200 << 20

// zeros is an endless source.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func BenchmarkUpload(b *testing.B) {
	h := overSSH(b, setting{})
	path := filepath.Join(b.TempDir(), "blob")
	b.SetBytes(benchSize)
	for b.Loop() {
		if err := h.Upload(b.Context(), path, 0o600, io.LimitReader(zeros{}, benchSize), benchSize, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRunStdin(b *testing.B) {
	h := overSSH(b, setting{})
	path := filepath.Join(b.TempDir(), "blob")
	b.SetBytes(benchSize)
	for b.Loop() {
		if _, err := h.Run(b.Context(), remote.Command{Argv: []string{"dd", "bs=1M", "status=none", "of=" + path}, Stdin: io.LimitReader(zeros{}, benchSize)}); err != nil {
			b.Fatal(err)
		}
	}
}
