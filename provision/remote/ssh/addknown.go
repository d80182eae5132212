package ssh

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh/knownhosts"
)

// AddKnown adds keys of hosts at the end of a known_hosts file, and leaves what is there as it is. It appends by one write, as
// ssh itself does, so that nothing is lost of what others add at the same time; where not all of it could be written,
// nothing is. A file that does not exist is made for the user alone (0600), and so is its folder (0700). Names are hashed where
// the file has hashed names, as then somebody wanted them so (HashKnownHosts of ssh_config(5)).
func AddKnown(path string, keys []ShownKey) error {
	if err := addKnown(path, keys); err != nil {
		return fmt.Errorf("write known hosts: %w", err)
	}
	return nil
}

func addKnown(path string, keys []ShownKey) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// A pipe would be waited for, and a device does not keep what is written.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: name another one as ssh.knownHosts", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines, err := scanKnownHosts(f, path, slog.New(slog.DiscardHandler)) // whoever reads them for a login logs what is wrong
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var text strings.Builder
	if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text.WriteByte('\n')
		}
	}
	hash := hasHashedNames(lines)
	for _, key := range keys {
		name := key.name
		if hash {
			name = knownhosts.HashHostname(name)
		}
		text.WriteString(name + " " + key.Key + "\n")
	}
	if n, err := f.WriteString(text.String()); err != nil {
		return errors.Join(err, takeBack(f, size, n))
	}
	return f.Sync()
}

// takeBack takes away what was written of lines that are not whole, unless others have written since.
func takeBack(f *os.File, size int64, written int) error {
	info, err := f.Stat()
	if err != nil || written == 0 || info.Size() != size+int64(written) {
		return err
	}
	return f.Truncate(size)
}

func hasHashedNames(lines []knownLine) bool {
	for _, l := range lines {
		if _, hashed := l.names.(hashedName); hashed {
			return true
		}
	}
	return false
}
