//go:build cluster

package cluster

import "testing"

const (
	// loopNode makes the node of a loop device that nobody else uses. Lab hosts have no udev to make it.
	loopNode = "[ -b /dev/loop6 ] || mknod -m 660 /dev/loop6 b 7 6\n"
	// swapOn makes a swap device of a file and turns it on.
	swapOn = loopNode + `dd if=/dev/zero of=/srv/swap bs=1M count=64 status=none
losetup /dev/loop6 /srv/swap
mkswap -q /dev/loop6
swapon /dev/loop6
`
)

// testSwap turns swap on, which is then on for all hosts: they share one kernel.
func testSwap(t *testing.T) {
	s := clusterSite(t)
	hosts := []string{"cp1", "w1", "w2"}
	for _, host := range hosts {
		s.shell(host, loopNode)
	}
	t.Run("Drift", func(t *testing.T) {
		s.sub(t).repair(drift{
			host: "w2", touched: hosts,
			script: swapOn,
			reason: "swap is on: /dev/loop6", plans: []string{"cp1/swap", "w1/swap", "w2/swap"},
			check: "sed 1d /proc/swaps | grep -c loop6 || :", want: "0",
			also: "losetup -d /dev/loop6; rm /srv/swap",
			may:  []string{"file /var/lib/fairlead", "sum /var/lib/fairlead"},
		})
	})
	t.Cleanup(func() { shared.up = false }) // the ledgers remember the swap that was on
	s.add("x1")
	t.Run("OnAgain", func(t *testing.T) {
		s := s.sub(t)
		options := usual()
		options.ControlPlanes, options.Workers = []string{"x1"}, nil
		s.inventory(options)
		s.swapOnAgain()
	})
}

// swapOnAgain: a run that came to nothing has turned swap off, and reset turns it on again.
func (s *site) swapOnAgain() {
	s.shell("x1", swapOn)
	s.t.Cleanup(func() { s.shell("x1", "swapoff /dev/loop6 || :; losetup -d /dev/loop6; rm /srv/swap") })
	before := s.snapshots("x1")
	s.wantKinds("x1", before["x1"], map[string]int{"swap": 1})
	s.shell("x1", smallDisk)
	s.ignorePreflight("Disk")
	s.fairlead("up").exits(1).saysOf("x1", "No space left on device")
	if on := s.shell("x1", "sed 1d /proc/swaps"); on != "" {
		s.t.Errorf("swap is still on: %s", on)
	}
	s.shell("x1", "umount /opt/cni")
	s.fairlead("reset", "--yes").exits(0)
	s.shell("x1", "rmdir /opt/cni")
	s.restored(before)
}
