//go:build cluster

package cluster

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/e2e/lab"
)

// site is the lab, one inventory for it, and the home folder from which fairlead runs.
type site struct {
	t    *testing.T
	ctx  context.Context
	lab  *lab.Lab
	home string   // HOME of fairlead: inventory, cache, logs, temporary files
	file string   // the inventory
	env  []string // of fairlead, beside what all have
}

// usual are the hosts of the cluster that most tests share.
func usual() lab.InventoryOptions {
	return lab.InventoryOptions{ControlPlanes: []string{"cp1"}, Workers: []string{"w1", "w2"}, Bundle: shared.bundle}
}

// freshSite takes the lab down and makes new hosts of the given names.
func freshSite(t *testing.T, names ...string) *site {
	t.Helper()
	shared.up, shared.lab = false, nil
	if err := lab.Down(shared.ctx, shared.options); err != nil {
		t.Fatal(err)
	}
	return newSite(t, names...)
}

// otherSite is freshSite in a lab of another kind, until the test ends.
func otherSite(t *testing.T, change func(*lab.Options), names ...string) *site {
	t.Helper()
	former := shared.options
	change(&shared.options)
	s := freshSite(t, names...)
	t.Cleanup(func() {
		shared.up, shared.lab = false, nil
		if *keep {
			return
		}
		if err := lab.Down(shared.ctx, shared.options); err != nil {
			t.Error(err)
		}
		shared.options = former
	})
	return s
}

// newSite makes sure that the named hosts are there, and gives them an inventory of the
// usual three if those are among them.
func newSite(t *testing.T, names ...string) *site {
	t.Helper()
	var err error
	if shared.lab, err = lab.Up(shared.ctx, shared.options, names); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, ctx: shared.ctx, lab: shared.lab, home: t.TempDir()}
	s.file = filepath.Join(s.home, "cluster.yaml")
	if err := os.Mkdir(filepath.Join(s.home, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(names, "w2") {
		return s
	}
	s.inventory(usual())
	return s
}

// clusterSite makes sure that cp1, w1 and w2 are a cluster, and gives their inventory.
func clusterSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, "cp1", "w1", "w2")
	s.dropOthers()
	if !shared.up {
		s.mustUp()
		s.settled()
		shared.up = true
	}
	t.Cleanup(func() { shared.up = shared.up && !t.Failed() })
	return s
}

// settled waits until all pods run: until then a cluster changes by itself.
func (s *site) settled() {
	s.t.Helper()
	s.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--all-namespaces", "--timeout=2m")
}

// dropOthers removes hosts that an earlier test has added and not removed.
func (s *site) dropOthers() {
	s.t.Helper()
	for _, host := range s.lab.Hosts() {
		if slices.Contains([]string{"cp1", "w1", "w2"}, host.Name) {
			continue
		}
		if err := s.lab.Remove(s.ctx, host.Name); err != nil {
			s.t.Fatal(err)
		}
	}
}

// add brings one more host into the lab until the test ends.
func (s *site) add(name string) lab.Host {
	s.t.Helper()
	host, err := s.lab.Add(s.ctx, name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.lab.Remove(s.ctx, name); err != nil {
			s.t.Error(err)
		}
	})
	return host
}

// inventory writes the inventory anew.
func (s *site) inventory(options lab.InventoryOptions) {
	s.t.Helper()
	text, err := s.lab.Inventory(options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(s.file, text)
}

// edit replaces text in the inventory; old and new alternate. It is a failure if there is
// nothing to replace.
func (s *site) edit(pairs ...string) {
	s.t.Helper()
	text := s.read(s.file)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			s.t.Fatalf("inventory has no %q:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	s.write(s.file, text)
}

// ignorePreflight adds a check to those that the inventory ignores.
func (s *site) ignorePreflight(check string) {
	s.t.Helper()
	const list = "ignorePreflight: ["
	text := s.read(s.file)
	if strings.Contains(text, list) { // where hosts have version 1 of control groups
		s.write(s.file, strings.Replace(text, list, list+check+", ", 1))
		return
	}
	s.write(s.file, text+list+check+"]\n")
}

func (s *site) address(host string) string {
	s.t.Helper()
	h, err := s.lab.Host(host)
	if err != nil {
		s.t.Fatal(err)
	}
	return h.Address.String()
}

func (s *site) read(file string) string {
	s.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func (s *site) write(file, text string) {
	s.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// sub is the site for a subtest: the same hosts, inventory and home.
func (s *site) sub(t *testing.T) *site {
	copied := *s
	copied.t = t
	return &copied
}
