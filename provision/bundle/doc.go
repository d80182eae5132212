// Package bundle describes and reads the offline bundle: one OCI image layout, as
// a tar file or a folder, that holds everything a host needs.
//
// Container images are ordinary OCI images whose index entries carry the upstream
// reference in the annotation org.opencontainers.image.ref.name. Binaries are OCI
// artifacts of type ComponentArtifactType: each layer is a tar+gzip of files with
// their paths below the root of the host's file system. One artifact of type
// ManifestArtifactType, tagged ManifestRef, has the Manifest as its single layer
// and says what is in the bundle and which role needs what.
//
// Any registry tool can read, copy and serve such a layout. The package never talks
// to a host and never writes.
package bundle
