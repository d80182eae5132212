package plan

import (
	"fmt"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/object"
)

// planner gathers the steps of one plan. What it is asked for once per host it knows without a
// look at all the steps: the work is linear in hosts.
type planner struct {
	desired.State
	facts   facts.Facts
	plan    Plan
	found   facts.Cluster      // its situation
	common  common             // the zero value in a reset
	ids     map[string]bool    // of the plan's steps
	blocked map[hostTitle]bool // steps that cannot be planned
	// prepared and joins are the IDs of steps after which kubeadm may run on a host, and of those
	// that make it a member, by host.
	prepared, joins map[string][]string
	first           string // the host on which kubeadm init is to run
	ownership       *owners
	gates           []string // IDs of the steps after which the endpoint is known to answer
}

// hostTitle is a step of a host, by its title.
type hostTitle struct{ host, title string }

func newPlanner(wish desired.State, seen facts.Facts) *planner {
	var names []string
	for _, host := range wish.Cluster.ControlPlane.Hosts {
		names = append(names, host.Name)
	}
	return &planner{State: wish, facts: seen, found: facts.Assess(names, seen),
		ids: map[string]bool{}, blocked: map[hostTitle]bool{}, prepared: map[string][]string{}, joins: map[string][]string{}}
}

// withCommon is for plans that make things: a reset knows the inventory alone, and not what
// completes it.
func (p *planner) withCommon() *planner {
	p.common = newCommon(p.State, p.facts)
	return p
}

// Make says what has to be done so that the hosts are what the inventory wants. It is
// a pure function: equal arguments give equal plans. For a host of which something that matters
// cannot be read nothing is planned, and there is a finding that forbids to run the plan.
func Make(wish desired.State, facts facts.Facts) Plan {
	seen := facts.Understood()
	p := newPlanner(atObserved(wish, seen), seen).withCommon()
	if half, _ := p.recovery(); half {
		return p.plan
	}
	p.preflight()
	p.endpointFindings()
	p.strangers()
	for _, host := range p.Cluster.Hosts() {
		p.prepare(host)
	}
	p.members()
	p.settings()
	p.addons()
	p.readiness()
	p.serving()
	p.claims()
	p.giveWay()
	p.pruneNeeds()
	return p.plan
}

// add puts a step into the plan, unless there is nothing to do in it.
func (p *planner) add(step Step) {
	if len(step.Actions) > 0 {
		p.plan.Steps = append(p.plan.Steps, step)
		p.ids[step.ID] = true
		p.index(step)
	}
}

// index remembers what others ask of a host's steps.
func (p *planner) index(step Step) {
	switch {
	case step.Host == "":
	case step.Stage.prepares():
		p.prepared[step.Host] = append(p.prepared[step.Host], step.ID)
	case step.Stage == StageJoin:
		p.joins[step.Host] = append(p.joins[step.Host], step.ID)
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
	if p.first == "" {
		return
	}
	var ahead []string
	for _, step := range p.plan.Steps {
		if step.Host == p.first && step.Stage.downloads() {
			ahead = append(ahead, step.ID)
		}
	}
	for i := range p.plan.Steps {
		if step := &p.plan.Steps[i]; step.Host != p.first && step.Stage.downloads() {
			step.GivesWayTo = ahead
		}
	}
}

// reached returns a host's facts, and whether there are any.
func (p *planner) reached(name string) (facts.Host, bool) {
	f, ok := p.facts.Hosts[name]
	return f, ok && f.Unreachable == nil
}

// registered returns the Node of a host, and whether there is one.
func (p *planner) registered(host inventory.Host) (object.Node, bool) {
	node, ok := p.facts.API.Nodes[host.NodeName()]
	return node, ok
}

// hostStep starts a step of a host.
func hostStep(host inventory.Host, stage Stage, name, title string) Step {
	return Step{ID: StepID(host.Name, name), Stage: stage, Host: host.Name, Title: title}
}

// StepID is the ID of a host's step of that name.
func StepID(host, name string) string { return host + "/" + name }

func (s *Step) because(format string, args ...any) {
	s.Reasons = append(s.Reasons, fmt.Sprintf(format, args...))
}

func (s *Step) do(actions ...Action) { s.Actions = append(s.Actions, actions...) }

// Names of the steps of a host that others need by their names.
const (
	stepProxy      = "proxy"
	stepRepos      = "repositories"
	stepPackages   = "packages"
	stepBalancer   = "balancer"
	stepContainerd = "containerd"
	stepImages     = "images"
	stepRegistry   = "registry"
	stepFill       = "registry-fill"
	stepServing    = "serving"
	stepSettings   = "settings"
	stepKept       = "keep-settings"
	stepKubelet    = "kubelet-settings"
	stepInit       = "init"
	stepJoin       = "join"
	stepNode       = "node"
	stepReady      = "ready"
	stepLeave      = "leave"
	stepReset      = "reset"
)

// IDs of the steps that concern the whole cluster. Those of sets of objects are cluster/NAME,
// and the user names some of these: the second slash keeps them apart.
const (
	clusterToken  = "cluster/token/mint"
	ClusterRevoke = "cluster/token/revoke"
)

// preparation are the steps after which kubeadm may run on the host.
func (p *planner) preparation(host string) []string {
	var ids []string
	if own := StepID(p.Cluster.Images.Host, stepFill); p.has(own) {
		ids = append(ids, own) // its images are pulled from there
	}
	return append(ids, p.prepared[host]...)
}

// afterInit are the needs of what must wait for kubeadm init, if that has to run.
func (p *planner) afterInit() []string {
	if p.first == "" {
		return nil
	}
	return []string{StepID(p.first, stepInit)}
}

// joining says that the host becomes a member by this plan.
func (p *planner) joining(host string) bool { return len(p.joins[host]) > 0 }
