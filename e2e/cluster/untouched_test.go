//go:build cluster

package cluster

import (
	"maps"
	"slices"
	"strings"
)

// listing prints all that a run of fairlead could write or restart on a host, one thing a
// line: files with size, mode, owner, and times of change to the nanosecond (the
// change time cannot be set by anybody), units with the time of their start, containers.
// What the kubelet itself writes while nothing happens is left out: pods' folders.
const listing = `
existing() { for folder in "$@"; do [ ! -d "$folder" ] || echo "$folder"; done; }
lasting find $(existing /etc /opt /usr/local /root /home /var/lib/fairlead /var/lib/kubelet /var/lib/cni /run/fairlead) \
	\( -path /var/lib/kubelet/pods -o -path /var/lib/kubelet/device-plugins \) -prune -o \
	-printf 'file %p\t%y %m %U:%G %s %T@ %C@ %l\n'
lasting find $(existing /etc /opt /usr/local /var/lib/fairlead) -type f -exec cksum {} + | awk '{ print "sum " $3 "\t" $1 " " $2 }'
for unit in containerd.service docker.service kubelet.service; do
	systemctl show "$unit" -p InvocationID -p ActiveEnterTimestampMonotonic -p MainPID -p UnitFileState |
		sort | tr '\n' ' ' | sed "s/^/unit $unit\t/"
	echo
done
if systemctl is-active --quiet containerd; then
	ctr -n k8s.io tasks ls -q | sort | sed 's/^/container /; s/$/\trunning/'
	ctr -n k8s.io images ls -q | sort | sed 's/^/image /; s/$/\tthere/'
fi
`

// list takes the listings of the hosts.
func (s *site) list(hosts ...string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, host := range hosts {
		all[host] = s.look(host, listing)
		s.wantKinds(host, all[host], map[string]int{"file": 200, "sum": 100, "unit": 3})
	}
	return all
}

// untouched fails the test if a host is not as it was when its listing was taken.
func (s *site) untouched(before map[string]string) {
	s.t.Helper()
	s.untouchedBut(before)
}

// untouchedBut is untouched, but for lines that begin so.
func (s *site) untouchedBut(before map[string]string, prefixes ...string) {
	s.t.Helper()
	for host, was := range before {
		for _, change := range changes(was, s.look(host, listing)) {
			_, line, _ := strings.Cut(change, ": ")
			if !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
				s.t.Errorf("host %s was touched: %s", host, change)
			}
		}
	}
}

// changes compares two texts of lines KEY<tab>VALUE and says what came, went and changed.
func changes(before, after string) []string {
	was, is := keyed(before), keyed(after)
	var found []string
	for _, key := range slices.Sorted(maps.Keys(was)) {
		value, exists := is[key]
		switch {
		case !exists:
			found = append(found, "gone: "+key+" "+was[key])
		case value != was[key]:
			found = append(found, "changed: "+key+" from "+was[key]+" to "+value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if _, existed := was[key]; !existed {
			found = append(found, "new: "+key+" "+is[key])
		}
	}
	return found
}

func keyed(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[key] = value
	}
	return all
}

// sshCounts are connections and sessions that a host's sshd has accepted.
type sshCounts struct{ connections, sessions int }

func (s *site) sshCounts(host string) sshCounts {
	s.t.Helper()
	log := s.shell(host, "cat /var/log/sshd.log")
	return sshCounts{strings.Count(log, "Accepted publickey"), strings.Count(log, "Starting session")}
}
