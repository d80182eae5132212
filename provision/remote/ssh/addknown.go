package ssh

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

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
	f, err := openKnown(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines, err := scanKnownHosts(f, path, slog.New(slog.DiscardHandler)) // whoever reads them for a login logs what is wrong
	if err != nil {
		return err
	}
	size, text, err := endOfLine(f)
	if err != nil {
		return err
	}
	hash := hasHashedNames(lines)
	for _, key := range keys {
		name := key.name
		if hash {
			name = knownhosts.HashHostname(name)
		}
		text += name + " " + key.Key + "\n"
	}
	if n, err := f.WriteString(text); err != nil {
		return errors.Join(err, takeBack(f, size, n))
	}
	return f.Sync()
}

// openKnown opens a file to read and to append, and makes it where there is none.
func openKnown(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// A pipe would be waited for, and a device does not keep what is written.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file: name another one as ssh.knownHosts", path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600) //nolint:gosec // the user names the file
}

// endOfLine is the size of a file, and the line break that its last line lacks, if it does.
func endOfLine(f *os.File) (size int64, missing string, err error) {
	size, err = f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return size, "", err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil {
		return size, "", err
	}
	if last[0] != '\n' {
		missing = "\n"
	}
	return size, missing, nil
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
