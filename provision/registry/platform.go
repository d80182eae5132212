package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// SparseError says that a registry lacks manifests that its own index names, as it is where only
// some platforms were copied to. It is an ErrMissing.
type SparseError struct {
	Index digest.Digest
	// Lacks and Has are the platforms, "linux/arm64", whose manifests are not there and are there.
	Lacks, Has []string
	// Pinned says that the image is named by the digest of the index, so that it cannot be
	// copied in part.
	Pinned bool
	cause  error
}

// Error implements error.
func (e *SparseError) Error() string {
	has := "nothing else"
	if len(e.Has) > 0 {
		has = strings.Join(e.Has, ", ")
	}
	return fmt.Sprintf("%v: its index names manifests for %s, which the source lacks; it has %s", ErrMissing, strings.Join(e.Lacks, ", "), has)
}

// Unwrap returns why a manifest is not there.
func (e *SparseError) Unwrap() error { return e.cause }

// platformOf is the platform of a manifest in an index. Some are of none: they have a digest only.
func platformOf(desc ocispec.Descriptor) string {
	if desc.Platform == nil || desc.Platform.OS == "" {
		return desc.Digest.String()
	}
	return platformText(*desc.Platform)
}

func platformText(p ocispec.Platform) string {
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	return text
}

// pick returns the first manifest for each platform.
func pick(manifests []ocispec.Descriptor, platforms []ocispec.Platform) ([]ocispec.Descriptor, error) {
	var picked []ocispec.Descriptor
	for _, want := range platforms {
		i := slices.IndexFunc(manifests, func(desc ocispec.Descriptor) bool { return fits(desc.Platform, want) })
		if i < 0 {
			var has []string
			for _, desc := range manifests {
				has = append(has, platformOf(desc))
			}
			return nil, fmt.Errorf("%w: no manifest for %s; there are %s", ErrMissing, platformText(want), strings.Join(has, ", "))
		}
		if !slices.ContainsFunc(picked, func(d ocispec.Descriptor) bool { return d.Digest == manifests[i].Digest }) {
			picked = append(picked, manifests[i])
		}
	}
	return picked, nil
}

// fits says that a manifest is of a platform. No variant wanted fits any; arm64 without one is v8,
// of which there is no other (containerd's platforms.Normalize).
func fits(is *ocispec.Platform, want ocispec.Platform) bool {
	if is == nil || is.OS != want.OS || is.Architecture != want.Architecture {
		return false
	}
	variant := is.Variant
	if variant == "" && is.Architecture == "arm64" {
		variant = "v8"
	}
	return want.Variant == "" || variant == want.Variant
}
