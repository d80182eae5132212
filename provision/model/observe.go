package model

import (
	"maps"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// Observe gives the facts as they are now.
func (s *Simulation) Observe() facts.Facts {
	seen := s.Facts
	seen.Hosts = map[string]facts.Host{}
	for name, host := range s.Facts.Hosts {
		if s.off[name] {
			seen.Hosts[name] = away()
			continue
		}
		host = cloneHost(host)
		host.Versions = s.Versions(host)
		s.share(name, &host)
		seen.Hosts[name] = host
	}
	if err := s.unanswered(); err != nil {
		seen.API = facts.API{Err: err, Etcd: s.etcdFacts()}
		return seen
	}
	s.settleDefinitions()
	seen.API = cloneAPI(s.Facts.API)
	seen.API.Via, seen.API.Etcd = s.via(), s.etcdFacts()
	for name, node := range seen.API.Nodes {
		node.Ready = s.ready(name)
		seen.API.Nodes[name] = node
	}
	seen.API.Orphans = s.orphans()
	// Whoever comes after a run that was killed has taken its lock over, and so owns its tokens.
	seen.API.StaleTokens = slices.Sorted(maps.Keys(s.cluster.tokens))
	return seen
}

// orphans are what the record has, what lives and what no set has any more.
func (s *Simulation) orphans() map[string][]object.Applied {
	orphans, wished := map[string][]object.Applied{}, map[string]bool{}
	for _, set := range s.State.Addons {
		for _, item := range set.Objects {
			wished[object.Key(item)] = true
		}
	}
	for set, objects := range s.Facts.API.Applied {
		for _, item := range objects {
			key := object.Key(item.Object())
			if live, exists := s.Facts.API.Objects[key]; !wished[key] && exists && (object.Owner{Label: object.LabelAddon, Value: set}).Owns(live.Object) {
				orphans[set] = append(orphans[set], item)
			}
		}
	}
	return orphans
}

// via is the host whose API server is asked: the first one that has one.
func (s *Simulation) via() string {
	for _, host := range s.State.Cluster.ControlPlane.Hosts {
		if seen := s.Facts.Hosts[host.Name]; !s.off[host.Name] && len(seen.Processes) > 0 && seen.Kubeconfigs["admin.conf"] {
			return host.Name
		}
	}
	return ""
}

// unanswered is why the API server does not answer.
func (s *Simulation) unanswered() *facts.Problem {
	exists := slices.ContainsFunc(s.State.Cluster.ControlPlane.Hosts, func(host inventory.Host) bool {
		return facts.HasControlPlane(s.Facts.Hosts[host.Name])
	})
	switch {
	case !exists:
		return facts.NoCluster()
	case s.Facts.API.Err == nil && (s.via() == "" || !s.quorate()):
		return world.Refused()
	}
	return s.Facts.API.Err
}

// ready is what the kubelet of a node would say.
func (s *Simulation) ready(node string) bool {
	host := s.Facts.Hosts[s.hostOf(node)]
	_, network := s.Facts.API.Objects["DaemonSet kube-flannel/kube-flannel-ds"]
	if s.off[s.hostOf(node)] || s.served(host.Servers["kubelet.conf"]) != nil {
		return false
	}
	return host.KubeletCredentials && host.Units[templates.KubeletService].Active == "active" && host.Units[templates.ContainerdService].Active == "active" &&
		(network || s.State.Cluster.Addons.Network.Name == inventory.NetworkNone)
}

// hostOf is the host of a node, nodeOf the node of a host.
func (s *Simulation) hostOf(node string) string {
	for _, host := range s.State.Cluster.Hosts() {
		if host.NodeName() == node {
			return host.Name
		}
	}
	return ""
}

func (s *Simulation) nodeOf(name string) string {
	host, _ := s.State.Cluster.Host(name)
	return host.NodeName()
}
