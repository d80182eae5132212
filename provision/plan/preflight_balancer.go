package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// checkVIPName is what ignorePreflight calls the findings about the shared address.
const checkVIPName = "SharedAddress"

// asksOfReach asks every host how it gets to the endpoint, where that is none of the hosts themselves. Of a shared address it
// is enough to know whether somebody answers there.
func asksOfReach(state desired.State) facts.Query {
	switch balancer := state.Cluster.ControlPlane.LoadBalancer; {
	case balancer != nil:
		return facts.Query{Reach: []string{balancer.Address()}}
	case state.ExternalEndpoint():
		return facts.Query{Readyz: []string{state.Cluster.ControlPlane.Endpoint}}
	}
	return facts.Query{}
}

// checkBalancerPrograms finds an HAProxy or a keepalived of somebody else, whose configuration would be replaced.
func checkBalancerPrograms(p *planner, host inventory.Host, f facts.Host) (string, string) {
	if p.balancerOf(host) == nil {
		return "", ""
	}
	for _, program := range []struct{ name, config string }{{"haproxy", templates.HAProxyConfigFile}, {"keepalived", templates.KeepalivedConfigFile}} {
		_, installed := f.Packages[program.name]
		brought := slices.ContainsFunc(f.Ledger, func(e ledger.Entry) bool { return e.Kind == ledger.Package && e.Key == program.name })
		_, configured := f.Files[program.config]
		if configured && !brought && (installed || f.Units[program.name+".service"].Load == "loaded") && !f.Ours(program.config) && !f.InstallCut {
			return program.name + " is on the host already, and controlPlane.loadBalancer would replace its configuration " + program.config,
				"take it off the host, if nobody needs it; or put a load balancer of your own in front, and its name into controlPlane.endpoint"
		}
	}
	return "", ""
}

// checkBalancerPorts finds other programs where the balancer is to listen.
func checkBalancerPorts(p *planner, host inventory.Host, f facts.Host) (string, string) {
	balancer := p.balancerOf(host)
	if balancer == nil {
		return "", ""
	}
	for _, port := range []int{balancer.Port, inventory.BalancerHealthPort} {
		if process, used := f.Ports[port]; used && process != "haproxy" {
			return fmt.Sprintf("port %d, which the balancer of controlPlane.loadBalancer needs, is in use by %q", port, process),
				"stop that program; or, if it may not go, give controlPlane.loadBalancer another port"
		}
	}
	return "", ""
}

// checkSharedNetwork finds a control plane whose network the shared address is not of: nobody there would ask for it.
func checkSharedNetwork(p *planner, host inventory.Host, f facts.Host) (string, string) {
	balancer := p.balancerOf(host)
	if balancer == nil {
		return "", ""
	}
	link := p.balancerLink(host, f)
	if link == "" {
		return "", "" // the address itself is a finding
	}
	var networks []string
	for _, a := range f.Addresses {
		if a.Link != link || a.Prefix.Addr() == balancer.VIP || a.Prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if a.Prefix.Contains(balancer.VIP) {
			return "", ""
		}
		networks = append(networks, a.Prefix.String())
	}
	if len(networks) == 0 {
		return "there is no interface " + link + " with an address, which controlPlane.loadBalancer names", "give an interface that every control plane has; or leave it out for the one with the host's address"
	}
	return fmt.Sprintf("%s of controlPlane.loadBalancer is in no network of the interface %s, which has %s", balancer.VIP, link, strings.Join(networks, ", ")),
		"give an address of the network that all control planes are in; across networks, put a load balancer of your own in front, and its name into controlPlane.endpoint"
}

// checkEndpointToJoin finds a host that would wait in vain to join; for one that has joined, what keeps it is worth a warning.
func checkEndpointToJoin(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.Joined() {
		return "", ""
	}
	return p.endpointProblem(f)
}

func checkEndpointOfMember(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if !f.Joined() {
		return "", ""
	}
	return p.endpointProblem(f)
}

