package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
)

// entry is a file or folder of a tar file. It carries no time and no owner, so that
// equal contents make equal bytes.
type entry struct {
	name    string // relative
	mode    int64
	folder  bool
	source  string // a file on this machine, or else
	content []byte
}

func (e entry) write(archive *tar.Writer) error {
	header := &tar.Header{Name: e.name, Mode: e.mode, Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if e.folder {
		header.Typeflag = tar.TypeDir
		return archive.WriteHeader(header)
	}
	if e.source == "" {
		return writeFile(archive, header, bytes.NewReader(e.content), int64(len(e.content)))
	}
	f, err := os.Open(e.source)
	if err != nil {
		return fmt.Errorf("pack %s: %w", e.name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("pack %s: %w", e.name, err)
	}
	return writeFile(archive, header, f, info.Size())
}

func writeFile(archive *tar.Writer, header *tar.Header, content io.Reader, size int64) error {
	header.Size = size
	if err := archive.WriteHeader(header); err != nil {
		return fmt.Errorf("pack %s: %w", header.Name, err)
	}
	if _, err := io.Copy(archive, content); err != nil {
		return fmt.Errorf("pack %s: %w", header.Name, err)
	}
	return nil
}

// copyRoot repacks the tar file of a root file system without times, and without the
// paths of drop.
func copyRoot(archive *tar.Writer, root string, drop []string) error {
	f, err := os.Open(root)
	if err != nil {
		return fmt.Errorf("open root: %w", err)
	}
	defer f.Close()
	for reader := tar.NewReader(f); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read root: %w", err)
		}
		name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
		drops, err := dropped(name, drop)
		if err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
		if name == "" || drops {
			continue
		}
		if err := archive.WriteHeader(plain(header, name)); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := io.Copy(archive, reader); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
}

// plain is the header without times and without what only some kernels know.
func plain(h *tar.Header, name string) *tar.Header {
	if h.Typeflag == tar.TypeDir {
		name += "/"
	}
	return &tar.Header{
		Typeflag: h.Typeflag, Name: name, Size: h.Size, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid,
		Linkname: strings.TrimPrefix(h.Linkname, linkPrefix(h)), ModTime: time.Unix(0, 0),
		Devmajor: h.Devmajor, Devminor: h.Devminor,
	}
}

// linkPrefix is what stands before the target of a hard link, which names an entry.
func linkPrefix(h *tar.Header) string {
	if h.Typeflag == tar.TypeLink {
		return "./"
	}
	return ""
}

// dropped says whether a pattern of drop, as path.Match knows it, matches the path; with
// a slash at its end it matches what lies below the folders that it matches.
func dropped(name string, drop []string) (bool, error) {
	for _, d := range drop {
		pattern := strings.TrimSuffix(d, "/")
		depth := strings.Count(pattern, "/") + 1
		elements := strings.Split(name, "/")
		if len(elements) < depth || (len(elements) > depth) != (pattern != d) {
			continue
		}
		matches, err := path.Match(pattern, strings.Join(elements[:depth], "/"))
		if matches || err != nil {
			return matches, err
		}
	}
	return false, nil
}
