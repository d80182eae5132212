package model

import (
	"errors"
	"fmt"
	"slices"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// remove takes hosts out of the cluster, as the plan of that says.
func (s *Simulation) remove(order plan.RemoveOrder) error {
	s.t.Helper()
	whole := s.State.Cluster
	s.State.Cluster = whole.WithLast(order.Names)
	defer func() { s.State.Cluster = whole }()
	made, err := plan.MakeRemove(s.State, s.Observe(), order)
	if err != nil {
		return err
	}
	if len(made.Blocked) > 0 {
		return fmt.Errorf("blocked: %v", made.Blocked)
	}
	return s.do(made)
}

// switchOff has hosts be off from now on.
func (s *Simulation) switchOff(names ...string) {
	for _, name := range names {
		s.off[name] = true
		delete(s.letIn, name)
	}
}

// away is what is seen of a host that is off.
func away() facts.Host { return facts.Host{Unreachable: world.NoRoute()} }

// member is the host whose member of etcd an action is about.
func (s *Simulation) member(m plan.Member) (string, error) {
	host := s.hostOf(m.Node)
	switch {
	case s.via() == m.Host:
		return "", fmt.Errorf("the etcd member of %s would go through itself", m.Host)
	case m.Dead && !s.off[host] && s.Facts.Hosts[host].Files[etcdMember] != (facts.File{}):
		return "", fmt.Errorf("the etcd member of %s lives", m.Node)
	case !m.Dead && s.off[host]:
		return "", fmt.Errorf("the host of %s is off", m.Node)
	}
	return host, nil
}

// goesOn says why etcd would not go on without a member.
func (s *Simulation) goesOn(host string) error {
	well := 0
	for name := range s.cluster.etcd {
		if name != host && !s.off[name] && s.Facts.Hosts[name].NotEmpty[etcdData] {
			well++
		}
	}
	if s.cluster.etcd[host] && well < len(s.cluster.etcd)/2+1 && well < len(s.cluster.etcd)-1 {
		return errors.New("etcd has no quorum")
	}
	return nil
}

func (s *Simulation) checkQuorum(m plan.Member) error {
	host, err := s.member(m)
	return errors.Join(err, s.goesOn(host))
}

func (s *Simulation) removeMember(m plan.Member) error {
	host, err := s.member(m)
	if err = errors.Join(err, s.goesOn(host)); err != nil {
		return err
	}
	delete(s.cluster.etcd, host)
	return nil
}

// markRemoved has to come while the node is there: who is cut off after that would not know of it.
func (s *Simulation) markRemoved(a plan.MarkRemoved) error {
	if s.Facts.API.Removed == nil {
		s.Facts.API.Removed = map[string]object.Removed{}
	}
	s.Facts.API.Removed[a.Node] = object.Removed{Node: a.Node, Address: a.Address.String(), MachineID: a.MachineID, Since: s.Facts.ObservedAt}
	return nil
}

func (s *Simulation) awaitDetached(node string) error {
	is, exists := s.Facts.API.Nodes[node]
	out := slices.ContainsFunc(is.Taints, func(t object.Taint) bool { return t.Key == object.TaintOutOfService })
	if exists && (!out || s.ready(node)) {
		return fmt.Errorf("the pods of %s never go: out of service %v", node, out)
	}
	return nil
}

// forgetNode is for a node that no kubelet would make again. kubeadm finds etcd members by their nodes.
func (s *Simulation) forgetNode(name string) error {
	host := s.hostOf(name)
	seen, off := s.Facts.Hosts[host], s.off[host]
	_, marked := s.Facts.API.Removed[name]
	_, exists := s.Facts.API.Nodes[name]
	switch {
	case exists && !off && seen.KubeletCredentials && seen.Units[templates.KubeletService].Active == "active":
		return fmt.Errorf("the kubelet of %s would make its node again", name)
	case s.cluster.etcd[host]:
		return fmt.Errorf("the etcd member of %s would stay", name)
	case off && !marked:
		return fmt.Errorf("nobody would know %s when it wakes", name)
	}
	delete(s.Facts.API.Nodes, name)
	return nil
}

// forgetRemoved is for a host that has nothing any more.
func (s *Simulation) forgetRemoved(node string) error {
	if host := s.Facts.Hosts[s.hostOf(node)]; host.KubeletStarted() || facts.HasControlPlane(host) {
		return fmt.Errorf("%s still has what it had", node)
	}
	delete(s.Facts.API.Removed, node)
	return nil
}
