package model

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// hostsBefore are wishes, and what was on the hosts before.
func hostsBefore(t *testing.T) map[string]*Simulation {
	t.Helper()
	all := map[string]*Simulation{}
	for name, edit := range wishes(t) {
		all[name] = inUse(t, edit)
	}
	docker := world.All(world.FromRepositories, world.WithDocker, world.WithRegistries)
	for name, c := range map[string]struct {
		edit func(*inventory.Cluster)
		host func(*facts.Host)
	}{
		"Rocky Linux with Docker": {docker, OnSystem("rocky", "rhel")},
		"containerd is there":     {world.FromRepositories, OnSystem("debian", "", "containerd")},
		"Docker is there":         {docker, OnSystem("ubuntu", "debian", "containerd.io", "docker-ce", "docker-ce-cli")},
		"some of NFS is there":    {world.WithPackages, OnSystem("debian", "", "rpcbind")},
		"a kubelet is there": {world.FromRepositories, func(h *facts.Host) {
			OnSystem("debian", "", "kubelet 1.37.2")(h)
			h.Packages["kubelet"] = facts.Package{Version: "1.37.2", Held: true}
			SetActive(h, templates.KubeletService, "inactive")
		}},
		"Docker's settings are there": {docker, func(h *facts.Host) {
			world.Written(h, templates.DockerConfigPath, 0o600, []byte(`{"debug": true}`))
		}},
	} {
		all[name] = inUse(t, c.edit)
		for _, host := range slices.Sorted(maps.Keys(all[name].Facts.Hosts)) {
			_ = all[name].change(host, func(h *facts.Host) error { c.host(h); return nil })
		}
	}
	return all
}

// wantBare fails the test unless hosts are as they were before the first up.
func (s *Simulation) wantBare(want string) {
	s.t.Helper()
	if is := s.bare(); is != want {
		s.t.Errorf("reset has not brought back what was there (seed %d): %s", s.seed, difference(is, want))
	}
}

// Reset takes away what up has made and leaves the hosts as they were, and another up makes the
// same cluster again.
func TestResetUndoesUp(t *testing.T) {
	for name, fresh := range hostsBefore(t) {
		t.Run(name, func(t *testing.T) {
			fresh.t = t
			s := fresh.Fork()
			s.WantConverged()
			whole := s.state()
			before := s.Observe()
			if err := s.reset(); err != nil {
				t.Fatal(err)
			}
			s.wantBare(fresh.bare())
			for host, now := range s.Observe().Hosts {
				was := before.Hosts[host]
				if left, err := plan.Leftovers(was, world.Answer(now, plan.AsksAfterReset(was))); len(left) > 0 || err != nil {
					t.Errorf("%s: fairlead would say that there is left %v, %v", host, left, err)
				}
			}
			if again, err := plan.MakeReset(s.State, s.Observe(), plan.ResetOrder{}); err != nil || !again.Empty() {
				t.Errorf("reset is not done: %v, %v", again.Steps, err)
			}
			s.WantConverged()
			s.wantState(whole)
		})
	}
}

// A reset that is cut off is gone on with by the next one.
func TestResetGoesOnWhereItWasCutOff(t *testing.T) {
	all := hostsBefore(t)
	for _, name := range []string{"three control planes", "own registry", "Docker is there", "containerd is there", "Rocky Linux with Docker", "some of NFS is there"} {
		t.Run(name, func(t *testing.T) {
			fresh := all[name]
			fresh.t = t
			made := fresh.Fork()
			made.WantConverged()
			everyCut(t, func(n int, kill, late bool) bool {
				s := made.Fork()
				s.cutOff(n, kill, late)
				err := s.reset()
				reached, _ := s.uncut()
				if reached && !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				if err := s.reset(); err != nil {
					t.Fatal(err)
				}
				s.wantBare(fresh.bare())
				return reached
			})
		})
	}
}

// Whatever an up has done until it was cut off, reset undoes it.
func TestResetUndoesUpThatWasCutOff(t *testing.T) {
	for name, fresh := range hostsBefore(t) {
		t.Run(name, func(t *testing.T) {
			fresh.t = t
			everyCut(t, func(n int, kill, late bool) bool {
				s := fresh.Fork()
				s.cutOff(n, kill, late)
				_ = s.up()
				reached, _ := s.uncut()
				if err := s.reset(); err != nil {
					t.Fatal(err)
				}
				s.wantBare(fresh.bare())
				return reached
			})
		})
	}
}

// After another wish came, reset goes back to before the first one.
func TestResetUndoesChanges(t *testing.T) {
	all := wishes(t)
	for _, change := range [][2]string{
		{"one control plane", "packages"}, {"packages", "one control plane"}, {"packages", "docker with registries"}, {"docker with registries", "packages"},
		{"one control plane", "own registry"}, {"packages behind a proxy", "packages"}, {"private registry", "all add-ons"},
		{"packages beside a bundle", "one control plane"}, {"packages beside packages", "other packages beside it"},
	} {
		t.Run(change[0]+" to "+change[1], func(t *testing.T) {
			s := inUse(t, all[change[0]])
			bare := s.bare()
			s.WantConverged()
			s.State = world.State(t, all[change[1]])
			s.WantConverged()
			if err := s.reset(); err != nil {
				t.Fatal(err)
			}
			s.wantBare(bare)
		})
	}
}

