package plan

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// packagesLock is held by what works with packages: the package manager does one thing at a time.
func packagesLock(host string) string { return "packages of " + host }

// packageNeed is a package that is to be installed.
type packageNeed struct {
	name    string
	version string // exactly; empty for what the repository has
	again   bool   // it is installed and its files are not those of the package
	reason  string
}

// installPackages are the actions that bring packages.
func (p *planner) installPackages(step *Step, facts facts.Host, needs []packageNeed) []Action {
	family, known := facts.Family()
	if len(needs) == 0 || !known { // preflight reports an unknown family
		return nil
	}
	step.Needs = append(step.Needs, StepID(step.Host, stepRepos))
	step.Lock = packagesLock(step.Host)
	var missing, again []string
	for _, need := range needs {
		step.because("%s", need.reason)
		spec := need.name
		if need.version != "" {
			spec = family.Pinned(need.name, need.version)
		}
		if need.again {
			again = append(again, spec)
		} else {
			missing = append(missing, spec)
		}
	}
	var actions []Action
	if len(missing) > 0 {
		actions = append(actions, InstallPackages(family.Manager, missing))
	}
	if len(again) > 0 {
		actions = append(actions, ReinstallPackages(family.Manager, again))
	}
	return actions
}

// asksOfRepositories asks for the files of all families: of which one a host is, its answer says.
func asksOfRepositories(state desired.State) facts.Query {
	var query facts.Query
	for _, family := range templates.Families() {
		for _, repository := range []templates.PackageRepository{
			family.KubernetesRepository(state.KubernetesRepository, ""), family.DockerRepository(state.RuntimeRepository, ""),
		} {
			for _, file := range repository.Files {
				query.Paths = append(query.Paths, file.Path)
				query.Texts = append(query.Texts, file.Path)
			}
		}
	}
	return query
}

// repositories plans that a host knows the repositories of the packages that it is going to
// install. Their signatures are verified here, before anything is installed.
func (p *planner) repositories(host inventory.Host, facts facts.Host) {
	family, _ := facts.Family()
	step := hostStep(host, StageSource, stepRepos, "read the package repositories")
	step.Needs = []string{StepID(host.Name, stepProxy)}
	step.Lock = packagesLock(host.Name)
	if facts.InstallCut {
		step.because("an install was cut off before the ledger had its packages")
		step.do(AccountPackages(family.Manager))
	}
	var names []string
	for _, repository := range p.neededRepositories(facts) {
		step.because("packages of %s are to be installed", repository.Title)
		if repository.KeyURL != "" { // first: without its key the repository would be an error for all
			step.do(FetchKey(family.Manager, repository.KeyURL, repository.KeyPath))
		}
		for _, file := range repository.Files {
			p.hostFile(&step, facts, file)
		}
		names = append(names, repository.Name)
	}
	if len(names) > 0 {
		step.do(RefreshRepositories(family.Manager, names))
	}
	p.add(step)
}

// neededRepositories are those of packages that are to be installed.
func (p *planner) neededRepositories(facts facts.Host) []templates.PackageRepository {
	family, known := facts.Family()
	if !known {
		return nil // preflight reports it
	}
	var repositories []templates.PackageRepository
	if from, _ := p.runtimeSource(facts); from == fromPackages && !p.ForeignRuntime() {
		lacking := p.lackingRuntime(facts)
		needs := lacking.missing(partContainerd, facts)
		if p.Cluster.Runtime.Name == inventory.RuntimeDocker {
			needs = append(needs, lacking.missing(partEngine, facts)...)
		}
		if len(needs) > 0 && lacking.fromDocker {
			repositories = append(repositories, family.DockerRepository(p.RuntimeRepository, facts.OS.Codename))
		}
	}
	if from, _ := p.kubernetesSource(facts); from == fromPackages && len(p.lackingKubernetes(facts)) > 0 {
		minor := fmt.Sprintf("1.%d", desired.MinorOf(p.Cluster.Kubernetes.Version))
		repositories = append(repositories, family.KubernetesRepository(p.KubernetesRepository, minor))
	}
	return repositories
}

// The parts of a runtime that are installed one by one.
const (
	partContainerd = "containerd"
	partEngine     = "Docker Engine"
)

// runtimePackages are the packages of the container runtime of one host.
type runtimePackages struct {
	fromDocker bool     // from Docker's repository, else from the distribution's
	family     string   // for people
	containerd string   // package
	engine     []string // packages of Docker Engine, if that is wanted
}

// lackingRuntime chooses the packages of the runtime: of what is installed already, else the
// distribution's containerd if its version fits, else Docker's.
func (p *planner) lackingRuntime(facts facts.Host) runtimePackages {
	family, _ := facts.Family()
	distribution := runtimePackages{family: family.Name, containerd: family.Containerd, engine: []string{family.Docker}}
	docker := runtimePackages{fromDocker: true, family: "Docker", containerd: templates.PackageContainerdIO, engine: []string{desired.PackageDockerCE, "docker-ce-cli"}}
	candidate := facts.Candidates[family.Containerd]
	switch installed := facts.ContainerdPackage(); {
	case installed == templates.PackageContainerdIO:
		return docker
	case installed != "":
		distribution.containerd = installed
		if family.Docker == "" {
			distribution.engine = nil // there is none that goes with it
		}
		return distribution
	case family.DockerPath == "":
		return distribution
	case family.Containerd == "":
		return docker
	case p.ignored(checkContainerdName), candidate != "" && desired.ContainerdFits(p.Cluster.Kubernetes.Version, candidate):
		return distribution
	}
	return docker
}

func (r runtimePackages) describe() string { return r.containerd + " from packages of " + r.family }

func (r runtimePackages) describeEngine() string {
	return "Docker Engine from packages of " + r.family
}

// missing are the packages of a part of the runtime that the host does not have.
func (r runtimePackages) missing(part string, facts facts.Host) []packageNeed {
	wanted := []string{r.containerd}
	if part == partEngine {
		wanted = r.engine
	}
	var needs []packageNeed
	for _, name := range wanted {
		if _, installed := facts.Packages[name]; !installed {
			needs = append(needs, packageNeed{name: name, reason: "package " + name + " is missing"})
		}
	}
	return needs
}
