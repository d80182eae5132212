//go:build cluster

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// testOwnRegistry compares a cluster that pulls from the registry on its control plane with
// one whose hosts get each image from the laptop.
func testOwnRegistry(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2", "w3"}
	s := closedSite(t, hosts...)
	inventory := lab.InventoryOptions{ControlPlanes: hosts[:1], Workers: hosts[1:], Bundle: shared.bundle}
	s.inventory(inventory)
	imported, importTook := s.measured()
	s.fairlead("reset", "--yes").exits(0)

	s.write(s.file, s.read(s.file)+"images: {host: cp1}\n")
	pulled, pullTook := s.measured()
	t.Logf("sent to four hosts: %d MiB in %.1f s with the registry, %d MiB in %.1f s with imports",
		pulled.wire>>20, pullTook.Seconds(), imported.wire>>20, importTook.Seconds())
	t.Logf("of images: %d MiB with the registry, %d MiB with imports", pulled.images>>20, imported.images>>20)
	if pulled.images*2 > imported.images {
		t.Errorf("%d bytes of images were sent, with imports %d: they have not crossed the link once", pulled.images, imported.images)
	}
	// What was not sent as images was not sent otherwise either.
	if saved, want := imported.wire-pulled.wire, imported.images-pulled.images; saved < want*8/10 {
		t.Errorf("the link has carried %d bytes less, want about %d", saved, want)
	}
	s.wantNodes(hosts...)
	s.planned(0)
	s.fairlead("images", "verify").exits(0)
	for _, host := range hosts {
		if n := s.shell("cp1", "journalctl --quiet --output=cat --unit fairlead-registry.service | grep -c \"^$1 .*GET .*/blobs/.*containerd/\" || :", s.address(host)); n == "0" {
			t.Errorf("host %s has pulled nothing from the registry", host)
		}
	}
	s.wantRegistryKeysForRootOnly()
	s.wantNoKeysOnLaptop()
	t.Run("Delete", func(t *testing.T) { s.sub(t).wantImageDeleted() })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		if left := s.shell("cp1", "ls -d /var/lib/fairlead-registry /etc/fairlead /usr/local/bin/registry /etc/systemd/system/fairlead-registry* 2>/dev/null || :"); left != "" {
			t.Errorf("left: %s", left)
		}
	})
}

// wantRegistryKeysForRootOnly fails the test unless what is secret of the registry is for root alone.
func (s *site) wantRegistryKeysForRootOnly() {
	s.t.Helper()
	out := s.look("cp1", "find /etc/fairlead/registry -name '*.key' -printf '%m %U:%G %p\\n'")
	if out == "" {
		s.t.Error("the registry has no keys")
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "600 0:0 ") {
			s.t.Errorf("key with mode, owner and path %s", line)
		}
	}
}

// sent is what a run has sent from this machine to the lab's hosts, in bytes.
type sent struct{ wire, images int64 }

// measured runs up, and counts what this machine sends onto the lab's network.
func (s *site) measured() (sent, time.Duration) {
	s.t.Helper()
	before := s.transmitted()
	o := s.mustUp()
	total := sent{wire: s.transmitted() - before}
	last := map[string]int64{}
	for _, e := range o.events() {
		if strings.HasSuffix(e.Step, "/images") || strings.HasSuffix(e.Step, "/registry-fill") {
			last[e.Step] = max(last[e.Step], e.Bytes)
		}
	}
	for _, bytes := range last {
		total.images += bytes
	}
	return total, o.took
}

// transmitted is what this machine itself has sent onto the network of the lab: what hosts
// send to each other is not counted there.
func (s *site) transmitted() int64 {
	s.t.Helper()
	id, err := exec.CommandContext(s.ctx, "docker", "network", "inspect", "--format", "{{.Id}}", shared.options.Name).Output()
	if err != nil || len(id) < 12 {
		s.t.Fatalf("inspect the network: %q %v", id, err)
	}
	text, err := os.ReadFile(filepath.Join("/sys/class/net", "br-"+string(id[:12]), "statistics", "tx_bytes"))
	if err != nil {
		s.t.Fatal(err)
	}
	count, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return count
}

// wantImageDeleted deletes an image that the inventory needs; up puts it back.
func (s *site) wantImageDeleted() {
	const image = "registry.k8s.io/etcd:3.7.0-0"
	used := func() int64 {
		n, err := strconv.ParseInt(strings.Fields(s.shell("cp1", "du -sb /var/lib/fairlead-registry"))[0], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	before := used()
	s.fairlead("images", "delete", image).exits(0)
	after := used()
	if before-after < 10<<20 {
		s.t.Errorf("the storage had %d bytes and has %d", before, after)
	}
	s.planned(3).says(fmt.Sprintf("the registry lacks %s", image))
	s.mustUp()
	if is := used(); is < before*95/100 {
		s.t.Errorf("the storage had %d bytes and has %d", before, is)
	}
	s.planned(0)
}
