package provision

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/templates"
)

// Capability numbers and names from linux/capability.h.
const capSysResource = 24

// containerd plans the container runtime: binaries, unit, configuration, running.
func (p *planner) containerd(host inventory.Host, facts HostFacts) {
	step := hostStep(host, stepContainerd, "install containerd "+p.version(bundle.Containerd))
	layers := p.layers(&step, facts, bundle.Containerd, bundle.Runc)
	change := service{unit: containerdUnit, facts: facts.Units[containerdUnit], running: true}
	inContainer := facts.Container != "" && facts.Container != "none"
	options := templates.Containerd{
		SandboxImage:        p.sandboxImage(),
		Credentials:         len(p.credentials()) > 0,
		RestrictOOMScoreAdj: !facts.has(capSysResource),
		DisableAppArmor:     !facts.AppArmor || inContainer,
	}
	change.files = append(change.files, templates.ContainerdUnit(options),
		templates.HostFile{Path: configTOML, Mode: 0o644, Content: templates.ContainerdConfig(options)})
	credentials := templates.RegistryCredentials(p.credentials())
	if _, exists := facts.Files[credentials.Path]; options.Credentials {
		change.files = append(change.files, credentials)
	} else if exists {
		step.because("%s is no longer wanted", credentials.Path)
		change.actions = append(change.actions, RemoveFiles([]string{credentials.Path}))
	}
	p.service(&step, facts, change, layers, trees(containerdTrees()))
	p.add(step)
}

// kubernetes plans kubelet, kubeadm, kubectl and the CNI plugins. The kubelet runs only
// on hosts that kubeadm has given a configuration.
func (p *planner) kubernetes(host inventory.Host, facts HostFacts) {
	step := hostStep(host, stepKubernetes, "install kubelet, kubeadm and kubectl "+p.Bundle.KubernetesVersion)
	layers := p.layers(&step, facts, bundle.Kubernetes, bundle.CNIPlugins)
	change := service{unit: kubeletUnit, facts: facts.Units[kubeletUnit], running: facts.Joined()}
	change.files = templates.KubeletUnit()
	touched := append(trees(kubeletTrees()), touch{touchNet, "all"})
	touched = append(touched, files("/run/xtables.lock")...)
	touched = append(touched, touch{touchDir, "/lib/modules"}) // kube-proxy mounts it
	touched = append(touched, kubeletSysctls()...)
	if host.Role == inventory.RoleControlPlane {
		touched = append(touched, trees(etcdTrees())...)
	}
	p.service(&step, facts, change, layers, touched)
	p.add(step)
}

// service is a systemd unit that belongs to fairlead, with the files it reads at start.
type service struct {
	unit    string
	facts   UnitFacts
	files   []templates.HostFile
	actions []Action // further changes that it must be stopped for
	running bool     // must it run?
}

// service plans a unit with its binaries. A running service is stopped before its files
// change and started after, so that a run that was cut off in between is seen by the
// next one: a service that runs always runs with the files that are there.
func (p *planner) service(step *Step, facts HostFacts, s service, layers []bundle.Layer, touched []touch) {
	changes := Step{Reasons: step.Reasons}
	if len(layers) > 0 {
		changes.do(InstallLayers{Layers: layers})
	}
	changes.do(s.actions...)
	for _, file := range s.files {
		p.hostFile(&changes, facts, file)
	}
	active := s.facts.Active == "active" || s.facts.Active == "activating"
	if s.running && !active {
		changes.because("%s is %s", s.unit, orAbsent(s.facts.Active))
	}
	if s.facts.Enabled != "enabled" {
		changes.because("%s is not enabled", s.unit)
	}
	if s.facts.NeedsReload {
		changes.because("systemd has not read the changed %s", s.unit)
	}
	if len(changes.Reasons) == 0 {
		return
	}
	step.Reasons = changes.Reasons
	if active && len(changes.Actions) > 0 {
		step.do(StopUnit(s.unit))
	}
	step.Actions = append(step.Actions, changes.Actions...)
	start := StartUnit(s.unit, s.running)
	start.Touches = append(start.Touches, touched...)
	step.do(start)
}

func orAbsent(state string) string {
	if state == "" {
		return "absent"
	}
	return state
}

// layers are those of the components of which the host lacks a file, or has another one.
func (p *planner) layers(step *Step, facts HostFacts, components ...string) []bundle.Layer {
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
func lacks(facts HostFacts, component bundle.Component, layer bundle.Layer) string {
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

func firstMissing(facts HostFacts, layer bundle.Layer) string {
	for _, file := range layer.Files {
		if _, exists := facts.Files[file.Path]; !exists {
			return file.Path
		}
	}
	return ""
}

// installedVersion is what a program with another content says of itself.
func installedVersion(facts HostFacts, path string) string {
	for _, v := range facts.Versions {
		if v.Path == path && v.Version != "" {
			return ", it says " + v.Version
		}
	}
	return ""
}

// images plans the import of what the host's role needs and its runtime lacks.
func (p *planner) images(host inventory.Host, facts HostFacts) {
	step := hostStep(host, stepImages, "import images")
	step.Needs = []string{stepID(host.Name, stepContainerd)}
	var lacking []bundle.Image
	for _, image := range p.imported(host.Name) {
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

// sandboxImage is the pause image, by the name it is used by.
func (w Wish) sandboxImage() string {
	for _, need := range w.Needs {
		if imageBase(need.Origin) == "pause" {
			return need.Name
		}
	}
	return "" // preflight has reported it
}