// endpointProblem says why a host does not get to somebody else's balancer, though there is an API server behind it.
func (p *planner) endpointProblem(f facts.Host) (string, string) {
	endpoint := p.Cluster.ControlPlane.Endpoint
	is, asked := f.Reach[endpoint]
	if !asked || !p.ExternalEndpoint() {
		return "", ""
	}
	if is == facts.NoAddress {
		return endpoint + " cannot be reached: the host finds no address of that name", "give the name an address in DNS, or in /etc/hosts of every host"
	}
	if p.found.Situation != facts.Living {
		return "", "" // nothing may answer there yet
	}
	answer, through := f.Readyz[endpoint]
	switch {
	case is != facts.Connected:
		return fmt.Sprintf("%s cannot be reached from the host: %s", endpoint, reachedWords(is)), "let all hosts of the cluster connect to the load balancer, and it to port 6443 of all control planes"
	case through && answer != "ready":
		return fmt.Sprintf("behind %s no API server of this cluster is ready: %s", endpoint, answer),
			"have the load balancer pass TCP connections on as they are, to port 6443 of control planes whose /readyz answers 200"
	}
	return "", ""
}

func reachedWords(is facts.Reached) string {
	return map[facts.Reached]string{
		facts.Refused: "the connection is refused", facts.Unreachable: "nobody has the address", facts.NoAnswer: "nobody answers within two seconds",
	}[is]
}

// checkEarlyEndpoint finds a balancer that takes connections though no API server lives: clients then wait for an answer
// instead of trying again, and a kubelet that starts with its control plane starts no static pod meanwhile (kubernetes#99602).
func checkEarlyEndpoint(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	endpoint := p.Cluster.ControlPlane.Endpoint
	if p.found.Situation != facts.None || !p.ExternalEndpoint() || f.Reach[endpoint] != facts.Connected {
		return "", ""
	}
	return endpoint + " takes connections while no API server lives: kubelets would wait there instead of trying again, and start no pods until they give up",
		"have the load balancer check /readyz of the control planes, and refuse or reset connections while none of them answers"
}

// balancerFindings are about the shared address, which concerns all hosts.
func (p *planner) balancerFindings() {
	balancer := p.Cluster.ControlPlane.LoadBalancer
	if balancer == nil {
		return
	}
	if p.found.Unfinished() && !initNeedsNoEndpoint(p.Cluster.Kubernetes.Version) {
		p.plan.Findings = append(p.plan.Findings, Finding{
			Name: "Version", Message: "kubeadm " + p.Cluster.Kubernetes.Version + " asks the endpoint while it makes the first control plane, and nobody can carry controlPlane.loadBalancer yet",
			Fix: "take Kubernetes 1.36.3 or later; or put a load balancer of your own in front, and its name into controlPlane.endpoint",
		})
	}
	if !p.ignored(checkVIPName) {
		p.holderFindings(balancer)
	}
}

// holderFindings are about who has the shared address.
func (p *planner) holderFindings(balancer *inventory.LoadBalancer) {
	holders := p.common.holders[balancer.VIP]
	away := slices.ContainsFunc(p.Cluster.ControlPlane.Hosts, func(h inventory.Host) bool { return p.facts.Away(h.Name) != "" })
	switch {
	case len(holders) > 1:
		p.plan.Findings = append(p.plan.Findings, Finding{
			Name: checkVIPName, Warning: true,
			Message: fmt.Sprintf("%s is on more than one host: %s do not hear each other", balancer.VIP, strings.Join(holders, " and ")),
			Fix:     "let the control planes send each other IP protocol 112 (VRRP): firewalls between or on them may drop it; journalctl --unit keepalived says what each has heard",
		})
		return
	case len(holders) == 1, away, p.balancersRun():
		return
	}
	for _, host := range p.Cluster.Hosts() {
		f, _ := p.reached(host.Name)
		if is := f.Reach[balancer.Address()]; is == facts.Connected || is == facts.Refused {
			p.plan.Findings = append(p.plan.Findings, Finding{
				Host: host.Name, Name: checkVIPName,
				Message: fmt.Sprintf("somebody answers at %s, which no host of the cluster has", balancer.VIP),
				Fix:     "give controlPlane.loadBalancer an address that nobody has; or take it from that machine: ip neigh show " + balancer.VIP.String() + " on the host names its hardware address",
			})
			return
		}
	}
}

// balancersRun says that an address of which nobody is seen to be the holder may just be on its way from one host to another.
func (p *planner) balancersRun() bool {
	return slices.ContainsFunc(p.Cluster.ControlPlane.Hosts, func(h inventory.Host) bool {
		f, ok := p.reached(h.Name)
		return ok && mayHoldAddress(f)
	})
}

// initNeedsNoEndpoint says that kubeadm init asks the API server of its own host (kubeadm's cmd/phases/init/kubeconfig.go).
func initNeedsNoEndpoint(version string) bool {
	return slices.Compare(desired.Numbers(version), []int{1, 36, 3}) >= 0
}
