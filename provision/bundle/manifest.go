package bundle

import (
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Media and artifact types of what is not a container image.
const (
	// ManifestRef is the tag of the artifact that holds the Manifest.
	ManifestRef = "fairlead.bundle"
	// ManifestArtifactType is the artifact type of the OCI manifest tagged ManifestRef.
	ManifestArtifactType = "application/vnd.fairlead.bundle.v1"
	// ManifestMediaType is the media type of that artifact's single layer, a Manifest as JSON.
	ManifestMediaType = "application/vnd.fairlead.bundle.manifest.v1+json"
	// ComponentArtifactType is the artifact type of a set of binaries. Such an artifact is
	// tagged COMPONENT:VERSION, for example "containerd:2.4.2".
	ComponentArtifactType = "application/vnd.fairlead.component.v1"
	// ComponentLayerMediaType is the media type of a component's layers.
	ComponentLayerMediaType = "application/vnd.fairlead.component.layer.v1.tar+gzip"
)

// The components that fairlead installs on every host.
const (
	Kubernetes = "kubernetes" // kubeadm, kubelet, kubectl
	Containerd = "containerd" // containerd, containerd-shim-runc-v2, ctr
	Runc       = "runc"
	CNIPlugins = "cni-plugins" // includes the flannel plugin
)

// Registry is the component that fairlead installs where the inventory wants a registry.
const Registry = "registry"

// Add-ons whose images a bundle may hold.
const (
	AddonNetwork       = "network"
	AddonMetricsServer = "metrics-server"
	AddonIngress       = "ingress"
)

// Roles as they stand in a Manifest.
const (
	RoleControlPlane = "control-plane"
	RoleWorker       = "worker"
)

// Manifest says what a bundle holds.
type Manifest struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// KubernetesVersion is the version of the cluster, without "v": "1.37.2".
	KubernetesVersion string `json:"kubernetesVersion"`
	// Architecture is the one of binaries and images, in Go's words: amd64, arm64.
	Architecture string      `json:"architecture"`
	Components   []Component `json:"components"`
	Images       []Image     `json:"images"`
}

// Component is a set of binaries of one version.
type Component struct {
	Name    string  `json:"name"`
	Version string  `json:"version"`
	Layers  []Layer `json:"layers"`
}

// Layer is one tar+gzip blob. A host that lacks one of its files gets the whole layer.
type Layer struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"` // bytes of the blob as stored
	Files  []File        `json:"files"`
}

// File is a regular file in a Layer.
type File struct {
	Path   string        `json:"path"` // absolute, on the host
	Mode   uint32        `json:"mode"` // permission bits
	Size   int64         `json:"size"` // bytes, unpacked
	Digest digest.Digest `json:"digest"`
}

// Image is a container image for one platform.
type Image struct {
	Name   string        `json:"name"`   // full reference, for example registry.k8s.io/pause:3.10.2
	Digest digest.Digest `json:"digest"` // of the image's manifest
	Size   int64         `json:"size"`   // bytes of manifest, config and layers as stored
	Roles  []string      `json:"roles"`  // which hosts need it always; none: an add-on does
	// Addon names the add-on that needs the image.
	Addon string `json:"addon,omitempty"`
}

// Component returns the component of that name.
func (m *Manifest) Component(name string) (Component, error) {
	for _, c := range m.Components {
		if c.Name == name {
			return c, nil
		}
	}
	return Component{}, fmt.Errorf("bundle holds no component %q", name)
}
