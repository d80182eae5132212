//go:build cluster

package cluster

import (
	"fmt"
	"testing"
	"time"
)

// hostileTime is within what a check ends whatever some of its hosts do: fairlead gives up after 15 s of silence. The rest is for
// a machine that has other labs to do with.
const hostileTime = 30 * time.Second

// hostileLogins has start-up files of login shells do what they may, and what they may not: the hosts are looked at all the same,
// or named with the reason, in time, and the others have their facts.
func (s *site) hostileLogins() {
	const file = "/home/fairlead/.bashrc"
	for _, host := range []string{"w1", "w2"} {
		s.shell(host, "cp -a "+file+" /root/bashrc 2>/dev/null || : >/root/bashrc; chown fairlead /root/bashrc")
		s.t.Cleanup(func() { s.shell(host, "mv /root/bashrc "+file) })
	}
	login := func(host, text string) {
		s.t.Helper()
		s.shell(host, fmt.Sprintf("printf '%%s\\n' '%s' >%s", text, file))
	}
	// The first line that sshd's bash reads is that of its start-up file.
	login("w1", "set -x; echo welcome; exec 2>&1")
	login("w2", "printf welcome; exec >/dev/null")
	s.planned(0)
	login("w1", "sleep 1000")
	login("w2", "yes | tr y \\\\000 | head -c 2000000000")
	o := s.fairlead("check").exits(1)
	if o.took > hostileTime {
		s.t.Errorf("check took %s", o.took)
	}
	o.saysOf("w1", "host hangs at the login").saysOf("w2", "too much output").saysOf("cp1", "looked at in")
	login("w1", "read -r eaten; read -r eaten")
	s.fairlead("check").exits(1).saysOf("w1", "host hangs at the login")
}

// testDamage has what fairlead keeps on a host be damaged, as after a power cut on a file system that had not written it: nothing
// is changed on that host and nothing is undone, the command that is told is the right one, and what is kept stays as it is.
func testDamage(t *testing.T) {
	s := clusterSite(t)
	const state = "/var/lib/fairlead"
	s.shell("w1", "cp -a "+state+" /root/state")
	restore := "rm -rf " + state + "; cp -a /root/state " + state
	t.Cleanup(func() { s.shell("w1", restore+"; rm -rf /root/state") })
	for name, damage := range map[string]string{
		"Cut":         "truncate --size=-30 " + state + "/ledger",
		"Empty":       ": >" + state + "/ledger",
		"Gone":        "rm " + state + "/ledger",
		"Zeros":       "size=$(stat -c %s " + state + "/ledger); head -c \"$size\" /dev/zero >" + state + "/ledger",
		"OfAnother":   "sed -i '1s/.*/fairlead-ledger 3/' " + state + "/ledger",
		"UnknownWord": "sed -i '2s/^[a-z]*/orbit/' " + state + "/ledger",
	} {
		t.Run(name, func(t *testing.T) {
			s := s.sub(t)
			s.shell("w1", restore+"; "+damage)
			before := s.shell("w1", stateFiles)
			s.fairlead("check").exits(1).saysOf("w1", "Ledger")
			s.fairlead("up").exits(1).saysOf("w1", "Ledger")
			s.fairlead("reset", "w1", "--yes").exits(1)
			if after := s.shell("w1", stateFiles); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			s.wantNodes("cp1", "w1", "w2")
		})
	}
	s.shell("w1", restore)
	s.fairlead("up").exits(0)
	s.planned(0)
}

// stateFiles are the files that fairlead keeps on a host, and some of what it has made, with their sums.
const stateFiles = "find /var/lib/fairlead /etc/containerd /etc/sysctl.d /etc/kubernetes -type f ! -name lock -exec sha256sum {} + | LC_ALL=C sort -k 2; systemctl is-active kubelet containerd"
