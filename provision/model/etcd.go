package model

import (
	"errors"
	"fmt"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// etcdRuns says that the member of a host is at work.
func (s *Simulation) etcdRuns(name string) bool {
	h := s.Facts.Hosts[name]
	_, data := h.Files[etcdMember]
	return h.Unreachable == nil && data && !h.EtcdUnbegun && slices.Contains(h.Manifests, "etcd.yaml")
}

// quorate says that enough members are at work. Before there are any, there is nothing to agree on.
func (s *Simulation) quorate() bool {
	running := 0
	for name := range s.cluster.etcd {
		if s.etcdRuns(name) {
			running++
		}
	}
	return len(s.cluster.etcd) == 0 || running > len(s.cluster.etcd)/2
}

// etcdFacts are what a member that is at work says of all, if there is one.
func (s *Simulation) etcdFacts() facts.Etcd {
	var etcd facts.Etcd
	hosts := slices.DeleteFunc(slices.Clone(s.State.Cluster.ControlPlane.Hosts), func(h inventory.Host) bool { return !s.cluster.etcd[h.Name] })
	for i, host := range hosts {
		runs := s.etcdRuns(host.Name)
		if runs && etcd.Via == "" {
			etcd.Via = host.Name
		}
		etcd.Members = append(etcd.Members, facts.EtcdMember{
			ID: fmt.Sprint(i), Name: host.NodeName(), PeerURLs: []string{plan.RemoveFormerMember{Address: host.Address}.PeerURL()},
			Started: true, Listens: runs, Healthy: runs && s.quorate(),
		})
	}
	switch {
	case len(hosts) == 0:
		return facts.Etcd{}
	case etcd.Via == "":
		return facts.Etcd{Problem: &facts.Problem{Kind: facts.EtcdNoAnswer, Text: "connection refused"}}
	}
	etcd.NoQuorum = !s.quorate()
	return etcd
}

// recoverEtcd does a part of a recovery on the host of the member that is left.
func (s *Simulation) recoverEtcd(h *facts.Host, a plan.Script) error {
	manifest := templates.ManifestPath(templates.ComponentEtcd)
	_, there := h.Files[manifest]
	switch a.Args[0] {
	case "begin":
		world.Written(h, templates.RecoveryMark, 0o600, templates.Recovery{Lost: a.Args[1:]}.Text())
		if there {
			world.Written(h, templates.RecoveryManifest, 0o600, h.Contents[manifest])
			remove(h, manifest)
		}
	case "copy":
		if there {
			return errors.New("etcd runs")
		}
		world.Written(h, templates.RecoveryCopy, 0o600, nil)
	case "back":
		if !there {
			world.Written(h, manifest, 0o600, h.Contents[templates.RecoveryManifest])
		}
		remove(h, templates.RecoveryMark, templates.RecoveryManifest)
	case "end":
		remove(h, templates.RecoveryMark, templates.RecoveryManifest)
	}
	return nil
}

// forceNewCluster has the etcd of a host forget all other members.
func (s *Simulation) forceNewCluster(name string, h *facts.Host) error {
	if _, copied := h.Files[templates.RecoveryCopy]; !copied {
		return errors.New("there is no copy of etcd's data")
	}
	forced, err := templates.Force(h.Contents[templates.RecoveryManifest])
	if err != nil {
		return err
	}
	mark, _ := templates.ReadRecovery(h.Contents[templates.RecoveryMark])
	mark.Forced = true
	world.Written(h, templates.RecoveryMark, 0o600, mark.Text())
	world.Written(h, templates.ManifestPath(templates.ComponentEtcd), 0o600, forced)
	s.cluster.etcd = map[string]bool{name: true}
	return nil
}

func (s *Simulation) endForce(name string, h *facts.Host) error {
	if len(s.cluster.etcd) != 1 || !s.cluster.etcd[name] {
		return fmt.Errorf("etcd has the members %v", s.cluster.etcd)
	}
	path := templates.ManifestPath(templates.ComponentEtcd)
	world.Written(h, path, 0o600, templates.Unforce(h.Contents[path]))
	return nil
}