// Some hosts leave a cluster that lives on. They are as before, the others as they are, and up
// takes them back.
func TestResetOfSomeHosts(t *testing.T) {
	all := wishes(t)
	for _, c := range []struct {
		wish  string
		hosts []string
	}{
		{"one control plane", []string{"w1"}},
		{"packages", []string{"w1", "w2"}},
		{"three control planes", []string{"cp3"}},
		{"three control planes", []string{"cp2", "cp3", "w1"}},
	} {
		t.Run(c.wish, func(t *testing.T) {
			fresh := inUse(t, all[c.wish])
			made := fresh.Fork()
			made.WantConverged()
			for n := range seeds() {
				s := made.Fork()
				s.seedWith(made.seed + n)
				if err := s.reset(c.hosts...); err != nil {
					t.Fatal(err)
				}
				s.wantLeft(fresh, made, c.hosts)
			}
			everyCut(t, func(n int, kill, late bool) bool {
				s := made.Fork()
				s.cutOff(n, kill, late)
				err := s.reset(c.hosts...)
				reached, _ := s.uncut()
				if reached && !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				if err := s.reset(c.hosts...); err != nil {
					t.Fatal(err)
				}
				s.wantLeft(fresh, made, c.hosts)
				s.WantConverged()
				s.wantState(made.state())
				return reached
			})
		})
	}
}

// wantLeft fails the test unless the hosts are as in one world, and the others as in another.
func (s *Simulation) wantLeft(fresh, made *Simulation, hosts []string) {
	s.t.Helper()
	for _, host := range s.State.Cluster.Hosts() {
		like, left := made, slices.Contains(hosts, host.Name)
		if left {
			like = fresh
		}
		if is, want := s.bareHost(host.Name), like.bareHost(host.Name); is != want {
			s.t.Errorf("reset of %v: %s", hosts, difference(is, want))
		}
		if _, exists := s.Facts.API.Nodes[host.Name]; exists == left {
			s.t.Errorf("reset of %v: there is a node %s: %v", hosts, host.Name, exists)
		}
		if left && s.cluster.etcd[host.Name] {
			s.t.Errorf("reset of %v: %s is still a member of etcd", hosts, host.Name)
		}
	}
	if err := s.unanswered(); err != nil {
		s.t.Errorf("reset of %v: the cluster does not live on: %v", hosts, err)
	}
}

// A host on which fairlead has made nothing is nobody's to reset, whatever is ordered: the others wait for that to be told.
func TestResetLeavesOthersAlone(t *testing.T) {
	s := inUse(t, nil)
	fresh := s.bareHost("w1")
	s.WantConverged()
	_ = s.change("w2", func(h *facts.Host) error {
		h.Ledger = nil
		remove(h, templates.ClusterRecord)
		return nil
	})
	before, whole := s.bareHost("w2"), s.bare()
	var refused *plan.RefusedError
	if err := s.reset(); !errors.As(err, &refused) || len(refused.Hosts) != 1 || refused.Hosts[0].Host != "w2" || s.bare() != whole {
		t.Errorf("%v", err)
	}
	if err := s.resetBy(plan.ResetOrder{Foreign: true}); err != nil {
		t.Fatal(err)
	}
	if is := s.bareHost("w2"); is != before {
		t.Error(difference(is, before))
	}
	if is := s.bareHost("w1"); is != fresh {
		t.Error(difference(is, fresh))
	}
}

// What ForeignCluster says is to be done, done, leaves nothing to be found, and up takes the host.
func TestFixOfForeignCluster(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*facts.Host)
		fix  string
		do   func(*Simulation) error
	}{
		"fairlead made it": {
			func(h *facts.Host) { world.Claimed(h, "prod") }, "fairlead reset w2 --foreign",
			func(s *Simulation) error { return s.resetBy(plan.ResetOrder{Names: []string{"w2"}, Foreign: true}) },
		},
		"others made it": {
			func(h *facts.Host) { h.Ledger = nil; remove(h, templates.ClusterRecord) }, "kubeadm reset --force as root on w2",
			func(s *Simulation) error {
				return s.change("w2", func(h *facts.Host) error { // what kubeadm takes away
					remove(h, append(below(h, kubernetesFolder), below(h, "/var/lib/kubelet")...)...)
					SetActive(h, templates.KubeletService, "inactive")
					return nil
				})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := inUse(t, nil)
			s.WantConverged()
			delete(s.Facts.API.Nodes, "w2")
			_ = s.change("w2", func(h *facts.Host) error {
				h.Contents[templates.CACertificate] = []byte(world.ForeignCA)
				derive(h)
				c.make(h)
				return nil
			})
			var refused *plan.RefusedError
			if err := s.reset("w2"); !errors.As(err, &refused) {
				t.Errorf("it is reset without a word: %v", err)
			}
			if found := plan.Make(s.State, s.Observe()).Errors(); len(found) != 1 || found[0].Name != "ForeignCluster" || !strings.Contains(found[0].Fix, c.fix) {
				t.Fatalf("found %+v", found)
			}
			if err := c.do(s); err != nil {
				t.Fatal(err)
			}
			s.WantConverged()
		})
	}
}

// An image that is deleted from fairlead's own registry is gone, and up brings it back as long as
// it is needed.
func TestUpBringsBackADeletedImage(t *testing.T) {
	s := inUse(t, world.OwnRegistryOnWorker)
	s.WantConverged()
	whole := s.state()
	name := slices.Sorted(maps.Keys(s.Facts.Hosts["w1"].RegistryImages))[0]
	at := strings.LastIndex(name, ":")
	host, _ := s.State.Cluster.Host("w1")
	if err := s.do(plan.MakeImageDeletion(host, name, name[:at], name[at+1:])); err != nil {
		t.Fatal(err)
	}
	if _, exists := s.Observe().Hosts["w1"].RegistryImages[name]; exists {
		t.Errorf("%s is still there", name)
	}
	s.WantConverged()
	s.wantState(whole)
}
