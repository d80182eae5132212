package lab

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestImageNameNamesEverything(t *testing.T) {
	entries := []entry{{path: "a", mode: 0o644, data: []byte("1")}, {path: "b", target: "/dev/null"}}
	name := imageName(entries)
	for i, change := range []entry{{path: "c", mode: 0o644, data: []byte("1")}, {path: "a", mode: 0o755, data: []byte("1")},
		{path: "a", mode: 0o644, data: []byte("2")}} {
		if imageName([]entry{change, entries[1]}) == name {
			t.Errorf("change %d keeps name %s", i, name)
		}
	}
	if imageName(entries) != name {
		t.Error("equal entries have different names")
	}
}

func TestLayTar(t *testing.T) {
	var base bytes.Buffer
	writer := tar.NewWriter(&base)
	for name, text := range map[string]string{"./etc/hosts": "old", "./etc/keep": "kept"} {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(text))}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "base.tar")
	if err := os.WriteFile(file, base.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	entries := []entry{{path: "etc/hosts", mode: 0o644, data: []byte("new")}, {path: "etc/unit", target: "/dev/null"}}
	if err := layTar(&out, file, entries); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for reader := tar.NewReader(&out); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] += string(text) + header.Linkname
	}
	if len(got) != 3 || got["etc/hosts"] != "new" || got["./etc/keep"] != "kept" || got["etc/unit"] != "/dev/null" {
		t.Errorf("got %v", got)
	}
	if err := os.WriteFile(file, base.Bytes()[:514], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := layTar(&out, file, entries); err == nil {
		t.Error("truncated base: no error")
	}
}
