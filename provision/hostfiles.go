package provision

import (
	"slices"
	"strings"

	"fairlead/templates"
)

// hostFiles are the paths of all files of ours that a host may have: the probe examines them.
func hostFiles(wish Wish) []string {
	var paths []string
	for _, component := range wish.Bundle.Components {
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				paths = append(paths, file.Path)
			}
		}
	}
	paths = append(paths, configTOML, templates.ContainerdUnit(templates.Containerd{}).Path, templates.ModulesFile().Path, templates.SysctlFile(false).Path)
	written := append(templates.KubeletUnit(), templates.RegistryCredentials(nil, templates.Containerd{}))
	if wish.Cluster.Images.Host != "" {
		written = append(written, templates.RegistryFiles()...)
	}
	for _, file := range append(written, wish.registryFiles()...) {
		paths = append(paths, file.Path)
	}
	paths = append(paths, packagingFiles(wish)...)
	for _, component := range components() {
		paths = append(paths, formerManifest(component))
	}
	return paths
}

// packagingFiles are those that have to do with packages, proxies and runtimes of the user's.
func packagingFiles(wish Wish) []string {
	paths := []string{templates.ProxyFile, templates.DockerConfigPath, flannelPlugin, strings.TrimPrefix(wish.criSocket(), "unix://")}
	for _, unit := range []string{containerdUnit, dockerUnit, kubeletUnit} {
		paths = append(paths, templates.ProxyDropInPath(unit), templates.ContainerDropIn(unit).Path)
	}
	for _, family := range templates.Families() {
		for _, repository := range []templates.PackageRepository{
			family.KubernetesRepository(wish.KubernetesRepository, ""), family.DockerRepository(wish.RuntimeRepository, ""),
		} {
			for _, file := range repository.Files {
				if !slices.Contains(paths, file.Path) {
					paths = append(paths, file.Path)
				}
			}
		}
	}
	return paths
}
