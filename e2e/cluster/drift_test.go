//go:build cluster

package cluster

import (
	"slices"
	"testing"
)

// drift is a change behind fairlead's back.
type drift struct {
	name    string
	host    string   // where the script runs
	script  string   // makes the change
	reason  string   // what the plan must say
	check   string   // a script on host that must print want in the end
	want    string   // empty: what it printed before the change
	also    string   // a script that ends what the case needs, in the end
	touched []string // hosts that the repair may touch
}

func drifts() []drift {
	return []drift{{
		name: "Sysctl", host: "w1", touched: []string{"w1"},
		script: "echo 0 >/proc/sys/net/ipv4/ip_forward",
		reason: `sysctl net.ipv4.ip_forward is "0", want "1"`,
		check:  "cat /proc/sys/net/ipv4/ip_forward", want: "1",
	}, {
		name: "ContainerdConfig", host: "w2", touched: []string{"w2"},
		script: "sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml",
		reason: "/etc/containerd/config.toml differs from line",
		check:  "sha256sum /etc/containerd/config.toml; systemctl is-active containerd kubelet",
	}, {
		name: "KubeletStopped", host: "w2", touched: []string{"w2"},
		script: "systemctl stop kubelet",
		reason: "kubelet.service is inactive",
		check:  "systemctl is-active kubelet", want: "active",
	}, {
		name: "Taint", host: "cp1",
		script: kubectl + " taint nodes cp1 node-role.kubernetes.io/control-plane-",
		reason: "the control-plane taint is missing",
		check:  kubectl + " get node cp1 -o jsonpath='{.spec.taints}'",
	}, {
		name: "Label", host: "cp1",
		script: kubectl + " label nodes w1 disk-",
		reason: `label disk is absent, want "ssd"`,
		check:  kubectl + " get node w1 -o jsonpath='{.metadata.labels.disk}'", want: "ssd",
	}, {
		name: "KubeletBinary", host: "w1", touched: []string{"w1"},
		script: "cd /usr/local/bin; cp -p kubelet kubelet.new; echo >>kubelet.new; mv kubelet.new kubelet",
		reason: "/usr/local/bin/kubelet is not that of kubernetes 1.37.2",
		check:  "sha256sum /usr/local/bin/kubelet; sha256sum /proc/$(systemctl show kubelet -p MainPID --value)/exe | cut -c1-64",
	}, {
		// All hosts of a lab share one kernel, so swap is on for all of them.
		name: "Swap", host: "w2", touched: []string{"cp1", "w1", "w2"},
		script: "dd if=/dev/zero of=/srv/swap bs=1M count=64 status=none; losetup /dev/loop6 /srv/swap; mkswap -q /dev/loop6; swapon /dev/loop6",
		reason: "swap is on: /dev/loop6",
		check:  "sed 1d /proc/swaps | grep -c loop6 || :", want: "0",
		also: "losetup -d /dev/loop6; rm /srv/swap",
	}}
}

func testDrift(t *testing.T) {
	s := clusterSite(t)
	s.edit("{name: w1, address: "+s.address("w1")+"}", "{name: w1, address: "+s.address("w1")+", labels: {disk: ssd}}")
	s.mustUp()
	for _, host := range []string{"cp1", "w1", "w2"} {
		s.shell(host, "[ -b /dev/loop6 ] || mknod -m 660 /dev/loop6 b 7 6")
	}
	for _, d := range drifts() {
		t.Run(d.name, func(t *testing.T) { s.sub(t).repair(d) })
	}
	s.t.Cleanup(func() { shared.up = false }) // the ledgers remember the swap that was on
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
	var others []string
	for _, host := range []string{"cp1", "w1", "w2"} {
		if !slices.Contains(d.touched, host) {
			others = append(others, host)
		}
	}
	before := s.list(others...)
	s.planned(3).says(d.reason)
	s.mustUp()
	if is := s.shell(d.host, d.check); is != want {
		s.t.Errorf("after the repair there is %q, want %q", is, want)
	}
	s.untouched(before)
	s.planned(0)
	s.wantNodes("cp1", "w1", "w2")
}
