//go:build cluster

package cluster

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	format "fairlead/provision/bundle"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// wrongArchitecture: the bundle is for machines of another kind. Such a bundle is made of
// the real one's manifest; its blobs are not needed to refuse it.
func (s *site) wrongArchitecture() {
	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	manifest := s.bundleManifest()
	manifest.Architecture = other
	folder := filepath.Join(s.home, "other-bundle")
	s.writeLayout(folder, manifest)
	s.edit(strconv.Quote(shared.bundle), strconv.Quote(folder))
	s.refused("x1", "Architecture", "the host is "+runtime.GOARCH+" and the bundle is for "+other, "kubernetes.bundle")
}

// corruptBundle: one byte of the kubelet's blob is another one. What came before it is
// installed, what is broken is not.
func (s *site) corruptBundle() {
	blob := s.blobOf(format.Kubernetes, "/usr/local/bin/kubelet")
	broken := filepath.Join(s.home, "broken.oci.tar")
	if out, err := exec.CommandContext(s.ctx, "cp", "--reflink=auto", shared.bundle, broken).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	s.flipByte(broken, "blobs/sha256/"+blob.Encoded())
	s.edit(strconv.Quote(shared.bundle), strconv.Quote(broken))
	s.fairlead("up").exits(1).saysOf("x1", "error: x1: install kubelet, kubeadm and kubectl 1.37.2", blob.String(), "hint: the bundle is damaged")
	// The script on the host learns of it by a signal, and tidies up.
	s.eventually("nothing of the broken bundle", 30*time.Second, func() string {
		return s.shell("x1", "ls /usr/local/bin/kube* 2>/dev/null || :")
	})
	if err := os.Remove(broken); err != nil {
		s.t.Error(err)
	}
}

// bundleManifest reads the manifest of the real bundle.
func (s *site) bundleManifest() format.Manifest {
	s.t.Helper()
	b, err := format.Open(s.ctx, shared.bundle)
	if err != nil {
		s.t.Fatal(err)
	}
	return b.Manifest
}

// blobOf is the digest of the component's layer that holds the file.
func (s *site) blobOf(component, file string) digest.Digest {
	s.t.Helper()
	manifest := s.bundleManifest()
	c, err := manifest.Component(component)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, layer := range c.Layers {
		for _, f := range layer.Files {
			if f.Path == file {
				return layer.Digest
			}
		}
	}
	s.t.Fatalf("no layer of %s holds %s", component, file)
	return ""
}

// flipByte changes one byte in the middle of an entry of a tar file.
func (s *site) flipByte(archive, entry string) {
	s.t.Helper()
	file, err := os.OpenFile(archive, os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if err != nil {
			s.t.Fatalf("find %s in %s: %v", entry, archive, err)
		}
		if strings.TrimPrefix(header.Name, "./") != entry {
			continue
		}
		begin, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			s.t.Fatal(err)
		}
		one := make([]byte, 1)
		at := begin + header.Size/2
		_, readErr := file.ReadAt(one, at)
		one[0] ^= 1
		_, writeErr := file.WriteAt(one, at)
		if err := errors.Join(readErr, writeErr); err != nil {
			s.t.Fatal(err)
		}
		return
	}
}

// writeLayout writes an OCI image layout that holds the bundle's manifest and nothing else.
func (s *site) writeLayout(folder string, manifest format.Manifest) {
	s.t.Helper()
	layer := s.writeBlob(folder, format.ManifestMediaType, manifest)
	artifact := s.writeBlob(folder, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		ArtifactType: format.ManifestArtifactType,
		Config:       s.writeBlob(folder, ocispec.MediaTypeEmptyJSON, struct{}{}),
		Layers:       []ocispec.Descriptor{layer},
	})
	artifact.Annotations = map[string]string{ocispec.AnnotationRefName: format.ManifestRef}
	for name, content := range map[string]any{
		ocispec.ImageIndexFile: ocispec.Index{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
			Manifests: []ocispec.Descriptor{artifact},
		},
		ocispec.ImageLayoutFile: ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion},
	} {
		s.write(filepath.Join(folder, name), string(s.encode(content)))
	}
}

func (s *site) writeBlob(folder, mediaType string, content any) ocispec.Descriptor {
	s.t.Helper()
	data := s.encode(content)
	name := fmt.Sprintf("%x", sha256.Sum256(data))
	blobs := filepath.Join(folder, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(blobs, name), string(data))
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.NewDigestFromEncoded(digest.SHA256, name), Size: int64(len(data))}
}

func (s *site) encode(content any) []byte {
	s.t.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}
