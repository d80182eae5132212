package model

import (
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

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
