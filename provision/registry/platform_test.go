package registry

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestCopyPlatforms(t *testing.T) {
	m := newMemory()
	var index ocispec.Index
	index.SchemaVersion, index.MediaType = 2, ocispec.MediaTypeImageIndex
	platforms := []ocispec.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64", Variant: "v8"}, {OS: "unknown", Architecture: "unknown"}}
	for _, platform := range platforms {
		desc := m.image(t, platform.Architecture, m.layer(500, platform.Architecture))
		desc.Platform = &platform
		index.Manifests = append(index.Manifests, desc)
	}
	root := m.document(t, index.MediaType, index)
	m.images["multi"] = root
	items := []Item{{From: "multi", Repository: "multi", Tag: "1", Digest: root.Digest}}
	amd64, arm64 := platforms[0], ocispec.Platform{OS: "linux", Architecture: "arm64"}
	for _, c := range []struct {
		platforms []ocispec.Platform
		blobs     int
		digest    digest.Digest // empty: a new one
	}{
		{nil, 6, root.Digest},
		{[]ocispec.Platform{amd64}, 2, index.Manifests[0].Digest},
		{[]ocispec.Platform{arm64, arm64}, 2, index.Manifests[1].Digest},
		{[]ocispec.Platform{amd64, arm64}, 4, ""},
		{platforms, 6, root.Digest},
	} {
		s := newServer(t, false)
		client := s.client(t)
		stats, err := Copy(t.Context(), m, client, items, CopyOptions{Platforms: c.platforms})
		if err != nil || stats.Blobs != c.blobs || stats.Images != 1 {
			t.Errorf("%v: %+v, %v", c.platforms, stats, err)
		}
		desc, err := client.Resolve(t.Context(), "multi", "1")
		if err != nil || c.digest != "" && desc.Digest != c.digest || c.digest == "" && (desc.Digest == root.Digest || !isIndex(desc)) {
			t.Errorf("%v: the tag has %s, %v", c.platforms, desc.Digest, err)
		}
	}
	_, err := Copy(t.Context(), m, newServer(t, false).client(t), items, CopyOptions{Platforms: []ocispec.Platform{{OS: "linux", Architecture: "s390x"}}})
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "linux/s390x") {
		t.Errorf("a platform that is not there: %v", err)
	}
}
