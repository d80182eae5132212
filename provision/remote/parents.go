package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"syscall"

	"github.com/pkg/sftp"
)

// sftpFailure is SSH_FX_FAILURE, as which OpenSSH's server reports every errno it has no code for, such as ENOSPC.
const sftpFailure = 4

// readOnlyFS is the bit of statvfs@openssh.com for a file system mounted read-only (OpenSSH's PROTOCOL, 4.5).
const readOnlyFS = 1

// explainFailure finds the reason of a write that failed for no reason given: a full or a read-only file system.
// The error then wraps syscall.ENOSPC or syscall.EROFS.
func explainFailure(c *sftp.Client, dir string, size int64, err error) error {
	var status *sftp.StatusError
	if !errors.As(err, &status) || status.Code != sftpFailure {
		return err
	}
	fsys, statErr := c.StatVFS(dir)
	switch {
	case statErr != nil:
		return err // the failure itself is all that is known
	case fsys.Flag&readOnlyFS != 0:
		return fmt.Errorf("%w: the file system of %s is read-only: %w", err, dir, syscall.EROFS)
	case fsys.Favail == 0 && fsys.Files > 0:
		return fmt.Errorf("%w: the file system of %s has no inodes left: %w", err, dir, syscall.ENOSPC)
	case fsys.Bavail*fsys.Frsize < uint64(max(size, 1)):
		return fmt.Errorf("%w: the file system of %s has %d bytes left, %d are needed: %w",
			err, dir, fsys.Bavail*fsys.Frsize, size, syscall.ENOSPC)
	}
	return err
}

// makeParents makes dir and what is missing above it.
func makeParents(c *sftp.Client, dir string) error {
	info, err := c.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("parent %s: %w: it is no directory", dir, errNotRegular)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) || dir == path.Dir(dir) {
		return fmt.Errorf("look at parent %s: %w", dir, err)
	}
	if err := makeParents(c, path.Dir(dir)); err != nil {
		return err
	}
	if err := c.Mkdir(dir); err != nil {
		// Another writer may have made it in the meantime.
		if info, statErr := c.Stat(dir); statErr == nil && info.IsDir() {
			return nil
		}
		return fmt.Errorf("make parent %s: %w", dir, err)
	}
	if err := c.Chmod(dir, parentMode); err != nil {
		return fmt.Errorf("set mode of parent %s: %w", dir, err)
	}
	return nil
}
