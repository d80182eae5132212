package observe

import (
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/templates"
)

// hostFiles are the paths of all files of ours that a host may have: the probe examines them.
func hostFiles(wish desired.State) []string {
	var paths []string
	for _, component := range wish.Bundle.Components {
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				paths = append(paths, file.Path)
			}
		}
	}
	paths = append(paths, templates.ContainerdConfigFile, templates.ContainerdUnit(templates.Containerd{}).Path, templates.ModulesFile().Path, templates.SysctlFile(false).Path)
	written := append(templates.KubeletUnit(), templates.RegistryCredentials(nil, templates.Containerd{}))
	if wish.Cluster.Images.Host != "" {
		written = append(written, templates.RegistryFiles()...)
	}
	for _, file := range append(written, wish.RegistryFiles()...) {
		paths = append(paths, file.Path)
	}
	paths = append(paths, packagingFiles(wish)...)
	for _, component := range templates.Components() {
		paths = append(paths, templates.FormerManifest(component))
	}
	return paths
}

// packagingFiles are those that have to do with packages, proxies and runtimes of the user's.
func packagingFiles(wish desired.State) []string {
	paths := []string{templates.ProxyFile, templates.DockerConfigPath, templates.FlannelPlugin, strings.TrimPrefix(wish.CRISocket(), "unix://")}
	for _, unit := range []string{templates.ContainerdService, templates.DockerService, templates.KubeletService} {
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
