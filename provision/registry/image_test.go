package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// A manifest that is not what its digest says is not passed on, wherever it comes from.
func TestCopyVerifiesManifests(t *testing.T) {
	m, _, items := pair(t)
	for title, change := range map[string]func([]byte) []byte{
		"another image's": func([]byte) []byte { return m.blobs[items[1].Digest] },
		"one byte":        func(data []byte) []byte { return bytes.Replace(data, []byte("sha256:"), []byte("sha256;"), 1) },
		"longer":          func(data []byte) []byte { return append(slices.Clone(data), ' ') },
		"shorter":         func(data []byte) []byte { return data[:len(data)-1] },
	} {
		t.Run(title, func(t *testing.T) {
			m, _, items := pair(t)
			origin := newServer(t, false)
			if _, err := Copy(t.Context(), m, origin.client(t), items[:1], CopyOptions{}); err != nil {
				t.Fatal(err)
			}
			forged := change(m.blobs[items[0].Digest])
			m.blobs[items[0].Digest] = forged
			for name, source := range map[string]Source{"memory": m, "registry": origin.client(t)} {
				target := newServer(t, false)
				item := items[0]
				if name == "registry" {
					item.From = "lib/a@" + item.Digest.String()
					origin.mu.Lock()
					origin.forged = map[string][]byte{item.Digest.String(): forged}
					origin.mu.Unlock()
				}
				_, err := Copy(t.Context(), source, target.client(t), []Item{item}, CopyOptions{})
				if err == nil || !strings.HasPrefix(err.Error(), "read image "+item.From+": ") || !strings.Contains(err.Error(), "read manifest "+item.Digest.String()+": ") {
					t.Errorf("from %s: %v", name, err)
				}
				if n := target.count("PUT") + target.count("POST"); n > 0 {
					t.Errorf("from %s: %d times something was written", name, n)
				}
			}
		})
	}
}

func TestReadImageRefuses(t *testing.T) {
	m, _, items := pair(t)
	text := m.add(ocispec.MediaTypeImageManifest, []byte("no JSON"))
	index := m.add(ocispec.MediaTypeImageIndex, []byte("no JSON"))
	large := m.images["a"]
	large.Size = maxManifest + 1
	largest := m.images["a"]
	largest.Size = maxManifest
	lost := m.document(t, ocispec.MediaTypeImageIndex, ocispec.Index{Manifests: []ocispec.Descriptor{{
		MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("lost"), Size: 4, Platform: &ocispec.Platform{OS: "linux", Architecture: "amd64"},
	}}})
	missing := index
	missing.Digest = digest.FromString("lost")
	amd64 := []ocispec.Platform{{OS: "linux", Architecture: "amd64"}}
	for title, c := range map[string]struct {
		desc      ocispec.Descriptor
		digest    digest.Digest
		platforms []ocispec.Platform
		want      string
	}{
		"another digest":        {m.images["a"], items[1].Digest, nil, "the source holds " + items[0].Digest.String() + ", want " + items[1].Digest.String() + ": has it changed since?"},
		"a layer":               {m.layer(10, "x"), "", nil, `media type "application/vnd.oci.image.layer.v1.tar+gzip" is not one of an image: want OCI or Docker schema 2`},
		"too large":             {large, "", nil, "has 4194305 bytes: want 4194304 at most"},
		"just not too large":    {largest, "", nil, "read manifest "},
		"no JSON":               {text, "", nil, "parse manifest " + text.Digest.String() + ": "},
		"index is no JSON":      {index, "", amd64, "parse index " + index.Digest.String() + ": "},
		"index is not there":    {missing, "", amd64, "read manifest " + missing.Digest.String() + ": no blob"},
		"manifest is not there": {lost, "", nil, "read manifest " + digest.FromString("lost").String() + ": no blob"},
		"chosen is not there":   {lost, "", amd64, "read manifest " + digest.FromString("lost").String() + ": no blob"},
	} {
		m.images["x"] = c.desc
		im, err := readImage(t.Context(), m, Item{From: "x", Digest: c.digest}, c.platforms)
		if im != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", title, err, c.want)
		}
	}
}

