package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// onlyFile unpacks a component's layer, which must hold one regular file and no trace
// of when and by whom it was made.
func onlyFile(t *testing.T, blob []byte) (name string, content []byte) {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	reader := tar.NewReader(unzipped)
	header, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	if header.Typeflag != tar.TypeReg || header.Mode != 0o755 || header.Uid != 0 || header.Gid != 0 || !header.ModTime.Equal(time.Unix(0, 0)) {
		t.Errorf("entry is %+v", header)
	}
	content, err = io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("layer holds more than one entry (%v)", err)
	}
	return header.Name, content
}

// unpack writes the files of an OCI layout's tar into folder.
func unpack(t *testing.T, path, folder string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first := ""
	for reader := tar.NewReader(f); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = header.Name
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, header.Name), string(content))
	}
	if first != "index.json" {
		t.Errorf("first entry is %q, want the index", first)
	}
}

// TestCopyRoot repacks a root with everything in it that must not come through.
func TestCopyRoot(t *testing.T) {
	root := filepath.Join(t.TempDir(), rootFile)
	writeRoot(t, root, []*tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./dev/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./dev/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3},
		{Name: "./usr/bin/tool", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 3, Gid: 4, Uname: "daemon"},
		{Name: "./usr/bin/same", Typeflag: tar.TypeLink, Linkname: "./usr/bin/tool"},
		{Name: "./bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin"},
		{Name: "./etc/hostname", Typeflag: tar.TypeReg, Mode: 0o644},
		{Name: "./etc/hostnames", Typeflag: tar.TypeReg, Mode: 0o644},
		{Name: "./var/logs", Typeflag: tar.TypeReg, Mode: 0o644},
		{Name: "./var/log/apt", Typeflag: tar.TypeReg, Mode: 0o644},
	})
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	if err := copyRoot(archive, root, []string{"dev/", "var/log/", "etc/hostname"}); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	type line struct {
		name, link string
		mode       int64
		uid        int
	}
	want := []line{
		{"dev/", "", 0o755, 0}, {"usr/bin/tool", "", 0o4755, 3}, {"usr/bin/same", "usr/bin/tool", 0, 0},
		{"bin", "usr/bin", 0, 0}, {"etc/hostnames", "", 0o644, 0}, {"var/logs", "", 0o644, 0},
	}
	reader := tar.NewReader(&packed)
	for _, w := range want {
		h, err := reader.Next()
		if err != nil {
			t.Fatalf("want %+v: %v", w, err)
		}
		if got := (line{h.Name, h.Linkname, h.Mode, h.Uid}); got != w {
			t.Errorf("entry is %+v, want %+v", got, w)
		}
		if !h.ModTime.Equal(time.Unix(0, 0)) || h.Uname != "" {
			t.Errorf("%s keeps %s, %q", h.Name, h.ModTime, h.Uname)
		}
	}
	if h, err := reader.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("one entry more: %+v, %v", h, err)
	}
}

func writeRoot(t *testing.T, path string, headers []*tar.Header) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(f)
	for _, h := range headers {
		h.ModTime = time.Unix(1700000000, 0)
		if err := archive.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDropped(t *testing.T) {
	drop := []string{"dev/", "etc/hostname", "usr/lib/*/perl/", "usr/lib/*/lib.so.*"}
	tests := map[string]bool{
		"dev":                      false,
		"dev/null":                 true,
		"dev/shm/file":             true,
		"devices/null":             false,
		"etc/hostname":             true,
		"etc/hostname/below":       false,
		"usr/lib/x/perl":           false,
		"usr/lib/x/perl/5.36/a.pm": true,
		"usr/lib/perl/5.36":        false,
		"usr/lib/x/lib.so.5":       true,
		"usr/lib/x/y/lib.so.5":     false,
		"usr":                      false,
	}
	for name, want := range tests {
		if got, err := dropped(name, drop); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	for _, d := range debianBase().Drop {
		if _, err := dropped("a/b/c/d/e", []string{d}); err != nil {
			t.Errorf("pattern %s: %v", d, err)
		}
	}
}
