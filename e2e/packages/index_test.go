package packages

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestStanza(t *testing.T) {
	got := stanza("Package: kubelet\nVersion: 1.37.2-1.1\nDescription: Node agent\n", listed{Name: "amd64/kubelet.deb", Size: 12, SHA256: "ab"})
	want := "Package: kubelet\nVersion: 1.37.2-1.1\nDescription: Node agent\nFilename: amd64/kubelet.deb\nSize: 12\nSHA256: ab\n"
	if got != want {
		t.Errorf("stanza is\n%s\nwant\n%s", got, want)
	}
}

// TestRelease: a flat repository has neither suite nor components.
func TestRelease(t *testing.T) {
	now := time.Date(2026, 11, 4, 9, 5, 0, 0, time.FixedZone("east", 3600))
	indexes := []listed{{"Packages", 12, "ab"}, {"Packages.gz", 3, "cd"}}
	tests := []struct {
		name  string
		suite suite
		want  string
	}{
		{"flat", suite{Origin: "obs", Label: "isv"}, `Origin: obs
Label: isv
Date: Wed, 04 Nov 2026 08:05:00 UTC
Architectures: amd64
SHA256:
 ab 12 Packages
 cd 3 Packages.gz
`},
		{"suite", suite{Origin: "Debian", Label: "Debian", Name: "bookworm", Component: "main"}, `Origin: Debian
Label: Debian
Suite: bookworm
Codename: bookworm
Date: Wed, 04 Nov 2026 08:05:00 UTC
Architectures: amd64
Components: main
SHA256:
 ab 12 Packages
 cd 3 Packages.gz
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := release(test.suite, "amd64", indexes, now); got != test.want {
				t.Errorf("Release is\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestIndex: what Release and Packages list is what lies there.
func TestIndex(t *testing.T) {
	b := builder{recipe: recipe{Arch: "amd64"}, dir: t.TempDir(), work: t.TempDir(), log: io.Discard}
	r := repository{Folder: "docker", Release: "dists/s", Index: "dists/s/main/binary-amd64", Pool: "pool"}
	source, folder := filepath.Join(b.work, "source"), filepath.Join(b.dir, r.Folder)
	control := "Package: small\nVersion: 1:2-3\nArchitecture: all\nMaintainer: Lab <lab@lab.fairlead.example>\nDescription: small\n"
	writeFile(t, filepath.Join(source, "DEBIAN", "control"), control)
	if err := os.MkdirAll(filepath.Join(folder, r.Pool), 0o755); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(folder, r.Pool, "small_2-3_all.deb")
	if _, err := run(t.Context(), b.work, b.log, "dpkg-deb", "--root-owner-group", "--build", source, deb); err != nil {
		t.Fatal(err)
	}
	if err := b.index(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	packages := readFile(t, filepath.Join(folder, r.Index, "Packages"))
	entry, err := list(deb, "pool/small_2-3_all.deb")
	if err != nil {
		t.Fatal(err)
	}
	if want := stanza(control, entry) + "\n"; packages != want {
		t.Errorf("Packages is\n%s\nwant\n%s", packages, want)
	}
	if unzipped := unzip(t, filepath.Join(folder, r.Index, "Packages.gz")); unzipped != packages {
		t.Errorf("Packages.gz holds\n%s", unzipped)
	}
	text := readFile(t, filepath.Join(folder, r.Release, "Release"))
	for _, name := range []string{"main/binary-amd64/Packages", "main/binary-amd64/Packages.gz"} {
		entry, err := list(filepath.Join(folder, r.Release, name), name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, " "+entry.SHA256+" ") || !strings.Contains(text, " "+name+"\n") {
			t.Errorf("Release does not list %+v:\n%s", entry, text)
		}
	}
}

func TestPoolName(t *testing.T) {
	for kept, want := range map[string]string{
		"libpopt0_1.19+dfsg-1_amd64.deb":   "libpopt0_1.19+dfsg-1_amd64.deb",
		"ethtool_1%3a6.1-1_amd64.deb":      "ethtool_6.1-1_amd64.deb",
		"passwd_11%3a4.13+dfsg1_amd64.deb": "passwd_4.13+dfsg1_amd64.deb",
	} {
		if got := poolName(kept); got != want {
			t.Errorf("%s is %s in a pool, want %s", kept, got, want)
		}
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
