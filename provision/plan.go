package provision

import (
	"fmt"
	"slices"

	"fairlead/inventory"
)

// planner gathers the steps of one plan.
type planner struct {
	Wish
	facts Facts
	plan  Plan
}

// MakePlan says what has to be done so that the hosts are what the inventory wants. It is
// a pure function: equal arguments give equal plans.
func MakePlan(wish Wish, facts Facts) Plan {
	p := &planner{Wish: wish, facts: facts}
	p.preflight()
	for _, host := range p.Cluster.Hosts() {
		p.prepare(host)
	}
	p.members()
	p.settings()
	p.addons()
	p.readiness()
	p.serving()
	p.giveWay()
	p.pruneNeeds()
	return p.plan
}

// add puts a step into the plan, unless there is nothing to do in it.
func (p *planner) add(step Step) {
	if len(step.Actions) > 0 {
		p.plan.Steps = append(p.plan.Steps, step)
	}
}

// has says whether the plan holds the step.
func (p *planner) has(id string) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s Step) bool { return s.ID == id })
}

// isBlocked says that a step of a host could not be planned.
func (p *planner) isBlocked(host, title string) bool {
	return slices.ContainsFunc(p.plan.Blocked, func(b Blocked) bool { return b.Host == host && b.Title == title })
}

func (p *planner) block(host, title, reason string) {
	p.plan.Blocked = append(p.plan.Blocked, Blocked{Host: host, Title: title, Reason: reason})
}

// pruneNeeds drops needs that are fulfilled already, that is, have no step.
func (p *planner) pruneNeeds() {
	for i := range p.plan.Steps {
		step := &p.plan.Steps[i]
		step.Needs = slices.DeleteFunc(step.Needs, func(id string) bool { return !p.has(id) })
	}
}

// giveWay lets what the first control plane downloads go first, when it is to be initialised:
// nobody can join before, and the laptop's link and processors are shared by all.
func (p *planner) giveWay() {
	first := p.Cluster.ControlPlane.Hosts[0].Name
	if !p.has(stepID(first, stepInit)) {
		return
	}
	downloads := func(host string) []string {
		return []string{
			stepID(host, stepContainerd), stepID(host, stepKubernetes), stepID(host, stepImages),
			stepID(host, stepRegistry), stepID(host, stepFill),
		}
	}
	for i := range p.plan.Steps {
		step := &p.plan.Steps[i]
		if step.Host != first && slices.Contains(downloads(step.Host), step.ID) {
			step.GivesWayTo = slices.DeleteFunc(downloads(first), func(id string) bool { return !p.has(id) })
		}
	}
}

// reached returns a host's facts, and whether there are any.
func (p *planner) reached(name string) (HostFacts, bool) {
	f, ok := p.facts.Hosts[name]
	return f, ok && f.Unreachable == nil
}

// hostStep starts a step of a host.
func hostStep(host inventory.Host, name, title string) Step {
	return Step{ID: stepID(host.Name, name), Host: host.Name, Title: title}
}

func stepID(host, name string) string { return host + "/" + name }

func (s *Step) because(format string, args ...any) {
	s.Reasons = append(s.Reasons, fmt.Sprintf(format, args...))
}

func (s *Step) do(actions ...Action) { s.Actions = append(s.Actions, actions...) }

// Names of the steps of a host.
const (
	stepSwap       = "swap"
	stepKernel     = "kernel"
	stepProxy      = "proxy"
	stepRepos      = "repositories"
	stepContainerd = "containerd"
	stepDocker     = "docker"
	stepKubernetes = "kubernetes"
	stepImages     = "images"
	stepRegistry   = "registry"
	stepFill       = "registry-fill"
	stepRegistries = "registries"
	stepServing    = "serving"
	stepSettings   = "settings"
	stepKept       = "keep-settings"
	stepKubelet    = "kubelet-settings"
	stepAwait      = "await-kubeadm"
	stepInit       = "init"
	stepJoin       = "join"
	stepAPI        = "await-api"
	stepNode       = "node"
	stepReady      = "ready"
	stepLeave      = "leave"
	stepReset      = "reset"
)

// IDs of the steps that concern the whole cluster. Those of sets of objects are cluster/NAME,
// and the user names some of these: the second slash keeps them apart.
const (
	clusterKubeProxy = "cluster/settings/kube-proxy"
	clusterAnnounce  = "cluster/settings/announce"
	clusterRecord    = "cluster/settings/record"
	clusterToken     = "cluster/token/mint"
	clusterRevoke    = "cluster/token/revoke"
	clusterSweep     = "cluster/token/sweep"
)

// initialising says that the plan makes a control plane.
func (p *planner) initialising() bool {
	return slices.ContainsFunc(p.plan.Steps, func(s Step) bool { return s.ID == stepID(s.Host, stepInit) })
}

// preparation are the steps after which kubeadm may run on the host.
func (p *planner) preparation(host string) []string {
	var ids []string
	if own := p.Cluster.Images.Host; own != "" {
		ids = append(ids, stepID(own, stepFill)) // its images are pulled from there
	}
	for _, name := range []string{
		stepSwap, stepKernel, stepProxy, stepContainerd, stepDocker, stepRegistries, stepKubernetes, stepImages,
	} {
		ids = append(ids, stepID(host, name))
	}
	return ids
}
