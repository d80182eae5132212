package plan

import (
	"bytes"
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// Capability numbers and names from linux/capability.h.
const capSysResource = 24

func asksOfRuntime(state desired.State) facts.Query {
	unit := templates.ContainerdUnit(templates.Containerd{}).Path
	query := facts.Query{
		Paths: append(bundled(state, bundle.Containerd, bundle.Runc),
			templates.ContainerdConfigFile, unit, templates.RegistryCredentials(nil, templates.Containerd{}).Path, templates.DockerConfigPath,
			templates.ContainerDropIn(templates.ContainerdService).Path, templates.ContainerDropIn(templates.DockerService).Path,
			strings.TrimPrefix(state.CRISocket(), "unix://")),
		Texts:    []string{templates.ContainerdConfigFile, unit, templates.DockerConfigPath},
		Units:    []string{templates.ContainerdService, templates.DockerService},
		Programs: []string{templates.PackageContainerd, "runc"},
		Packages: []string{templates.PackageContainerd, templates.PackageContainerdIO, "docker.io", desired.PackageDockerCE, "docker-ce-cli", "moby-engine", "docker"},
	}
	if state.PackagedRuntime() && !state.ForeignRuntime() {
		query.Candidates = []string{templates.PackageContainerd, "docker.io"}
	}
	return query
}

// runtime plans the container runtime: containerd, and Docker Engine beside it if that is
// wanted. One that the user has installed is left alone.
func (p *planner) runtime(host inventory.Host, facts facts.Host) {
	from, conflict := p.runtimeSource(facts)
	if p.ForeignRuntime() || conflict != "" {
		return
	}
	p.containerd(host, facts, from)
	if p.Cluster.Runtime.Name == inventory.RuntimeDocker {
		p.docker(host, facts)
	}
}

// containerd plans containerd: its software, unit, configuration, running.
func (p *planner) containerd(host inventory.Host, facts facts.Host, from source) {
	step := hostStep(host, StageInstall, stepContainerd, "configure containerd")
	step.Needs = []string{StepID(host.Name, stepProxy)}
	change := service{unit: templates.ContainerdService, facts: facts.Units[templates.ContainerdService], running: true, touched: ledger.Trees(runtimeTrees(facts))}
	options := p.containerdOptions(facts, from)
	switch from {
	case fromBundle:
		step.Title = "install containerd " + p.version(bundle.Containerd)
		change.install = p.installLayers(&step, facts, bundle.Containerd, bundle.Runc)
		change.files = append(change.files, templates.ContainerdUnit(options))
	case fromPackages:
		lacking := p.lackingRuntime(facts)
		step.Title = "install " + lacking.describe()
		change.install = p.installPackages(&step, facts, lacking.missing(partContainerd, facts))
	}
	change.files = append(change.files, templates.HostFile{Path: templates.ContainerdConfigFile, Mode: 0o644, Content: templates.ContainerdConfig(options)})
	credentials := templates.RegistryCredentials(p.Credentials(), options)
	if options.Credentials {
		change.files = append(change.files, credentials)
	} else {
		change.removed = append(change.removed, credentials.Path)
	}
	wanted, removed := p.dropIns(templates.ContainerdService, facts, from == fromPackages)
	change.files, change.removed = append(change.files, wanted...), append(change.removed, removed...)
	p.service(&step, facts, change)
	p.add(step)
}

// containerdOptions are decided by the host's facts.
func (p *planner) containerdOptions(facts facts.Host, from source) templates.Containerd {
	inContainer := facts.Contained()
	modern := facts.ByHand(templates.PackageContainerd) && !startsBelow(facts.Versions[templates.PackageContainerd].Version, 2)
	return templates.Containerd{
		Format2:             from != fromBundle && !modern,
		SandboxImage:        p.SandboxImage(),
		Credentials:         len(p.Credentials()) > 0,
		RestrictOOMScoreAdj: !facts.HasCapability(capSysResource),
		DisableAppArmor:     !facts.AppArmor || inContainer,
	}
}

// startsBelow says that a version's first number is below the limit, or not known.
func startsBelow(version string, limit int) bool {
	parts := desired.Numbers(version)
	return len(parts) == 0 || parts[0] < limit
}

// docker plans Docker Engine, which uses the same containerd.
func (p *planner) docker(host inventory.Host, facts facts.Host) {
	lacking := p.lackingRuntime(facts)
	step := hostStep(host, StagePrepare, "docker", "install "+lacking.describeEngine())
	step.Needs = []string{StepID(host.Name, stepContainerd)}
	change := service{unit: templates.DockerService, facts: facts.Units[templates.DockerService], running: true}
	if !facts.Preexisting(templates.DockerService) {
		change.touched = append(ledger.Trees(dockerTrees()), ledger.Files("/run/docker.sock")...)
		change.touched = append(change.touched, ledger.Touch{Kind: ledger.Unit, Key: "docker.socket"}, ledger.Touch{Kind: ledger.Net, Key: "all"})
	}
	if before, exists := facts.Contents[templates.DockerConfigPath]; p.ConfiguresDocker() {
		if !exists && facts.Withholds(templates.DockerConfigPath) {
			p.block(host.Name, step.Title, templates.DockerConfigPath+" is withheld in the file of facts")
			return
		}
		config, err := templates.DockerConfig(before, p.Cluster.Runtime.InsecureRegistries, p.DockerMirrors())
		if err != nil {
			p.block(host.Name, step.Title, fmt.Sprintf("%s:%v", templates.DockerConfigPath, err)) // preflight has reported it
			return
		}
		if !bytes.Equal(config, before) { // what others have in it may be secret
			change.files = append(change.files, templates.HostFile{
				Path: templates.DockerConfigPath, Mode: dockerConfigMode(facts), Content: config, Secret: true,
			})
		}
	}
	wanted, removed := p.dropIns(templates.DockerService, facts, true)
	change.files, change.removed = append(change.files, wanted...), removed
	change.install = p.installPackages(&step, facts, lacking.missing(partEngine, facts))
	p.service(&step, facts, change)
	p.add(step)
}

// dockerConfigMode keeps the mode of a file that is there.
func dockerConfigMode(facts facts.Host) uint32 {
	if is, exists := facts.Files[templates.DockerConfigPath]; exists {
		return is.Mode
	}
	return 0o644
}

// runtimeTrees are the trees that containerd makes; those of one that was there before fairlead
// hold what is not the cluster's.
func runtimeTrees(facts facts.Host) []string {
	if facts.Preexisting(templates.ContainerdService) {
		return networkTrees()
	}
	return append(containerdTrees(), networkTrees()...)
}
