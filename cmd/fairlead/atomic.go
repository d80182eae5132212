package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxLinks bounds how many symbolic links are followed, as Linux does.
const maxLinks = 40

// forOwner is the mode of files that hold secrets.
const forOwner fs.FileMode = 0o600

// replaceFile writes a file in one move: whoever reads it finds the former content or the
// new one. Symbolic links are followed, so that what they name is replaced and not they.
func replaceFile(path string, content []byte, mode fs.FileMode) error {
	return replaceBy(path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// replaceBy is replaceFile for content that comes bit by bit. When write fails, the former file is what it was.
func replaceBy(path string, mode fs.FileMode, write func(io.Writer) error) error {
	path, err := followLinks(path)
	if err != nil {
		return err
	}
	// CreateTemp makes it readable for nobody else from the first byte on.
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	err = errors.Join(write(temp), temp.Chmod(mode), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name in a folder last.
func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // that of the file above
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// followLinks resolves a symbolic link, also one to a file that does not exist yet.
func followLinks(path string) (string, error) {
	for range maxLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}