// Layers that their makers want fetched from elsewhere stay where they are, and an image of
// Docker's formats is one like any other.
func TestReadImage(t *testing.T) {
	m := newMemory()
	layer := m.layer(10, "x")
	for _, c := range []struct {
		manifest, layer string
		blobs           int
	}{
		{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageLayerGzip, 2},
		{dockerManifest, "application/vnd.docker.image.rootfs.diff.tar.gzip", 2},
		{dockerManifest, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", 1},
		{ocispec.MediaTypeImageManifest, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", 1},
	} {
		part := layer
		part.MediaType = c.layer
		desc := m.document(t, c.manifest, ocispec.Manifest{MediaType: c.manifest, Config: m.add(ocispec.MediaTypeImageConfig, []byte("{}")), Layers: []ocispec.Descriptor{part, part}})
		list := m.document(t, dockerIndex, ocispec.Index{MediaType: dockerIndex, Manifests: []ocispec.Descriptor{desc, desc}})
		for from, want := range map[string]int{"manifest": 1, "list": 2} {
			m.images["manifest"], m.images["list"] = desc, list
			im, err := readImage(t.Context(), m, Item{From: from}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(im.blobs) != c.blobs || int(im.pending.Load()) != c.blobs || len(im.manifests) != want || im.manifests[0].Digest != desc.Digest || im.manifests[want-1].Digest != m.images[from].Digest {
				t.Errorf("%s of %s with %s: blobs %v, manifests %v", from, c.manifest, c.layer, im.blobs, im.manifests)
			}
			if !bytes.Equal(im.manifests[want-1].data, m.blobs[m.images[from].Digest]) {
				t.Errorf("%s of %s: it was changed", from, c.manifest)
			}
		}
	}
}

func TestPickPlatforms(t *testing.T) {
	desc := func(name, os, architecture, variant string) ocispec.Descriptor {
		return ocispec.Descriptor{Digest: digest.FromString(name), Platform: &ocispec.Platform{OS: os, Architecture: architecture, Variant: variant}}
	}
	all := []ocispec.Descriptor{
		{Digest: digest.FromString("none")},
		desc("windows", "windows", "amd64", ""), desc("amd64", "linux", "amd64", ""), desc("v6", "linux", "arm", "v6"), desc("v7", "linux", "arm", "v7"), desc("twice", "linux", "amd64", ""),
	}
	for _, c := range []struct {
		want  []ocispec.Platform
		names []string
	}{
		{[]ocispec.Platform{{OS: "linux", Architecture: "amd64"}}, []string{"amd64"}},
		{[]ocispec.Platform{{OS: "windows", Architecture: "amd64"}}, []string{"windows"}},
		{[]ocispec.Platform{{OS: "linux", Architecture: "arm"}}, []string{"v6"}},
		{[]ocispec.Platform{{OS: "linux", Architecture: "arm", Variant: "v7"}}, []string{"v7"}},
		{[]ocispec.Platform{{OS: "linux", Architecture: "arm", Variant: "v7"}, {OS: "linux", Architecture: "arm"}, {OS: "linux", Architecture: "arm", Variant: "v6"}}, []string{"v7", "v6"}},
	} {
		got, err := pick(all, c.want)
		if err != nil || len(got) != len(c.names) {
			t.Errorf("%v: %v, %v", c.want, got, err)
			continue
		}
		for i, name := range c.names {
			if got[i].Digest != digest.FromString(name) {
				t.Errorf("%v: %v, want %v", c.want, got, c.names)
			}
		}
	}
	// The arm64 that there is needs no variant in its name.
	arm := append(all, desc("arm64", "linux", "arm64", ""))
	for _, variant := range []string{"", "v8"} {
		if got, err := pick(arm, []ocispec.Platform{{OS: "linux", Architecture: "arm64", Variant: variant}}); err != nil || got[0].Digest != digest.FromString("arm64") {
			t.Errorf("arm64 %s: %v, %v", variant, got, err)
		}
	}
	for text, want := range map[string]ocispec.Platform{
		"no manifest for linux/arm64/v8; there are " + all[0].Digest.String() + ", windows/amd64, linux/amd64, linux/arm/v6, linux/arm/v7, linux/amd64": {OS: "linux", Architecture: "arm64", Variant: "v8"}, "no manifest for linux/amd64/v2; there are " + all[0].Digest.String() + ", windows/amd64, linux/amd64, linux/arm/v6, linux/arm/v7, linux/amd64": {OS: "linux", Architecture: "amd64", Variant: "v2"},
	} {
		if _, err := pick(all, []ocispec.Platform{{OS: "linux", Architecture: "amd64"}, want}); !errors.Is(err, ErrMissing) || !strings.HasSuffix(err.Error(), text) {
			t.Errorf("%v: %v", want, err)
		}
	}
}

func TestIn(t *testing.T) {
	rest := content.FetcherFunc(func(context.Context, ocispec.Descriptor) (io.ReadCloser, error) { return nil, errDisk })
	fetcher := in(digest.FromString("x"), []byte("x"), rest)
	r, err := fetcher.Fetch(t.Context(), ocispec.Descriptor{Digest: digest.FromString("x")})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := fetcher.Fetch(t.Context(), ocispec.Descriptor{Digest: digest.FromString("y")}); !errors.Is(err, errDisk) {
		t.Errorf("something else: %v", err)
	}
}
