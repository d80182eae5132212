package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/object"
)

// manner is how a machine stands to the node that is removed.
type manner int

const (
	// machineLiving: the machine is what the node says.
	machineLiving manner = iota
	// machineVacant: it was looked at, and has nothing of a cluster any more.
	machineVacant
	// machineDead: it cannot be reached, and nothing of it is heard.
	machineDead
	// machineBeside: the inventory has no such machine, and its node is Ready.
	machineBeside
)

// leaver is one that is removed.
type leaver struct {
	host         inventory.Host // of no Role without one
	node         string
	controlPlane bool
	address      netip.Addr
	manner       manner
}

func (l leaver) member() Member {
	return Member{Host: l.host.Name, Node: l.node, Address: l.address, Dead: l.manner == machineDead || l.manner == machineVacant}
}

// name is what it was called in the order.
func (l leaver) name() string {
	if l.host.Name != "" {
		return l.host.Name
	}
	return l.node
}

// leavers finds out who is meant, and whether they can go.
func (p *planner) leavers(order RemoveOrder) ([]leaver, error) {
	if p.found.Situation != facts.Living {
		return nil, fmt.Errorf("no host can be removed while the API server does not answer: %w", errors.New(p.found.Reason))
	}
	if slices.Contains(order.Names, p.found.Host) {
		return nil, fmt.Errorf("no API server answers but that of %s, which is to leave: mend another control plane first; to take the whole cluster down: fairlead reset", p.found.Host)
	}
	var all []leaver
	var errs []error
	for _, name := range order.Names {
		l, err := p.leaver(name, order.Unreachable)
		if err == nil {
			err = p.holdsEndpoint(l)
		}
		all, errs = append(all, l), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// leaver is who is meant by a name.
func (p *planner) leaver(name string, unreachable bool) (leaver, error) {
	host, known := p.Cluster.Host(name)
	if !known {
		return p.stranger(name, unreachable)
	}
	seen, reached := p.reached(name)
	l := leaver{host: host, node: p.nodeOf(host, seen), controlPlane: host.Role == inventory.RoleControlPlane, address: host.Address}
	ready := p.facts.API.Nodes[l.node].Ready
	switch vacant := reached && seen.CA == nil && !seen.KubeletStarted(); {
	case reached && unreachable:
		return l, fmt.Errorf("%s answers: leave --unreachable away, so that it is drained and reset", name)
	case vacant && ready:
		return l, fmt.Errorf("node %s is Ready, and %s has nothing of a cluster: another machine is that node, or the host was emptied less than a minute ago; try again then", l.node, name)
	case vacant:
		l.manner = machineVacant
	case !reached:
		l.manner = machineDead
		return l, provenOff(l, seen.Unreachable, ready, unreachable)
	}
	return l, nil
}

// nodeOf is what a host's node is called: it may have joined by another name than the inventory has for it.
func (p *planner) nodeOf(host inventory.Host, seen facts.Host) string {
	if is := seen.NodeName(); is != "" && seen.CA != nil && !p.foreign(seen) {
		return is
	}
	return host.NodeName()
}

// provenOff says why a host that does not answer cannot be taken for one that is off.
func provenOff(l leaver, cause *facts.Problem, ready, unreachable bool) error {
	switch name := l.host.Name; {
	case !unreachable:
		return fmt.Errorf("%s cannot be looked at, and would not be reset: %w; if it is off, and stays so until it is reset: --unreachable", name, cause)
	case !cause.Of(facts.HostUnreachable):
		return fmt.Errorf("%s is not proven to be off, something answers at its address: %w", name, cause)
	case ready:
		return fmt.Errorf("%s is not proven to be off: its kubelet reports that node %s is Ready; if the machine has just gone off, try again in a minute", name, l.node)
	}
	return nil
}

// stranger is a node that no host of the inventory has. What its machine is like is not known: only the cluster's side of it goes.
func (p *planner) stranger(name string, unreachable bool) (leaver, error) {
	node, exists := p.facts.API.Nodes[name]
	if !exists || p.named()[name] {
		return leaver{}, fmt.Errorf("%s is neither a host of the inventory nor a node of the cluster that no host has", name)
	}
	l := leaver{node: name, manner: machineBeside}
	_, l.controlPlane = node.Labels[object.LabelControlPlane]
	l.address, _ = netip.ParseAddr(node.InternalIP)
	switch {
	case l.controlPlane && !l.address.IsValid():
		return l, fmt.Errorf("node %s is a control plane without an address, so that its member of etcd cannot be found", name)
	case node.Ready && unreachable:
		return l, fmt.Errorf("node %s is Ready: leave --unreachable away, so that it is drained", name)
	case !node.Ready && !unreachable:
		return l, fmt.Errorf("node %s is not Ready (%s), and nobody would end its pods; if its machine is off, and stays so until it is reset: --unreachable", name, node.ReadyMessage)
	case !node.Ready:
		l.manner = machineDead
	}
	return l, nil
}

// holdsEndpoint refuses to remove the host at whose own address the cluster is reached, by the file or by what the cluster keeps.
func (p *planner) holdsEndpoint(l leaver) error {
	if l.host.Name == "" {
		return nil
	}
	wanted, observed := p.Cluster.ControlPlane.Endpoint, observedEndpoint(p.Cluster, p.facts)
	holds := func(endpoint string) bool { return leadsTo(endpoint, l.host.Addresses()...) }
	switch {
	case holds(wanted):
		return fmt.Errorf("the cluster is reached at %s, which is the address of %s: give it another controlPlane.endpoint first, one that stays", wanted, l.host.Name)
	case holds(observed):
		return fmt.Errorf("the cluster still goes by %s, which is the address of %s: run fairlead up first, which moves it to %s", observed, l.host.Name, wanted)
	}
	return nil
}
