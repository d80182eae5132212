package plan

import (
	"fmt"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
)

// planner gathers the steps of one plan. What it is asked for once per host it knows without a
// look at all the steps: the work is linear in hosts.
type planner struct {
	desired.State
	facts   facts.Facts
	plan    Plan
	found   facts.Cluster // its situation
	common  common
	ids     map[string]bool    // of the plan's steps
	blocked map[hostTitle]bool // steps that cannot be planned
}

// hostTitle is a step of a host, by its title.
type hostTitle struct{ host, title string }

func newPlanner(wish desired.State, seen facts.Facts) *planner {
	var names []string
	for _, host := range wish.Cluster.ControlPlane.Hosts {
		names = append(names, host.Name)
	}
	return &planner{State: wish, facts: seen, found: facts.Assess(names, seen), common: newCommon(wish, seen), ids: map[string]bool{}, blocked: map[hostTitle]bool{}}
}

// Make says what has to be done so that the hosts are what the inventory wants. It is
// a pure function: equal arguments give equal plans.
func Make(wish desired.State, facts facts.Facts) Plan {
	p := newPlanner(wish, facts)
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
		p.ids[step.ID] = true
	}
}

// insert puts a step into the plan before the first of those that are meant.
func (p *planner) insert(step Step, before func(Step) bool) {
	p.plan.Steps = slices.Insert(p.plan.Steps, slices.IndexFunc(p.plan.Steps, before), step)
	p.ids[step.ID] = true
}

// has says whether the plan holds the step.
func (p *planner) has(id string) bool { return p.ids[id] }

// isBlocked says that a step of a host could not be planned.
func (p *planner) isBlocked(host, title string) bool { return p.blocked[hostTitle{host, title}] }

func (p *planner) block(host, title, reason string) {
	p.blocked[hostTitle{host, title}] = true
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
	if !p.has(StepID(first, stepInit)) {
		return
	}
	downloads := func(host string) []string {
		return []string{
			StepID(host, stepContainerd), StepID(host, stepKubernetes), StepID(host, stepImages),
			StepID(host, stepRegistry), StepID(host, stepFill),
		}
	}
	ahead := slices.DeleteFunc(downloads(first), func(id string) bool { return !p.has(id) })
	for i := range p.plan.Steps {
		step := &p.plan.Steps[i]
		if step.Host != first && slices.Contains(downloads(step.Host), step.ID) {
			step.GivesWayTo = ahead
		}
	}
}

// reached returns a host's facts, and whether there are any.
func (p *planner) reached(name string) (facts.Host, bool) {
	f, ok := p.facts.Hosts[name]
	return f, ok && f.Unreachable == nil
}

// hostStep starts a step of a host.
func hostStep(host inventory.Host, name, title string) Step {
	return Step{ID: StepID(host.Name, name), Host: host.Name, Title: title}
}

func StepID(host, name string) string { return host + "/" + name }

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
	StepReset      = "reset"
)

// IDs of the steps that concern the whole cluster. Those of sets of objects are cluster/NAME,
// and the user names some of these: the second slash keeps them apart.
const (
	clusterKubeProxy = "cluster/settings/kube-proxy"
	clusterAnnounce  = "cluster/settings/announce"
	clusterRecord    = "cluster/settings/record"
	clusterToken     = "cluster/token/mint"
	ClusterRevoke    = "cluster/token/revoke"
	clusterSweep     = "cluster/token/sweep"
)

// initialising says that the plan makes a control plane.
func (p *planner) initialising() bool {
	return p.found.Unfinished() && p.plan.More == ""
}

// preparation are the steps after which kubeadm may run on the host.
func (p *planner) preparation(host string) []string {
	var ids []string
	if own := p.Cluster.Images.Host; own != "" {
		ids = append(ids, StepID(own, stepFill)) // its images are pulled from there
	}
	for _, name := range []string{
		stepSwap, stepKernel, stepProxy, stepContainerd, stepDocker, stepRegistries, stepKubernetes, stepImages,
	} {
		ids = append(ids, StepID(host, name))
	}
	return ids
}
