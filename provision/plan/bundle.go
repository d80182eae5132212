package plan

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/facts"
)

// layers are those of the components of which the host lacks a file, or has another one.
func (p *planner) layers(step *Step, facts facts.Host, components ...string) []bundle.Layer {
	var lacking []bundle.Layer
	for _, name := range components {
		component, err := p.Bundle.Component(name)
		if err != nil {
			continue // preflight has reported it
		}
		for _, layer := range component.Layers {
			if reason := lacks(facts, component, layer); reason != "" {
				step.because("%s", reason)
				lacking = append(lacking, layer)
			}
		}
	}
	return lacking
}

// lacks says why the host needs the layer, or nothing.
func lacks(facts facts.Host, component bundle.Component, layer bundle.Layer) string {
	missing := 0
	for _, file := range layer.Files {
		is, exists := facts.Files[file.Path]
		switch {
		case !exists:
			missing++
		case is.SHA256 != file.Digest.Encoded():
			return fmt.Sprintf("%s is not that of %s %s%s", file.Path, component.Name, component.Version, installedVersion(facts, file.Path))
		case is.Mode != file.Mode || is.UID != 0 || is.GID != 0:
			return fmt.Sprintf("%s has mode %o and owner %d:%d, want %o and 0:0", file.Path, is.Mode, is.UID, is.GID, file.Mode)
		}
	}
	switch {
	case missing == 1 || missing == len(layer.Files) && missing > 0:
		return fmt.Sprintf("%s %s: %s is missing", component.Name, component.Version, firstMissing(facts, layer))
	case missing > 1:
		return fmt.Sprintf("%s %s: %d files are missing, the first is %s", component.Name, component.Version, missing, firstMissing(facts, layer))
	}
	return ""
}

func firstMissing(facts facts.Host, layer bundle.Layer) string {
	for _, file := range layer.Files {
		if _, exists := facts.Files[file.Path]; !exists {
			return file.Path
		}
	}
	return ""
}

// installedVersion is what a program with another content says of itself.
func installedVersion(facts facts.Host, path string) string {
	for _, v := range facts.Versions {
		if v.Path == path && v.Version != "" {
			return ", it says " + v.Version
		}
	}
	return ""
}

// images plans the import of what the host's role needs and its runtime lacks.
func (p *planner) images(host inventory.Host, facts facts.Host) {
	step := hostStep(host, StageInstall, stepImages, "import images")
	step.Needs = []string{StepID(host.Name, stepContainerd)}
	var lacking []bundle.Image
	for _, image := range p.common.images[host.Name] {
		is, exists := facts.Images[image.Name]
		switch {
		case !exists:
			step.because("image %s is missing", image.Name)
		case is.Digest != image.Digest.String():
			step.because("image %s has digest %s, want %s", image.Name, is.Digest, image.Digest)
		case !is.Complete:
			step.because("image %s is incomplete", image.Name)
		default:
			continue
		}
		lacking = append(lacking, image)
	}
	if len(lacking) > 0 {
		step.do(ImportImages{Images: lacking})
	}
	p.add(step)
}

func (p *planner) version(component string) string {
	c, err := p.Bundle.Component(component)
	if err != nil {
		return "" // preflight has reported it
	}
	return c.Version
}
