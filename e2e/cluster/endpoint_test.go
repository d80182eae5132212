//go:build cluster

package cluster

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// endpointGap is the longest time without an answer at the endpoint when the host that has the address is lost.
const endpointGap = 3 * time.Second

// TestEndpoint: control planes share an address, and who asks there notices little or nothing of what happens to one of them.
func TestEndpoint(t *testing.T) {
	controlPlanes, workers := []string{"cp1", "cp2", "cp3"}, []string{"w1", "w2"}
	hosts := slices.Concat(controlPlanes, workers)
	s := haSite(t, controlPlanes, workers)
	before := s.snapshots(hosts...)
	s.mustUp()
	s.settled()
	s.wantNodes(hosts...)
	s.wantMembers(controlPlanes...)
	s.planned(0)

	t.Run("Secret", func(t *testing.T) { s.sub(t).wantSharedSecret(controlPlanes) })
	t.Run("HAProxy", func(t *testing.T) {
		s := s.sub(t)
		s.wantProbed("HAProxy killed", s.during(func() { s.kill(s.holder(controlPlanes), "haproxy") }), endpointGap, 5)
	})
	t.Run("Keepalived", func(t *testing.T) {
		s := s.sub(t)
		s.wantProbed("keepalived killed", s.during(func() { s.kill(s.holder(controlPlanes), "keepalived") }), endpointGap, 5)
	})
	t.Run("API", func(t *testing.T) {
		s := s.sub(t)
		s.wantProbed("an API server away", s.during(func() { s.withoutAPIServer("cp2") }), endpointGap, 0)
	})
	t.Run("Roll", func(t *testing.T) { s.sub(t).wantRollUnnoticed(controlPlanes) })
	t.Run("Power", func(t *testing.T) { s.sub(t).wantHolderReplaced(controlPlanes, hosts) })
	t.Run("Empty", func(t *testing.T) { s.sub(t).planned(0).says("plan is empty") })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		// What dpkg, apt, adduser and ucf keep for themselves; after a boot, systemd knows other mounts of the lab.
		s.restoredBut(before, "unit ", "/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/etc/ld.so.cache",
			"/run/adduser", "/etc/group-", "/etc/gshadow-", "/etc/passwd-", "/etc/shadow-", "/var/lib/ucf")
		s.fairlead("reset", "--yes").exits(0).says("nothing to do")
	})
}

// holder is the control plane that has the shared address, once there is exactly one.
func (s *site) holder(hosts []string) (holder string) {
	s.t.Helper()
	s.eventually("one holder of "+s.vip(), time.Minute, func() string {
		var holders []string
		for _, host := range hosts {
			if out, err := s.tryShell(host, "ip -o addr show to "+s.vip()); err == nil && out != "" {
				holders = append(holders, host)
			}
		}
		if len(holders) != 1 {
			return "it is on " + strings.Join(holders, " and ")
		}
		holder = holders[0]
		return ""
	})
	return holder
}

// kill kills all processes of a program on a host, and returns when its unit has been up again for a while.
func (s *site) kill(host, program string) {
	s.t.Helper()
	was := s.shell(host, "systemctl show --property MainPID --value "+program+"; pkill -KILL -x "+program)
	s.eventually(program+" on "+host+" again", time.Minute, func() string {
		is, err := s.tryShell(host, "systemctl is-active --quiet "+program+" && systemctl show --property MainPID --value "+program)
		if err != nil || is == was {
			return "it is not active"
		}
		return ""
	})
	s.holder([]string{"cp1", "cp2", "cp3"})
	s.pause(5 * time.Second)
}

// pause lets a prober go on asking.
func (s *site) pause(d time.Duration) {
	s.t.Helper()
	select {
	case <-s.ctx.Done():
		s.t.Fatal(s.ctx.Err())
	case <-time.After(d):
	}
}

// withoutAPIServer takes the manifest of a host's API server away until its container has ended, and puts it back until it is ready.
func (s *site) withoutAPIServer(host string) {
	s.t.Helper()
	s.shell(host, "mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/")
	s.eventually("end of the API server of "+host, 2*time.Minute, func() string {
		if _, err := s.tryShell(host, "! pgrep -x kube-apiserver"); err != nil {
			return "it runs"
		}
		return ""
	})
	s.pause(3 * time.Second)
	s.shell(host, "mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/")
	s.eventually("the API server of "+host, 2*time.Minute, func() string {
		return errorText(s.alive(s.ctx, s.clusterCA(), host))
	})
	s.pause(5 * time.Second)
}

