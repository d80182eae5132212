// Package manifests reads the manifests that an inventory names: files, folders that kustomize
// builds, and pinned URLs; it applies their patches, and puts objects into the order in which
// they can be applied.
//
// Nothing is fetched but the URL that the inventory names, and that only if its content has the
// hash that the inventory says.
package manifests
