package packages

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// listed is a file as an index lists it.
type listed struct {
	Name   string // relative, slashes between its elements
	Size   int64
	SHA256 string
}

// index writes the index of a repository and its Release file, unsigned.
func (b *builder) index(ctx context.Context, r repository) error {
	folder := filepath.Join(b.dir, r.Folder)
	debs, err := filepath.Glob(filepath.Join(folder, r.Pool, "*.deb"))
	if err != nil {
		return err
	}
	var packages strings.Builder
	for _, deb := range debs {
		control, err := run(ctx, b.work, b.log, "dpkg-deb", "--field", deb)
		if err != nil {
			return err
		}
		entry, err := list(deb, path.Join(r.Pool, filepath.Base(deb)))
		if err != nil {
			return err
		}
		packages.WriteString(stanza(control, entry) + "\n")
	}
	compressed, err := zipped(packages.String())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(folder, r.Index), 0o755); err != nil {
		return err
	}
	var indexes []listed
	for _, form := range []struct {
		name    string
		content []byte
	}{{"Packages", []byte(packages.String())}, {"Packages.gz", compressed}} {
		file := filepath.Join(folder, r.Index, form.name)
		if err := os.WriteFile(file, form.content, 0o644); err != nil {
			return err
		}
		entry, err := list(file, strings.TrimPrefix(path.Join(r.Index, form.name), r.Release+"/"))
		if err != nil {
			return err
		}
		indexes = append(indexes, entry)
	}
	text := release(r.Suite, b.recipe.Arch, indexes, time.Now())
	return os.WriteFile(filepath.Join(folder, r.Release, "Release"), []byte(text), 0o644)
}

// stanza is a package in an index: its own control fields, and where and what it is.
func stanza(control string, l listed) string {
	return fmt.Sprintf("%s\nFilename: %s\nSize: %d\nSHA256: %s\n", strings.TrimRight(control, "\n"), l.Name, l.Size, l.SHA256)
}

// release is the text of a Release file, which vouches for the indexes.
func release(s suite, arch string, indexes []listed, now time.Time) string {
	var text strings.Builder
	for _, field := range [][2]string{
		{"Origin", s.Origin}, {"Label", s.Label}, {"Suite", s.Name}, {"Codename", s.Name},
		{"Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC")},
		{"Architectures", arch}, {"Components", s.Component},
	} {
		if field[1] != "" {
			text.WriteString(field[0] + ": " + field[1] + "\n")
		}
	}
	text.WriteString("SHA256:\n")
	for _, l := range indexes {
		fmt.Fprintf(&text, " %s %d %s\n", l.SHA256, l.Size, l.Name)
	}
	return text.String()
}

// list reads a file and lists it by a name.
func list(file, name string) (listed, error) {
	f, err := os.Open(file)
	if err != nil {
		return listed{}, err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	return listed{Name: name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, errors.Join(err, f.Close())
}

func zipped(text string) ([]byte, error) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, err := io.WriteString(w, text)
	err = errors.Join(err, w.Close())
	return compressed.Bytes(), err
}
