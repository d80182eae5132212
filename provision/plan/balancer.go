package plan

import (
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// balancersLock is held by what changes a balancer: while one of them takes up something new, the others carry the endpoint.
const balancersLock = "balancers"

// asksOfBalancer asks all hosts, as one may have a balancer that it is to have no longer.
func asksOfBalancer(desired.State) facts.Query {
	return facts.Query{
		Paths: templates.BalancerPaths(), Texts: []string{templates.HAProxyConfigFile, templates.KeepalivedConfigFile, templates.BalancerLoaded},
		Units: balancerUnits(),
	}
}

// balancerUnits are its services, in the order in which they stop.
func balancerUnits() []string {
	return []string{templates.KeepalivedService, templates.HAProxyService}
}

// balancerService is one of the two, with its configuration.
type balancerService struct {
	name, unit string
	config     templates.HostFile
	others     []templates.HostFile
}

// balancer plans what carries the endpoint on a control plane. It comes when the host has the cluster's CA, which API servers are
// verified by: after kubeadm has run there. Configurations are tested before they take the place of others; which of them
// the services have read stands in a file of its own, written last, as a run that is cut off between the two cannot be seen otherwise.
func (p *planner) balancer(host inventory.Host, seen facts.Host) {
	balancer := p.balancerOf(host)
	if balancer == nil || !p.carries(host, seen) {
		return
	}
	step := hostStep(host, StageBalance, stepBalancer, "carry the endpoint "+balancer.Address())
	link := p.balancerLink(host, seen)
	if link == "" {
		p.block(host.Name, step.Title, "no interface has the host's address "+host.Address.String())
		return
	}
	step.Lock = balancersLock
	step.Needs = slices.Concat(p.afterInit(), p.joins[host.Name], []string{StepID(host.Name, stepPackages)}, p.balancersBefore(host))
	for _, other := range p.Cluster.ControlPlane.Hosts { // their certificates are for the shared address by then
		step.Needs = append(step.Needs, StepID(other.Name, stepSettings))
	}
	var services, units, loaded []string
	for _, service := range p.balancerServices(host, link) {
		mark := service.name + " " + p.common.sum(service.config)
		loaded = append(loaded, mark)
		if p.balancerService(&step, seen, service, mark) {
			services, units = append(services, service.name), append(units, service.unit)
		}
	}
	if len(services) > 0 {
		step.do(TakeUpBalancer(balancer.Address(), services, units))
		step.do(PutFile{Path: templates.BalancerLoaded, Mode: 0o644, Content: []byte(strings.Join(loaded, "\n") + "\n"), Before: seen.Contents[templates.BalancerLoaded]})
	}
	p.add(step)
}

// balancerOf is what a host is to have a balancer for; nil for all but control planes that share an address.
func (p *planner) balancerOf(host inventory.Host) *inventory.LoadBalancer {
	if host.Role != inventory.RoleControlPlane {
		return nil
	}
	return p.Cluster.ControlPlane.LoadBalancer
}

// balancerService plans the files of one of the services, and says whether it has to take something up.
func (p *planner) balancerService(step *Step, seen facts.Host, service balancerService, mark string) bool {
	changes := Step{Reasons: step.Reasons}
	before := len(changes.Reasons)
	for _, file := range service.others {
		p.hostFile(&changes, seen, file)
	}
	p.hostFile(&changes, seen, service.config)
	for i, action := range changes.Actions {
		if put, ok := action.(PutFile); ok && put.Path == service.config.Path {
			put.Path += templates.BalancerNext
			changes.Actions[i] = put
		}
	}
	unit := seen.Units[service.unit]
	if unit.Active != "active" {
		changes.because("%s is %s", service.unit, orAbsent(unit.Active))
	}
	if unit.Enabled != "enabled" {
		changes.because("%s is not enabled", service.unit)
	}
	if !slices.Contains(strings.Split(string(seen.Contents[templates.BalancerLoaded]), "\n"), mark) && len(changes.Reasons) == before {
		changes.because("%s has not read its configuration", service.unit)
	}
	step.Reasons = changes.Reasons
	step.Actions = append(step.Actions, changes.Actions...)
	return len(changes.Reasons) > before
}

// TakeUpBalancer has services take up their configurations, and waits until an API server answers behind the endpoint.
func TakeUpBalancer(endpoint string, services, units []string) Script {
	touched := ledger.Files(templates.HAProxyConfigFile, templates.KeepalivedConfigFile)
	for _, unit := range units {
		touched = append(touched, ledger.Touch{Kind: ledger.Unit, Key: unit})
	}
	return Script{
		Title: "test and take up the configuration of " + strings.Join(services, " and ") + ", wait until an API server answers behind " + endpoint,
		Name:  templates.ScriptBalancer, Args: append([]string{endpoint}, services...), Touched: touched,
	}
}

// balancerServices are the services of a control plane's balancer, HAProxy first: without it nobody takes the address.
func (p *planner) balancerServices(host inventory.Host, link string) []balancerService {
	from := p.Cluster.ControlPlane.LoadBalancer
	b := templates.Balancer{
		VIP: from.VIP, Port: from.Port, HealthPort: inventory.BalancerHealthPort, Interface: link,
		Own: templates.BalancerHost{Name: host.Name, Address: host.Address},
	}
	for _, other := range p.Cluster.ControlPlane.Hosts {
		b.Hosts = append(b.Hosts, templates.BalancerHost{Name: other.Name, Address: other.Address})
	}
	proxy, keepalived := balancerService{name: "haproxy", unit: templates.HAProxyService}, balancerService{name: "keepalived", unit: templates.KeepalivedService}
	proxy.config, proxy.others = templates.HAProxyFiles(b)
	keepalived.config, keepalived.others = templates.KeepalivedFiles(b)
	return []balancerService{proxy, keepalived}
}

// balancerLink is the interface that gets the shared address; empty where that is not known.
func (p *planner) balancerLink(host inventory.Host, seen facts.Host) string {
	if link := p.Cluster.ControlPlane.LoadBalancer.Interface; link != "" {
		return link
	}
	return linkOf(seen, host.Address)
}

// carries says that a control plane has the cluster's CA, or gets it by this plan.
func (p *planner) carries(host inventory.Host, seen facts.Host) bool {
	return host.Name == p.first || p.joining(host.Name) || seen.Joined() && seen.CA != nil && !p.foreign(seen)
}

// inCluster says that a host is a control plane by now, or becomes the first one by this plan.
func (p *planner) inCluster(host inventory.Host) bool {
	seen, ok := p.reached(host.Name)
	return host.Name == p.first || ok && p.carries(host, seen) && seen.Joined() && !p.halfControlPlane(host, seen)
}

// balancersBefore are the steps of balancers that come before that of a host which is in the cluster: one after another, so that
// what does not work on one of them reaches no other.
func (p *planner) balancersBefore(host inventory.Host) []string {
	if !p.inCluster(host) {
		return nil
	}
	var before []string
	for _, other := range p.Cluster.ControlPlane.Hosts {
		if other.Name == host.Name {
			return before
		}
		if p.inCluster(other) {
			before = append(before, StepID(other.Name, stepBalancer))
		}
	}
	return before
}

// behindEndpoint are the steps after which a host can join: kubelets and kubeadm ask the endpoint.
func (p *planner) behindEndpoint(joining inventory.Host) []string {
	if p.Cluster.ControlPlane.LoadBalancer == nil {
		return nil
	}
	var before []string
	for _, host := range p.Cluster.ControlPlane.Hosts {
		if host.Name != joining.Name && p.inCluster(host) {
			before = append(before, StepID(host.Name, stepBalancer))
		}
	}
	return before
}

// withoutBalancer plans to take a balancer away that the host is to have no longer: first what holds the address.
func (p *planner) withoutBalancer(host inventory.Host, seen facts.Host) {
	if p.balancerOf(host) != nil {
		return
	}
	step := hostStep(host, StagePrepare, stepBalancer, "carry the endpoint no longer")
	step.Lock = balancersLock
	ours := slices.DeleteFunc(templates.BalancerPaths(), func(path string) bool { return !seen.Ours(path) })
	if len(ours) == 0 {
		return
	}
	for _, unit := range balancerUnits() {
		if seen.Units[unit].Active == "active" {
			step.because("%s runs, and is no longer wanted", unit)
			step.do(StopUnit(unit))
		}
	}
	for _, path := range ours {
		step.because("%s is no longer wanted", path)
	}
	step.do(RemoveFiles(ours))
	p.add(step)
}

// mayHoldAddress says that fairlead's keepalived runs on a host, which gives the shared address away when that stops.
func mayHoldAddress(seen facts.Host) bool {
	return seen.Units[templates.KeepalivedService].Active == "active" && !seen.Preexisting(templates.KeepalivedService)
}

// balancerTouches are what the packages of a balancer bring and change, for the ledger: it is written before they come.
func balancerTouches(missing []string) []ledger.Touch {
	var touched []ledger.Touch
	for name, of := range map[string][]ledger.Touch{
		"haproxy": slices.Concat(ledger.Trees([]string{"/etc/haproxy", "/var/lib/haproxy", "/run/haproxy"}), ledger.Files(templates.HAProxyConfigFile, "/run/haproxy.pid", "/run/haproxy-master.sock"),
			[]ledger.Touch{{Kind: ledger.Unit, Key: templates.HAProxyService}}),
		"keepalived": slices.Concat(ledger.Trees([]string{"/etc/keepalived"}), ledger.Files(templates.KeepalivedConfigFile),
			[]ledger.Touch{{Kind: ledger.Unit, Key: templates.KeepalivedService}}),
	} {
		if slices.Contains(missing, name) {
			touched = append(touched, of...)
		}
	}
	slices.SortFunc(touched, func(a, b ledger.Touch) int { return strings.Compare(a.Key, b.Key) })
	return touched
}
