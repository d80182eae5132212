//go:build cluster

package cluster

import (
	"cmp"
	"slices"
	"testing"
)

// drift is a change behind fairlead's back.
type drift struct {
	name   string
	host   string   // where the script runs
	script string   // makes the change
	about  string   // the host of which the plan speaks; empty: the same
	reason string   // what it must say
	plans  []string // all that it may plan
	check  string   // a script on host that must print want in the end
	want   string   // empty: what it printed before the change
	also   string   // a script that ends what the case needs, in the end
	// touched are the hosts that the repair may touch, and there the lines of their listings
	// that begin so.
	touched []string
	may     []string
}

// restarted are the lines of a listing that a unit's start changes: its own, and what a kubelet
// writes whenever it starts.
func restarted(units ...string) []string {
	lines := []string{"file /var/lib/kubelet"}
	for _, unit := range units {
		lines = append(lines, "unit "+unit+".service")
	}
	return lines
}

func drifts() []drift {
	return []drift{{
		name: "Sysctl", host: "w1", touched: []string{"w1"},
		script: "echo 0 >/proc/sys/net/ipv4/ip_forward",
		reason: `sysctl net.ipv4.ip_forward is "0", want "1"`, plans: []string{"w1/kernel"},
		check: "cat /proc/sys/net/ipv4/ip_forward", want: "1",
	}, {
		name: "ContainerdConfig", host: "w2", touched: []string{"w2"},
		script: "sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml",
		reason: "/etc/containerd/config.toml differs from line", plans: []string{"w2/containerd"},
		check: "sha256sum /etc/containerd/config.toml; systemctl is-active containerd kubelet",
		may:   append(restarted("containerd", "kubelet"), "file /etc/containerd", "sum /etc/containerd/config.toml"),
	}, {
		name: "KubeletStopped", host: "w2", touched: []string{"w2"},
		script: "systemctl stop kubelet",
		reason: "kubelet.service is inactive", plans: []string{"w2/kubernetes"},
		check: "systemctl is-active kubelet", want: "active",
		may: restarted("kubelet"),
	}, {
		name: "Taint", host: "cp1",
		script: kubectl + " taint nodes cp1 node-role.kubernetes.io/control-plane-",
		reason: "the control-plane taint is missing", plans: []string{"cp1/node"},
		check: kubectl + " get node cp1 -o jsonpath='{.spec.taints}'",
	}, {
		name: "Label", host: "cp1", about: "w1",
		script: kubectl + " label nodes w1 disk-",
		reason: `label disk is absent, want "ssd"`, plans: []string{"w1/node"},
		check: kubectl + " get node w1 -o jsonpath='{.metadata.labels.disk}'", want: "ssd",
	}, {
		name: "KubeletBinary", host: "w1", touched: []string{"w1"},
		script: "cd /usr/local/bin; cp -p kubelet kubelet.new; echo >>kubelet.new; mv kubelet.new kubelet",
		reason: "/usr/local/bin/kubelet is not that of kubernetes 1.37.2", plans: []string{"w1/kubernetes"},
		check: "sha256sum /usr/local/bin/kubelet; sha256sum /proc/$(systemctl show kubelet -p MainPID --value)/exe | cut -c1-64",
		may:   append(restarted("kubelet"), "file /usr/local/bin ", "file /usr/local/bin/kubelet ", "sum /usr/local/bin/kubelet ", "file /var/lib/fairlead ", "file /var/lib/fairlead/hashes ", "file /var/lib/fairlead/lock ", "sum /var/lib/fairlead/hashes "),
	}}
}

func testDrift(t *testing.T) {
	s := clusterSite(t)
	s.edit("{name: w1, address: "+s.address("w1")+"}", "{name: w1, address: "+s.address("w1")+", labels: {disk: ssd}}")
	s.mustUp()
	for _, d := range drifts() {
		t.Run(d.name, func(t *testing.T) { s.sub(t).repair(d) })
	}
	s.t.Cleanup(func() { shared.up = false }) // a node has a label that the usual inventory does not give
}

// repair makes one change and lets fairlead find it, name it and undo it, it alone.
func (s *site) repair(d drift) {
	s.t.Helper()
	want := d.want
	if want == "" {
		want = s.shell(d.host, d.check)
	}
	if d.also != "" {
		s.t.Cleanup(func() { s.shell(d.host, d.also) })
	}
	s.shell(d.host, d.script)
	s.plannedEvents().saysOf(cmp.Or(d.about, d.host), d.reason).plans(d.plans...)
	before := s.list("cp1", "w1", "w2")
	s.mustUp()
	if is := s.shell(d.host, d.check); is != want {
		s.t.Errorf("after the repair there is %q, want %q", is, want)
	}
	for host, was := range before {
		may := d.may
		if !slices.Contains(d.touched, host) {
			may = nil
		}
		s.untouchedBut(map[string]string{host: was}, may...)
	}
	s.planned(0)
	s.wantNodes("cp1", "w1", "w2")
}
