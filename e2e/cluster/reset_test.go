//go:build cluster

package cluster

import (
	"strings"
	"testing"
)

// plant puts things of others on a host, which neither up nor reset may harm: netfilter
// rules, a mount, a file between those of the network plugins, and a line for swap at boot,
// which up has to switch off and reset to bring back.
const plant = `
iptables -N FOREIGN
iptables -A FOREIGN -s 192.0.2.7 -j DROP
iptables -A INPUT -j FOREIGN
iptables -t nat -N FOREIGN-NAT
iptables -t nat -A FOREIGN-NAT -p tcp --dport 9 -j RETURN
mkdir -p /mnt/foreign /etc/cni/net.d
mount -t tmpfs -o size=1m foreign /mnt/foreign
echo '{"name": "foreign"}' >/etc/cni/net.d/99-foreign.conf.disabled
echo '/dev/loop6 none swap nofail 0 0' >>/etc/fstab
systemctl daemon-reload
echo mine >/root/precious
# Both kinds of tables are there from now on, as on a host on which iptables was used once.
ip6tables -L -n >/dev/null
`

func testReset(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := freshSite(t, hosts...)
	for _, host := range hosts {
		s.shell(host, plant)
	}
	before := s.snapshots(hosts...)
	for _, host := range hosts {
		for _, want := range []string{
			"iptables-save *filter -A FOREIGN -s 192.0.2.7/32 -j DROP 1\tthere", "iptables-save *nat -A FOREIGN-NAT ", "nft ",
			"mount /mnt/foreign\tforeign tmpfs", "path /etc/cni/net.d/99-foreign.conf.disabled\tf ", "sum /etc/fstab\t",
			"sysctl net.ipv4.ip_forward\t0", "unit-file ssh.service\t", "unit ssh.service\t",
		} {
			if !strings.Contains("\n"+before[host], "\n"+want) {
				t.Errorf("host %s: its snapshot lacks %q", host, want)
			}
		}
	}
	s.mustUp()
	for _, host := range hosts {
		if line := s.shell(host, "grep loop6 /etc/fstab"); !strings.HasPrefix(line, "#") {
			t.Errorf("host %s: /etc/fstab still has %q", host, line)
		}
	}
	t.Run("Foreign", func(t *testing.T) { s.sub(t).mistake() })
	for _, host := range hosts {
		s.shell(host, oddNames)
	}
	t.Run("Leftover", func(t *testing.T) { s.sub(t).leaveSomething() })
	t.Run("CutCopy", func(t *testing.T) { s.sub(t).cutCopy() })
	t.Run("Restored", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		s.restored(before)
		for _, host := range hosts {
			if is := s.shell(host, "cat /root/precious"); is != "mine" {
				t.Errorf("host %s: /root/precious is %q", host, is)
			}
		}
		s.fairlead("reset", "--yes").exits(0).says("nothing to do")
	})
	t.Run("UpAgain", func(t *testing.T) {
		s := s.sub(t)
		s.mustUp()
		s.wantNodes(hosts...)
		s.planned(0)
		shared.up = !t.Failed()
	})
}

// oddNames makes files whose names hold a line that is the name of another file, in folders that reset empties or removes. Pods
// can make them in their volumes.
const oddNames = `
line=$(printf '\nx')
for tree in /var/lib/kubelet/pods /etc/cni/net.d /opt/cni $(ls -d /var/lib/etcd/member); do
	mkdir -p "$tree/a${line%x}/root"
	: >"$tree/a${line%x}/root/precious"
	: >"$tree/ *?[a]\\"
done
`

// leaveSomething resets w2 while something cannot be removed: mounts of somebody else lie
// over a file and in a folder. The reset must say so, and go on once they are gone.
func (s *site) leaveSomething() {
	s.t.Helper()
	const file = "/opt/cni/bin/bridge"
	const below, theirs = "/var/lib/cni/a mount", "/var/lib/cni/a mount/theirs"
	s.shell("w2", "mount --bind "+file+" "+file+"; mkdir -p '"+below+"' && mount -t tmpfs -o size=1m foreign '"+below+"' && : >'"+theirs+"'")
	s.fairlead("reset", "w2", "--yes").exits(1).says("reset left behind", "w2: file "+file, "hint: ", `something is mounted at /var/lib/cni/a\040mount`)
	s.shell("w2", "ls '"+theirs+"'; umount '"+below+"' "+file)
	s.fairlead("reset", "w2", "--yes").exits(0)
	if out := s.shell("w2", "ls -d /opt/cni /var/lib/fairlead 2>/dev/null || :"); out != "" {
		s.t.Errorf("after the second reset there is still %s", out)
	}
}

// cutCopy resets w1 while the copy of a file that was saved there is cut, as after a power cut on a file system that had not
// written it: that file stays as it is, and so does all that is known of how the host was.
func (s *site) cutCopy() {
	s.t.Helper()
	const state = "/var/lib/fairlead"
	copied := state + "/saved/" + s.shell("w1", `sed -n 's/^file \/etc\/fstab saved \([^ ]*\) .*/\1/p' `+state+`/ledger`)
	s.shell("w1", "cp -a "+copied+" /root/copy && truncate --size=-5 "+copied)
	fstab, ledger := s.shell("w1", "cat /etc/fstab"), s.shell("w1", "cat "+state+"/ledger")
	s.fairlead("reset", "w1", "--yes").exits(1).says("cannot restore /etc/fstab: its saved copy is lost or damaged")
	if is := s.shell("w1", "cat /etc/fstab"); is != fstab {
		s.t.Errorf("/etc/fstab became %q", is)
	}
	if is := s.shell("w1", "cat "+state+"/ledger"); is != ledger {
		s.t.Errorf("the ledger became %q", is)
	}
	s.shell("w1", "mv /root/copy "+copied)
	s.fairlead("reset", "w1", "--yes").exits(0)
}

// mistake has w2 be a host of another cluster, by fairlead's record or by its CA: it is refused, alone and among all, and nothing
// happens to any host. Then it is made what it was.
func (s *site) mistake() {
	s.t.Helper()
	before := s.hashes("cp1", "w1", "w2")
	for _, c := range []struct{ spoil, mend, says string }{
		{"sed -i 's/^name .*/name prod/' /var/lib/fairlead/cluster", "sed -i 's/^name .*/name '\"$1\"'/' /var/lib/fairlead/cluster", "fairlead has made it one of cluster prod"},
		{
			"cd /etc/kubernetes/pki && cp -p ca.crt /root/ca.crt && openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=kubernetes -out ca.crt 2>/dev/null",
			"mv /root/ca.crt /etc/kubernetes/pki/ca.crt", "its CA is sha256:",
		},
	} {
		name := s.shell("w2", "sed -n 's/^name //p' /var/lib/fairlead/cluster")
		s.shell("w2", c.spoil)
		s.fairlead("reset", "w2", "--yes").exits(1).says("w2: reset the host: "+c.says, "hint: nothing was changed", "--foreign")
		s.fairlead("reset", "--yes").exits(1).says("w2: reset the host: " + c.says)
		s.shell("w2", strings.ReplaceAll(c.mend, "\"$1\"", name))
	}
	for host, was := range before {
		if is := s.hashes(host)[host]; is != was {
			s.t.Errorf("host %s was changed: %v", host, changes(was, is))
		}
	}
	s.wantNodes("cp1", "w1", "w2")
}
