package model

import (
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
)

// halfLost is a cluster of three control planes of which only the last is left.
func halfLost(t *testing.T) *Simulation {
	t.Helper()
	s := inUse(t, world.All(world.ThreeControlPlanes, world.OtherNodeNames))
	s.WantConverged()
	for _, host := range s.lostHosts() {
		s.Facts.Hosts[host.Name] = facts.Host{Unreachable: world.NoRoute()}
	}
	s.stale = map[string]bool{}
	return s
}

func (s *Simulation) lostHosts() []inventory.Host { return s.State.Cluster.ControlPlane.Hosts[:2] }

// reborn puts new machines in the place of those that are lost.
func (s *Simulation) reborn() {
	for _, host := range s.lostHosts() {
		fresh := world.FreshHost(host)
		ofUser(&fresh)
		s.Facts.Hosts[host.Name] = fresh
		_ = s.change(host.Name, func(*facts.Host) error { return nil })
	}
}

// recover does a recovery as a run does, and says what it gives up.
func (s *Simulation) recover(from string) (plan.Loss, error) {
	s.t.Helper()
	for {
		made, err := plan.MakeRecovery(s.State, s.Observe(), from)
		if err == nil {
			err = s.do(made.Plan)
		}
		if err != nil || !made.Again {
			return made.Loss, err
		}
	}
}

// A cluster that has lost its quorum is recovered from what is left, wherever the run for that is cut off: by the same command or by up.
// Then the others join anew. What is on the host of the survivor is as it was.
func TestRecoverFromALostQuorum(t *testing.T) {
	lost := halfLost(t)
	survivor := lost.State.Cluster.ControlPlane.Hosts[2].Name
	if err := lost.Fork().up(); len(lost.found("QuorumLost")) == 0 || err == nil {
		t.Fatalf("up says %v, with a lost quorum", err)
	}
	var whole string
	for n := 0; ; n++ {
		s := lost.Fork()
		if n > 0 {
			s.cutOff(n-1, true, n%2 == 0)
		}
		loss, err := s.recover(survivor)
		reached, _ := s.uncut()
		if reached != (err != nil) {
			t.Fatalf("cut at %d: reached %v, and it says %v", n-1, reached, err)
		}
		if n == 0 && (loss.Survivor != survivor || loss.Voters != 3 || len(loss.Members) != 2) {
			t.Errorf("it gives up %+v", loss)
		}
		if reached && n%3 == 0 {
			_ = s.up() // finishes it or goes back
		}
		if _, err := s.recover(survivor); reached && err != nil && !strings.HasPrefix(err.Error(), "etcd has its quorum") {
			t.Fatalf("cut at %d: it does not go on: %v", n-1, err)
		}
		if len(s.found("QuorumLost")) > 0 || len(s.cluster.etcd) != 1 || !s.cluster.etcd[survivor] || len(s.Facts.API.Nodes) != 3 {
			t.Fatalf("cut at %d: etcd has %v, nodes %v", n-1, s.cluster.etcd, s.Facts.API.Nodes)
		}
		s.reborn()
		s.WantConverged()
		if whole == "" {
			whole = s.state()
		}
		s.wantState(whole)
		if n > 0 && !reached {
			return
		}
	}
}

// What might be alive yet stops a recovery before anything is changed.
func TestRecoverRefuses(t *testing.T) {
	lost := halfLost(t)
	survivor := lost.State.Cluster.ControlPlane.Hosts[2].Name
	gone := lost.lostHosts()[0]
	for want, c := range map[string]struct {
		from   string
		change func(*Simulation)
	}{
		"etcd has its quorum": {survivor, func(s *Simulation) {
			delete(s.cluster.etcd, lost.lostHosts()[0].Name)
			delete(s.cluster.etcd, lost.lostHosts()[1].Name)
		}},
		"the etcd that answers is that of " + survivor: {gone.Name, func(*Simulation) {}},
		"w1 is no control-plane host of the inventory": {"w1", func(*Simulation) {}},
		"nobody is no control-plane host":              {"nobody", func(*Simulation) {}},
		"the host of the etcd member " + gone.NodeName() + " answers, and cannot be looked at: another key": {survivor, func(s *Simulation) {
			s.Facts.Hosts[gone.Name] = facts.Host{Unreachable: &facts.Problem{Kind: facts.HostKey, Text: "another key"}}
		}},
		"the host of the etcd member " + gone.NodeName() + " lives and has its data": {survivor, func(s *Simulation) {
			h := world.FreshHost(gone)
			world.Written(&h, etcdMember, 0o600, nil)
			derive(&h)
			s.Facts.Hosts[gone.Name] = h
		}},
		"nothing is known of etcd's members": {survivor, func(s *Simulation) {
			_ = s.change(survivor, func(h *facts.Host) error { remove(h, etcdMember); return nil })
		}},
	} {
		s := lost.Fork()
		c.change(s)
		before := s.state()
		if _, err := s.recover(c.from); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		s.wantState(before)
	}
}

// Members that may come back by themselves are waited for: a quorum is lost only with hosts that are gone.
func TestQuorumMayReturn(t *testing.T) {
	s := halfLost(t)
	back := s.lostHosts()[1]
	h := world.FreshHost(back)
	world.Written(&h, etcdMember, 0o600, nil) // its etcd does not run yet
	derive(&h)
	s.Facts.Hosts[back.Name] = h
	if len(s.found("QuorumLost")) > 0 {
		t.Error("the quorum is given up although a host may start its etcd yet")
	}
}
