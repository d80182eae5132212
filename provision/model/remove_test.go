package model

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
)

// behindAnAddress is a wish whose control planes have something in front of them.
func behindAnAddress(c *inventory.Cluster) { c.ControlPlane.Endpoint = "192.0.2.9:6443" }

// without is the wish as it is when hosts are out of the inventory.
func without(t *testing.T, edit func(*inventory.Cluster), names ...string) func(*inventory.Cluster) {
	t.Helper()
	leaves := func(h inventory.Host) bool { return slices.Contains(names, h.Name) }
	return world.All(edit, func(c *inventory.Cluster) {
		c.ControlPlane.Hosts = slices.DeleteFunc(slices.Clone(c.ControlPlane.Hosts), leaves)
		c.Workers = slices.DeleteFunc(slices.Clone(c.Workers), leaves)
	})
}

// Hosts that live leave for good: they are as before, the others as they are, and without them in the inventory nothing is to be
// done. A removal that is cut off is gone on with by the next one; who changes his mind has them back by up.
func TestRemoveOfLivingHosts(t *testing.T) {
	edit := world.All(world.ThreeControlPlanes, behindAnAddress)
	for _, hosts := range [][]string{{"w1"}, {"cp3"}, {"cp1"}, {"cp1", "w2"}, {"cp1", "cp2"}} {
		t.Run(strings.Join(hosts, " and "), func(t *testing.T) {
			fresh := inUse(t, edit)
			made := fresh.Fork()
			made.WantConverged()
			order := plan.RemoveOrder{Names: hosts}
			cuts := everyCut(t, func(n int, kill, late bool) bool {
				s := made.Fork()
				s.cutOff(n, kill, late)
				err := s.remove(order)
				reached, _ := s.uncut()
				if reached && !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				back := s.Fork()
				for _, name := range hosts { // who has left etcd is on his way out
					if host, _ := back.State.Cluster.Host(name); host.Role == inventory.RoleControlPlane && !back.cluster.etcd[name] {
						if err := back.remove(order); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := s.remove(order); err != nil {
					t.Fatal(err)
				}
				s.wantLeft(fresh, made, hosts)
				s.wantGone(order, edit)
				back.WantConverged()
				return reached
			})
			if cuts*stride() < 20 {
				t.Errorf("%d places to be cut off at", cuts)
			}
		})
	}
}

// wantGone fails the test unless nothing more is to be done about hosts that were removed, and the cluster goes on without them.
func (s *Simulation) wantGone(order plan.RemoveOrder, edit func(*inventory.Cluster)) {
	s.t.Helper()
	if made, err := plan.MakeRemove(s.State, s.Observe(), order); err != nil || !made.Empty() {
		s.t.Errorf("removed, and there is more to be done: %v, %+v", err, made)
	}
	for _, name := range order.Names {
		if s.cluster.etcd[name] {
			s.t.Errorf("%s is still a member of etcd", name)
		}
	}
	whole := s.State
	s.State = world.State(s.t, without(s.t, edit, order.Names...))
	s.WantConverged()
	if found := s.found("UnknownNode"); len(found) > 0 {
		s.t.Errorf("found %+v", found)
	}
	s.State = whole
}

// found are the findings of a name.
func (s *Simulation) found(name string) []plan.Finding {
	return slices.DeleteFunc(plan.Make(s.State, s.Observe()).Findings, func(f plan.Finding) bool { return f.Name != name })
}

// Hosts that are off leave without being asked. One that wakes is known, refused until it is reset, and joins anew after that.
func TestRemoveOfDeadHosts(t *testing.T) {
	edit := world.All(world.ThreeControlPlanes, behindAnAddress)
	for _, hosts := range [][]string{{"w1"}, {"cp3"}, {"cp1"}, {"cp1", "w2"}} {
		t.Run(strings.Join(hosts, " and "), func(t *testing.T) {
			made := inUse(t, edit)
			made.WantConverged()
			made.switchOff(hosts...)
			order := plan.RemoveOrder{Names: hosts, Unreachable: true}
			if err := made.Fork().remove(plan.RemoveOrder{Names: hosts}); err == nil || !strings.Contains(err.Error(), "--unreachable") {
				t.Errorf("hosts that may come back are removed for good: %v", err)
			}
			everyCut(t, func(n int, kill, late bool) bool {
				s := made.Fork()
				s.cutOff(n, kill, late)
				err := s.remove(order)
				reached, _ := s.uncut()
				if reached && !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				if err := s.remove(order); err != nil {
					t.Fatal(err)
				}
				s.wantGone(order, edit)
				s.wake(hosts)
				return reached
			})
		})
	}
}

// wake switches hosts on again that were removed, with what they had.
func (s *Simulation) wake(hosts []string) {
	s.t.Helper()
	for _, name := range hosts {
		delete(s.off, name)
		if host, _ := s.State.Cluster.Host(name); host.Role == inventory.RoleWorker { // the API server of a control plane does not come
			s.Facts.API.Nodes[name] = object.Node{Name: name, Labels: map[string]string{}, Annotations: map[string]string{}}
		} else {
			_ = s.change(name, func(h *facts.Host) error { h.Processes = nil; return nil })
		}
	}
	if found := s.found("Removed"); len(found) != len(hosts) || found[0].Warning || !strings.Contains(found[0].Fix, "fairlead reset "+found[0].Host) {
		s.t.Errorf("found %+v", found)
	}
	for _, name := range hosts {
		if err := s.reset(name); err != nil {
			s.t.Fatal(err)
		}
	}
	if len(s.Facts.API.Removed) > 0 {
		s.t.Errorf("marks are left: %v", s.Facts.API.Removed)
	}
	s.WantConverged()
}

// A new machine in the place of one that was removed joins, and the mark of that goes with it.
func TestJoinInThePlaceOfARemovedHost(t *testing.T) {
	for _, name := range []string{"cp1", "w1"} {
		s := inUse(t, world.All(world.ThreeControlPlanes, behindAnAddress))
		s.WantConverged()
		s.switchOff(name)
		if err := s.remove(plan.RemoveOrder{Names: []string{name}, Unreachable: true}); err != nil {
			t.Fatal(err)
		}
		delete(s.off, name)
		host, _ := s.State.Cluster.Host(name)
		_ = s.change(name, func(h *facts.Host) error { *h = world.FreshHost(host); return nil })
		s.stale = map[string]bool{}
		s.WantConverged()
		if len(s.Facts.API.Removed) > 0 {
			t.Errorf("marks are left: %v", s.Facts.API.Removed)
		}
	}
}
