package remote

import (
	"bytes"
	"cmp"
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

// sftpFiles is access to files by a file session.
type sftpFiles struct{ client *sftp.Client }

// read implements fileAccess.
func (s sftpFiles) read(_ context.Context, path string) ([]byte, error) {
	f, err := s.client.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, provenAbsent(s.client, path, err)
	}
	if err != nil {
		return nil, err
	}
	return readAll(f, maxFile)
}

// readAll reads a file of at most so many bytes, and closes it.
func readAll(f *sftp.File, most int64) ([]byte, error) {
	content := capped{most: most}
	_, err := f.WriteTo(&content)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return content.buffer.Bytes(), nil
}

// capped is a buffer for so many bytes.
type capped struct {
	buffer bytes.Buffer
	most   int64
}

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	if int64(c.buffer.Len()+len(p)) > c.most {
		return 0, fmt.Errorf("%w: the file has more than %d bytes", ErrFlood, c.most)
	}
	return c.buffer.Write(p)
}

// provenAbsent checks that a path that cannot be opened for want of a file is absent itself: the server gives the same
// answer for a dangling link or a loop of links.
func provenAbsent(c *sftp.Client, path string, absent error) error {
	info, err := c.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: it is a %s whose target is not there", errNotRegular, kind(info.Mode()))
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode.IsDir():
		return "directory"
	}
	return "file of type " + mode.Type().String()
}

// equal implements fileAccess.
func (s sftpFiles) equal(_ context.Context, f File) (bool, error) {
	info, err := s.client.Lstat(f.Path)
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
	old, err := s.client.Open(f.Path)
	if err != nil {
		return false, err
	}
	content, err := readAll(old, max(maxFile, info.Size()))
	return err == nil && bytes.Equal(content, f.Content), err
}

// place implements fileAccess: it writes a file beside its target and renames it over.
func (s sftpFiles) place(_ context.Context, f File, size int64, content io.Reader) (err error) {
	c := s.client
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
	if err := fill(t, content); err != nil {
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

// fill sends the content. What its reader says counts, and not what the client makes of that.
func fill(t *sftp.File, content io.Reader) error {
	in := &progressReader{r: content}
	_, err := t.ReadFromWithConcurrency(in, sftpRequests)
	return cmp.Or(in.err, err)
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
