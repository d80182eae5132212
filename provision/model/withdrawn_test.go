package model

import (
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// Packages that are no longer wanted go with all that came along, and nothing of them is left: hosts are as if they had never been
// wanted. What was there before, or what others have come to need, stays.
func TestUpTakesBackPackages(t *testing.T) {
	never := inUse(t, nil)
	for name := range never.Facts.Hosts {
		world.ChangeHost(never.Facts, name, OnSystem("debian", "", "rpcbind"))
	}
	s := never.Fork()
	never.WantConverged()
	none := s.State
	for _, edit := range []func(*inventory.Cluster){world.WithPackages, world.WithFewerPackages, world.WithPackages} {
		s.State = world.State(t, edit)
		s.WantConverged()
	}
	needed := s.Fork()
	s.State = none
	s.WantConverged()
	s.wantState(never.state())

	_ = needed.change("w1", func(h *facts.Host) error { return installPackage(h, "autofs", "") })
	needed.State = none
	needed.WantConverged()
	for name, stays := range map[string]bool{"w1": true, "w2": false} {
		h := needed.Facts.Hosts[name]
		for _, needs := range []string{"nfs-common", "libnfsidmap1"} {
			if _, there := h.Packages[needs]; there != stays {
				t.Errorf("%s: %s is there: %v; packages are %s", name, needs, there, packagesOf(h))
			}
		}
	}
}

// What fairlead replaced comes back when it is not wanted any more, and is nothing of fairlead's from then on: what its owner
// makes of it stays, also after a reset. A run that is cut off in between changes nothing of that.
func TestUpGivesBackWhatItReplaced(t *testing.T) {
	files := []string{templates.RegistryCertsFolder + "/registry.lab:5000/hosts.toml", templates.ProxyFile, templates.ProxyDropInPath(templates.ContainerdService)}
	write := func(s *Simulation, text string) {
		for name := range s.Facts.Hosts {
			_ = s.change(name, func(h *facts.Host) error {
				for _, path := range files {
					world.Written(h, path, 0o644, []byte(text))
				}
				return nil
			})
		}
	}
	want := func(s *Simulation, text string, is bool) {
		t.Helper()
		for name, host := range s.Facts.Hosts {
			for _, path := range files {
				if has := string(host.Contents[path]) == text; has != is {
					t.Errorf("%s: %s has the text %q, it should be %q: %v", name, path, host.Contents[path], text, is)
				}
			}
		}
	}
	before := inUse(t, nil)
	none := before.State
	write(before, "theirs")
	before.State = world.State(t, world.All(world.PrivateRegistry(t), world.WithProxy))
	before.WantConverged()
	want(before, "theirs", false)
	everyCut(t, func(n int, kill, late bool) bool {
		s := before.Fork()
		s.State = none
		s.cutOff(n, kill, late)
		_ = s.up()
		reached, _ := s.uncut()
		s.WantConverged()
		want(s, "theirs", true)
		write(s, "theirs, as it is now")
		if err := s.reset(); err != nil {
			t.Fatal(err)
		}
		want(s, "theirs, as it is now", true)
		return reached
	})
}