// wantRollUnnoticed has up give all balancers another configuration, one after another. A watch that began before goes on.
func (s *site) wantRollUnnoticed(controlPlanes []string) {
	s.t.Helper()
	holder := s.holder(controlPlanes)
	for _, host := range controlPlanes {
		s.shell(host, "echo '# drifted' >>/etc/haproxy/haproxy.cfg; echo '# drifted' >>/etc/keepalived/keepalived.conf")
	}
	s.shell("w1", `systemd-run --quiet --collect --unit lab-watch --property StandardOutput=file:/run/lab-watch \
		kubectl --cache-dir /tmp/kubectl-cache --kubeconfig /etc/kubernetes/kubelet.conf --server https://"$1" get --watch node w1`, s.endpoint())
	var o outcome
	s.wantProbed("balancers rolled", s.during(func() {
		begin := time.Now()
		o = s.mustUp()
		s.pause(max(0, time.Minute-time.Since(begin)))
	}), endpointGap, 0)
	s.shell("w1", "systemctl is-active --quiet lab-watch; systemctl stop lab-watch; rm /run/lab-watch")
	for i, host := range controlPlanes {
		if _, done := find(o.events(), "done", host+"/balancer"); !done {
			s.t.Errorf("the balancer of %s was not changed", host)
		}
		for _, other := range controlPlanes[i+1:] {
			if err := overlap(o.events(), host+"/balancer", other+"/balancer"); err != nil {
				s.t.Error(err)
			}
		}
	}
	if is := s.holder(controlPlanes); is != holder {
		s.t.Errorf("the address went from %s to %s", holder, is)
	}
	s.planned(0)
}

// wantHolderReplaced has the host that has the address lose its power. It is back in the end, and does not take the address again.
func (s *site) wantHolderReplaced(controlPlanes, hosts []string) {
	s.t.Helper()
	lost := s.holder(controlPlanes)
	others := slices.DeleteFunc(slices.Clone(controlPlanes), func(host string) bool { return host == lost })
	var next string
	s.wantProbed("power of "+lost+" lost", s.during(func() {
		if err := s.lab.Kill(s.ctx, lost); err != nil {
			s.t.Fatal(err)
		}
		next = s.holder(others)
		s.pause(5 * time.Second)
	}), endpointGap, 20)
	s.wantProbed(lost+" comes back", s.during(func() {
		if err := s.lab.Start(s.ctx, lost); err != nil {
			s.t.Fatal(err)
		}
		s.eventually("all nodes Ready again", 3*time.Minute, func() string {
			out, err := s.tryKubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s")
			if err != nil {
				return out + err.Error()
			}
			return ""
		})
	}), endpointGap, 5)
	if is := s.holder(controlPlanes); is != next {
		s.t.Errorf("the address went from %s to %s", next, is)
	}
	s.wantNodes(hosts...)
}

// wantSharedSecret: what keepalived processes know each other by is the same everywhere, is for root alone, and is told by nobody.
func (s *site) wantSharedSecret(controlPlanes []string) {
	s.t.Helper()
	const file = "/run/fairlead-balancer/authentication.conf"
	secret := s.shell(controlPlanes[0], "sed -n 's/.*auth_pass //p' "+file)
	if len(secret) != 8 {
		s.t.Fatalf("the secret has %d characters", len(secret))
	}
	for _, host := range controlPlanes {
		if is := s.shell(host, "stat -c '%a %u:%g' ${1%/*} $1; sed -n 's/.*auth_pass //p' $1", file); is != "700 0:0\n600 0:0\n"+secret {
			s.t.Errorf("host %s: folder, file and secret are not those of %s, or not for root alone", host, controlPlanes[0])
		}
		if out, err := s.tryShell(host, "! grep -rqF "+secret+" /etc/keepalived /etc/fairlead /etc/haproxy /var/lib/fairlead && ! journalctl --quiet -u keepalived | grep -qF "+secret); err != nil {
			s.t.Errorf("host %s: the secret is told: %s", host, out)
		}
	}
	s.notOnLaptop(secret)
}
