//go:build cluster

package cluster

import (
	"slices"
	"strings"
)

// snapshot prints all that a reset must bring back on a host, one thing a line: every file
// of the host's own file systems but logs and what programs keep for themselves while they
// run, links, netfilter rules without counters, mounts, units, programs that run, kernel
// parameters, swap. A target, such as network-online, is a point in time that is reached
// once, and login leaves traces of its own. Files are told apart by cksum, CRC and length, as nobody here would deceive: sha256sum
// takes thirty times as long, and it is hundreds of MiB each time.
const snapshot = `
lasting find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log \
	-o -path /var/lib/systemd -o -path /var/lib/private -o -path /var/cache/ldconfig \) -prune -o \
	! -type f ! -type d -printf 'path %p\t%y %m %U:%G %l\n' -o \
	-printf 'path %p\t%y %m %U:%G\n'
for folder in /run /srv /var/lib/containerd /var/lib/kubelet /var/lib/etcd /var/lib/docker; do
	lasting find "$folder" -xdev \( -path /run/systemd -o -path /run/udev -o -path /run/user -o -path /run/log -o -path /run/dbus \
		-o -path /run/lock -o -path /run/utmp -o -path '/run/sudo*' -o -path '/run/initctl' -o -path /run/motd.dynamic \) -prune -o \
		-printf 'path %p\t%y %m %U:%G\n'
done
lasting find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log \
	-o -path /var/lib/systemd \) -prune -o -type f -exec cksum {} + | awk '{ print "sum " $3 "\t" $1 " " $2 }'
ip -o link show | sed 's/^[0-9]*: \([^:@]*\).*/link \1\t/'
for save in iptables-save ip6tables-save; do
	"$save" | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//' | awk -v save="$save" \
		'/^\*/ { table = $0 } { count[table $0]++; print save, table, $0, count[table $0] "\tthere" }'
done
nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/' | awk '{ print "nft " NR " " $0 "\tthere" }'
awk '{ print "mount " $2 "\t" $1 " " $3 }' /proc/mounts | grep -v '^mount /run/user/' | sort | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/\2 \1/'
systemctl list-unit-files --no-legend --plain | awk '{ print "unit-file " $1 "\t" $2 " " $3 }'
systemctl list-units --all --no-legend --plain | awk '$1 !~ /(\.target$|^(session-|user@|user-|run-user|dev-|sys-|proc-|apt-|dpkg-|systemd-tmpfiles|e2scrub|fstrim|man-db|logrotate|motd))/ { print "unit " $1 "\t" $2 " " $3 }'
ps -eo comm= | grep -vxE 'ps|sh|bash|sed|sort|find|awk|grep|uniq|\(sd-pam\)|sshd|sudo|sftp-server|systemd|kworker.*' | sort | uniq -c | awk '{ print "process " $2 "\t" $1 }'
for key in net.ipv4.ip_forward vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops net.ipv4.conf.all.route_localnet \
	net.ipv6.conf.all.forwarding net.ipv4.conf.all.forwarding; do
	value=$(cat "/proc/sys/$(echo "$key" | tr . /)")
	printf 'sysctl %s\t%s\n' "$key" "$value"
done
awk 'NR > 1 { print "swap " $1 "\t" $2 " " $3 }' /proc/swaps
`

// snapshots takes those of the hosts.
func (s *site) snapshots(hosts ...string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, host := range hosts {
		all[host] = s.look(host, snapshot)
		s.wantKinds(host, all[host], map[string]int{
			"path": 5000, "sum": 3000, "link": 2, "iptables-save": 4, "nft": 4, "mount": 5,
			"unit-file": 50, "unit": 20, "process": 2, "sysctl": 8,
		})
	}
	return all
}

// wantKinds fails the test unless a snapshot or listing has at least so many lines of each kind:
// with a part missing, two of them would be equal for nothing.
func (s *site) wantKinds(host, text string, least map[string]int) {
	s.t.Helper()
	count := map[string]int{}
	for line := range strings.Lines(text) {
		kind, _, _ := strings.Cut(line, " ")
		count[kind]++
	}
	for kind, n := range least {
		if count[kind] < n {
			s.t.Errorf("host %s: a look at it has %d lines of %s, want at least %d", host, count[kind], kind, n)
		}
	}
}

// restored fails the test if a host is not as it was when its snapshot was taken.
func (s *site) restored(before map[string]string) {
	s.t.Helper()
	s.restoredBut(before)
}

// restoredBut is restored, but for what lies below some folders.
func (s *site) restoredBut(before map[string]string, folders ...string) {
	s.t.Helper()
	for host, was := range before {
		for _, change := range changes(was, s.look(host, snapshot)) {
			if !slices.ContainsFunc(folders, func(folder string) bool { return strings.Contains(change, " "+folder) }) {
				s.t.Errorf("host %s is not as before: %s", host, change)
			}
		}
	}
}
