package provision

import "fairlead/templates"

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
	written := append(templates.KubeletUnit(), templates.RegistryCredentials(nil))
	if wish.Cluster.Images.Host != "" {
		written = append(written, templates.RegistryFiles()...)
	}
	for _, file := range append(written, wish.registryFiles()...) {
		paths = append(paths, file.Path)
	}
	for _, component := range components() {
		paths = append(paths, formerManifest(component))
	}
	return paths
}
