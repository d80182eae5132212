//go:build cluster

package cluster

import (
	"strings"
	"testing"
)

// sshdSays has sshd of the host follow other settings until the test ends, over those of the lab.
func (s *site) sshdSays(host, settings string) {
	s.t.Helper()
	const file = "/etc/ssh/sshd_config.d/a.conf"
	s.shell(host, "printf '"+settings+"\\n' >"+file+" && sshd -t && systemctl reload ssh")
	s.t.Cleanup(func() { s.shell(host, "rm "+file+"; systemctl reload ssh") })
}

// tooFewSessions: sshd allows less at once on a connection than a step needs.
func (s *site) tooFewSessions() {
	for _, most := range []string{"1", "3"} {
		s.t.Run(most, func(t *testing.T) {
			s := s.sub(t)
			s.sshdSays("x1", "MaxSessions "+most)
			s.refused("x1", "MaxSessions", "sshd allows "+most+" session", "MaxSessions 10")
		})
	}
}

// noWayToTheAPI: sshd forwards nothing, and a firewall lets nobody straight to the API server's port.
func (s *site) noWayToTheAPI() {
	s.sshdSays("x1", "AllowTcpForwarding no")
	const rule = " INPUT -p tcp --dport 6443 ! -i lo -j DROP"
	s.shell("x1", "iptables -w -I"+rule)
	open := func() { s.shell("x1", "iptables -w -D"+rule) }
	s.t.Cleanup(func() {
		if s.t.Failed() {
			open()
		}
	})
	s.refused("x1", "Forwarding", "the API server would not be reached", "AllowTcpForwarding yes")
	open()
	s.fairlead("check").exits(0).saysNot("Forwarding") // the way is straight
}

// unsupportedOS: the host says that it is something that fairlead does not know.
func (s *site) unsupportedOS() {
	s.shell("x1", `cp -a /etc/os-release /etc/os-release.real
		printf 'ID=plan9\nVERSION_ID=4\nPRETTY_NAME="Plan 9"\n' >/etc/os-release.new; mv /etc/os-release.new /etc/os-release`)
	s.t.Cleanup(func() { s.shell("x1", "mv /etc/os-release.real /etc/os-release") })
	s.refused("x1", "OS", "Plan 9 (ID=plan9) is not supported", "ignorePreflight: [OS]")
}

// diskTooSmall: the images do not fit.
func (s *site) diskTooSmall() {
	s.shell("x1", "mount -t tmpfs -o size=20m small /var/lib/containerd")
	s.t.Cleanup(func() { s.shell("x1", "umount /var/lib/containerd") })
	s.refused("x1", "Disk", "MiB free for /var/lib/containerd", "free some space")
}

// refused wants up, plan and check to report one preflight finding, to exit with 1, and to
// leave the host as it was.
func (s *site) refused(host, check, message, mending string) {
	s.t.Helper()
	before := s.list(host)
	for _, command := range []string{"check", "plan", "up"} {
		s.fairlead(command).exits(1).saysOf(host, "error: "+check+": ", message, "fix: ", mending)
	}
	s.untouched(before)
}

// smallDisk is a file system that is full before everything is installed.
const smallDisk = "mkdir -p /opt/cni; mount -t tmpfs -o size=5m small /opt/cni"

// noSpaceLeft: a disk is full in the middle of the work, where no check could see it
// coming.
func (s *site) noSpaceLeft() {
	s.shell("x1", smallDisk)
	s.ignorePreflight("Disk")
	s.fairlead("up").exits(1).saysOf("x1", "error: x1: install kubelet, kubeadm and kubectl 1.37.2", "No space left on device", "hint: free some space on the host")
	if out := s.shell("x1", "ls /usr/local/bin/kubelet* /opt/cni/bin/* 2>/dev/null || :"); strings.Contains(out, ".fairlead-new") {
		s.t.Errorf("the failed step has left %s", out)
	}
	s.shell("x1", "umount /opt/cni")
	s.fairlead("plan", "--detailed-exitcode").exits(3)
}
