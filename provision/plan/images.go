package plan

import (
	"fmt"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
)

// checkImagesName is what ignorePreflight calls the checks of images and registries.
const checkImagesName = "Images"

// imageFindings are about images that hosts cannot have.
func (p *planner) imageFindings() {
	if p.ignored(checkImagesName) {
		return
	}
	if _, problem := desired.KubeadmImages(p.State); problem != "" {
		p.plan.Findings = append(p.plan.Findings, Finding{
			Name: checkImagesName, Message: problem, Fix: "name one target for registry.k8s.io in images.rewrite, and others only for etcd and coredns",
		})
	}
	for _, set := range p.Addons {
		for _, suspect := range set.Suspects {
			p.plan.Findings = append(p.plan.Findings, Finding{
				Name: checkImagesName, Warning: true, Fix: suspect.Mend,
				Message: fmt.Sprintf("%s, line %d: %s: %s: %s looks like an image and keeps its name", set.Title, suspect.Line, suspect.Object, suspect.Path, suspect.Value),
			})
		}
	}
	for _, problem := range p.facts.ImageProblems {
		p.plan.Findings = append(p.plan.Findings, ImageFinding(problem))
	}
}

// ImageFinding puts the problem into the words of preflight.
func ImageFinding(i facts.ImageProblem) Finding {
	finding := Finding{Host: i.Host, Name: checkImagesName, Fix: mendingOf(i)}
	if i.Whole {
		finding.Message = fmt.Sprintf("images cannot be had from %s (asked for %s): %v", i.Registry, i.Image, i.Err)
	} else {
		finding.Message = fmt.Sprintf("image %s cannot be had: %v", i.Image, i.Err)
	}
	return finding
}

// mendingOf is what to do about the problem; empty where its text says that itself.
func mendingOf(i facts.ImageProblem) string {
	return map[facts.Kind]string{
		facts.RegistryUnreachable: "let the host reach it (address, port, firewall, proxy), or correct images.registries",
		facts.RegistryCertificate: "give its CA in images.registries[].ca, or plainHTTP: true if it has no TLS",
		facts.RegistryCredentials: "correct user and password in images.registries",
		facts.ImageMissing:        "fairlead images mirror --to " + i.Registry + " copies what is missing; or correct images.rewrite",
	}[i.Err.Kind]
}
