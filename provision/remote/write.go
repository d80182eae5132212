package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"
)

const (
	// parentMode is the mode of directories that are made for a file.
	parentMode fs.FileMode = 0o755
	// tempInfix marks the temporary files beside their targets: ".NAME.fairlead-RANDOM". The dot keeps them out of
	// folders that are read by pattern, such as the kubelet's manifests.
	tempInfix = ".fairlead-"
	// tempStale is the age, by the host's clock, at which a temporary file is taken for the remains of a run that died.
	tempStale = time.Hour
	// permissions are the mode bits that a File has.
	permissions = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
)

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

// WriteFile makes a file as root as f says, and reports whether it had to. A file with equal content, mode and owner is
// left alone and nothing is sent. Otherwise the new file is written beside the old one, has its mode and owner before
// its first byte, and is renamed over it; a symbolic link at the path is replaced, not followed. Missing parents are made
// with 0755. A full file system is syscall.ENOSPC.
func (h *Host) WriteFile(ctx context.Context, f File) (changed bool, err error) {
	start := time.Now()
	err = h.withFiles(ctx, func(c *sftp.Client) error {
		same, err := equal(c, f)
		if err != nil || same {
			return err
		}
		changed = true
		return place(c, f, int64(len(f.Content)), func(t *sftp.File) error {
			_, err := t.ReadFrom(contextReader{bytes.NewReader(f.Content), ctx.Err})
			return err
		})
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
	err := h.withFiles(ctx, func(c *sftp.Client) error {
		return place(c, File{Path: name, Mode: mode}, size, func(t *sftp.File) error {
			// One byte more than size tells a reader that goes on.
			in := &progressReader{r: io.LimitReader(contextReader{r, ctx.Err}, size+1), progress: progress}
			n, err := t.ReadFromWithConcurrency(in, sftpRequests)
			switch {
			case in.err != nil:
				return in.err
			case err != nil:
				return err
			case n > size:
				return fmt.Errorf("source is longer than %d bytes", size)
			case n < size:
				return fmt.Errorf("source ended after %d of %d bytes", n, size)
			}
			return nil
		})
	})
	h.log.DebugContext(ctx, "upload file", "path", name, "mode", mode.String(), "bytes", size,
		"duration", time.Since(start), "error", err)
	if err != nil {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	return nil
}

// equal tells whether the host has the file already.
func equal(c *sftp.Client, f File) (bool, error) {
	info, err := c.Lstat(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.IsDir() {
		return false, fmt.Errorf("%w: a directory is in the way", errNotRegular)
	}
	owner, ok := info.Sys().(*sftp.FileStat)
	if !ok || !info.Mode().IsRegular() || info.Size() != int64(len(f.Content)) || info.Mode()&permissions != f.Mode&permissions ||
		int(owner.UID) != f.UID || int(owner.GID) != f.GID {
		return false, nil
	}
	old, err := c.Open(f.Path)
	if err != nil {
		return false, err
	}
	var content bytes.Buffer
	_, err = old.WriteTo(&content)
	if err = errors.Join(err, old.Close()); err != nil {
		return false, err
	}
	return bytes.Equal(content.Bytes(), f.Content), nil
}

// place writes a file beside its target and renames it over.
func place(c *sftp.Client, f File, size int64, fill func(*sftp.File) error) (err error) {
	defer func() { err = explainFailure(c, path.Dir(f.Path), size, err) }()
	if err := makeParents(c, path.Dir(f.Path)); err != nil {
		return err
	}
	prefix := path.Join(path.Dir(f.Path), "."+path.Base(f.Path)+tempInfix)
	temp := prefix + rand.Text()
	t, err := c.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return fmt.Errorf("create temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, discard(c, t, temp))
		}
	}()
	if err := t.Chown(f.UID, f.GID); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	// After the owner, whose change drops set-id bits.
	if err := t.Chmod(f.Mode & permissions); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	if err := fill(t); err != nil {
		return err
	}
	if _, ok := c.HasExtension("fsync@openssh.com"); ok {
		if err := t.Sync(); err != nil {
			return fmt.Errorf("sync: %w", err)
		}
	}
	made, err := t.Stat()
	if err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := c.PosixRename(temp, f.Path); err != nil {
		return fmt.Errorf("rename into place: %w", err)
	}
	return removeStale(c, prefix, made.ModTime())
}

// discard removes the temporary file of a failed write. A connection that has ended removes nothing; what remains is
// found by removeStale of a later write.
func discard(c *sftp.Client, t *sftp.File, temp string) error {
	_ = t.Close() // what matters is that it goes away
	if err := c.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) && fromPeer(err) {
		return fmt.Errorf("remove temporary file: %w", err)
	}
	return nil
}

// removeStale removes temporary files that former runs left for the same target.
func removeStale(c *sftp.Client, prefix string, now time.Time) error {
	entries, err := c.ReadDir(path.Dir(prefix))
	if err != nil {
		return fmt.Errorf("look for stale temporary files: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), path.Base(prefix)) || now.Sub(e.ModTime()) < tempStale {
			continue
		}
		if err := c.Remove(path.Join(path.Dir(prefix), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove stale temporary file: %w", err)
		}
	}
	return nil
}
