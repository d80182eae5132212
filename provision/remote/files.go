package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

const (
	// parentMode is the mode of directories that are made for a file.
	parentMode fs.FileMode = 0o755
	// tempInfix marks the temporary files beside their targets: ".NAME.fairlead-RANDOM". The dot keeps them out of
	// folders that are read by pattern, such as the kubelet's manifests.
	tempInfix = ".fairlead-"
	// tempStale is the age, by the host's clock, at which a temporary file is taken for the remains of a run that died.
	tempStale = time.Hour
	// maxFile is how large a file may be that is read.
	maxFile = defaultOutput
	// permissions are the mode bits that a File has.
	permissions = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
)

// errNotRegular is a path that is there but holds no plain file.
var errNotRegular = errors.New("not a regular file")

// File is a file as it should be on the host.
type File struct {
	// Path is absolute.
	Path string
	// Mode holds permission bits, UID and GID the owner.
	Mode     fs.FileMode
	UID, GID int
	// Content is all of it.
	Content []byte
}

// fileAccess is a way to read and write files as root.
type fileAccess interface {
	// read returns what ReadFile does.
	read(ctx context.Context, path string) ([]byte, error)
	// equal tells whether the host has the file already. A directory in its place is an error.
	equal(ctx context.Context, f File) (bool, error)
	// place makes a file of size bytes as f says, but of content, which fails unless it has that many.
	place(ctx context.Context, f File, size int64, content io.Reader) error
}

// ReadFile returns the content of a file, read as root. The error is fs.ErrNotExist only when the host said that no
// file of that name is there: not when the path could not be looked at, and not for a symbolic link that leads nowhere. A file of more than 8 MiB is
// ErrFlood, and a host from which nothing is heard for 15 s is ErrSilent.
func (h *Host) ReadFile(ctx context.Context, path string) ([]byte, error) {
	var content []byte
	start := time.Now()
	err := h.withFiles(ctx, readSilence, func(files fileAccess) (err error) {
		content, err = files.read(ctx, path)
		return err
	})
	h.log.DebugContext(ctx, "read file", "path", path, "bytes", len(content), "duration", time.Since(start), "error", err)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
}

// WriteFile makes a file as root as f says, and reports whether it had to. A file with equal content, mode and owner is
// left alone and nothing is sent. Otherwise the new file is written beside the old one, has its mode and owner before
// its first byte, and is renamed over it; a symbolic link at the path is replaced, not followed. Missing parents are made
// with 0755. A full file system is syscall.ENOSPC.
func (h *Host) WriteFile(ctx context.Context, f File) (changed bool, err error) {
	start := time.Now()
	err = h.withFiles(ctx, 0, func(files fileAccess) error {
		same, err := files.equal(ctx, f)
		if err != nil || same {
			return err
		}
		changed = true
		return files.place(ctx, f, int64(len(f.Content)), contextReader{bytes.NewReader(f.Content), ctx.Err})
	})
	h.log.DebugContext(ctx, "write file", "path", f.Path, "mode", f.Mode.String(), "bytes", len(f.Content), "changed", changed,
		"duration", time.Since(start), "error", err)
	if err != nil {
		return false, fmt.Errorf("write %s: %w", f.Path, err)
	}
	return changed, nil
}

// Upload streams size bytes of r to a file owned by root, as atomically as WriteFile, and always sends them. progress,
// which may be nil, gets the bytes handed to the connection so far. A reader that ends early or late is an error.
func (h *Host) Upload(ctx context.Context, name string, mode fs.FileMode, r io.Reader, size int64, progress func(int64)) error {
	start := time.Now()
	err := h.withFiles(ctx, 0, func(files fileAccess) error {
		content := &progressReader{r: &sizedReader{r: contextReader{r, ctx.Err}, size: size}, progress: progress}
		return files.place(ctx, File{Path: name, Mode: mode}, size, content)
	})
	h.log.DebugContext(ctx, "upload file", "path", name, "mode", mode.String(), "bytes", size,
		"duration", time.Since(start), "error", err)
	if err != nil {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	return nil
}
