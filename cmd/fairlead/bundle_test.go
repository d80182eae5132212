package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"fairlead/provision/bundle"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content/oci"
)

// makeBundleCommand makes a bundle whose components have no files and whose images have
// hardly any: mkbundle FOLDER.
func makeBundleCommand() {
	if err := makeBundle(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bundledImages are the images of such a bundle, as a real one names them.
func bundledImages() []bundle.Image {
	controlPlane, all := []string{bundle.RoleControlPlane}, []string{bundle.RoleControlPlane, bundle.RoleWorker}
	return []bundle.Image{
		{Name: "registry.k8s.io/etcd:3.7.0-0", Roles: controlPlane},
		{Name: "registry.k8s.io/kube-apiserver:v1.37.2", Roles: controlPlane},
		{Name: "registry.k8s.io/kube-controller-manager:v1.37.2", Roles: controlPlane},
		{Name: "registry.k8s.io/kube-scheduler:v1.37.2", Roles: controlPlane},
		{Name: "registry.k8s.io/kube-proxy:v1.37.2", Roles: all},
		{Name: "registry.k8s.io/coredns/coredns:v1.14.2", Roles: all},
		{Name: "registry.k8s.io/pause:3.10.2", Roles: all},
		{Name: "ghcr.io/flannel-io/flannel:v0.28.5", Roles: all},
		{Name: "registry.k8s.io/metrics-server/metrics-server:v0.8.1", Addon: bundle.AddonMetricsServer},
		{Name: "registry.fairlead.example/fairlead-approver:v1", Addon: bundle.AddonMetricsServer},
		{Name: "docker.io/library/traefik:v3.7.6", Addon: bundle.AddonIngress},
	}
}

func makeBundle(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	store, err := oci.New(folder)
	if err != nil {
		return err
	}
	manifest := bundle.Manifest{SchemaVersion: 1, KubernetesVersion: "1.37.2", Architecture: "amd64", Images: bundledImages()}
	for _, name := range []string{bundle.Kubernetes, bundle.Containerd, bundle.Runc, bundle.CNIPlugins} {
		manifest.Components = append(manifest.Components, bundle.Component{Name: name, Version: "1.0.0"})
	}
	for i, image := range manifest.Images {
		if manifest.Images[i], err = pushImage(ctx, store, image); err != nil {
			return err
		}
	}
	layer, err := pushJSON(ctx, store, bundle.ManifestMediaType, manifest)
	if err != nil {
		return err
	}
	config, err := pushJSON(ctx, store, ocispec.MediaTypeEmptyJSON, struct{}{})
	if err != nil {
		return err
	}
	tagged, err := pushJSON(ctx, store, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		ArtifactType: bundle.ManifestArtifactType, Config: config, Layers: []ocispec.Descriptor{layer},
	})
	if err != nil {
		return err
	}
	return store.Tag(ctx, tagged, bundle.ManifestRef)
}

// sharedLayer is a layer of 2 MiB and a little that all images have.
func sharedLayer() []byte { return bytes.Repeat([]byte("shared "), 300_000) }

// pushImage adds an image of a configuration, the shared layer and one of its own, and
// completes what is said of it.
func pushImage(ctx context.Context, store *oci.Store, image bundle.Image) (bundle.Image, error) {
	var parts []ocispec.Descriptor
	for _, part := range []struct{ mediaType, content string }{
		{ocispec.MediaTypeImageConfig, `{"architecture":"amd64","os":"linux","author":"` + image.Name + `"}`},
		{ocispec.MediaTypeImageLayer, string(sharedLayer())},
		{ocispec.MediaTypeImageLayer, "layer of " + image.Name},
	} {
		desc, err := push(ctx, store, part.mediaType, []byte(part.content))
		if err != nil {
			return image, err
		}
		parts = append(parts, desc)
	}
	desc, err := pushJSON(ctx, store, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: parts[0], Layers: parts[1:],
	})
	if err != nil {
		return image, err
	}
	image.Digest = desc.Digest
	for _, part := range slices.Concat(parts, []ocispec.Descriptor{desc}) {
		image.Size += part.Size
	}
	return image, store.Tag(ctx, desc, image.Name)
}

func pushJSON(ctx context.Context, store *oci.Store, mediaType string, value any) (ocispec.Descriptor, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return push(ctx, store, mediaType, data)
}

// push adds a blob unless it is there.
func push(ctx context.Context, store *oci.Store, mediaType string, data []byte) (ocispec.Descriptor, error) {
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if exists, err := store.Exists(ctx, desc); exists || err != nil {
		return desc, err
	}
	return desc, store.Push(ctx, desc, bytes.NewReader(data))
}
