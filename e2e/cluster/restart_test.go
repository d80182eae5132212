//go:build cluster

package cluster

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// powerCut ends all that runs on the host at once, and boots it again. It is back when it returns.
func (s *site) powerCut(host string) error {
	if err := s.lab.Kill(s.ctx, host); err != nil {
		return err
	}
	return s.lab.Start(s.ctx, host)
}

// silent has no packet reach the host or leave it for some time.
func (s *site) silent(host string, d time.Duration) error {
	rules := func(verb string) error {
		_, err := s.lab.Exec(s.ctx, host, "sh", "-euc", "iptables -w "+verb+" INPUT ! -i lo -j DROP; iptables -w "+verb+" OUTPUT ! -o lo -j DROP")
		return err
	}
	if err := rules("-I"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, d)
	defer cancel()
	<-ctx.Done()
	return errors.Join(rules("-D"), s.ctx.Err())
}

// cutPower is what happens at a moment: the host of the event loses its power.
func cutPower(s *site, _ *os.Process, e event) error { return s.powerCut(e.Host) }

// testRestart has hosts lose their power in the middle of a run, each at a place of kubeadm's or of what comes before that was
// the end once. The run itself goes on when they are back: no other one is needed.
func testRestart(t *testing.T) {
	hosts := []string{"cp1", "w1"}
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	s.inventory(lab.InventoryOptions{ControlPlanes: hosts[:1], Workers: hosts[1:], Bundle: shared.bundle})
	before := s.snapshots(hosts...)
	importing := last(func(e event) bool { return e.Kind == "progress" && e.Step == "w1/images" && e.Bytes > 1<<20 })
	for name, moments := range map[string][]moment{
		"Manifests": {
			{"kubelet to start", printed("cp1/init", "[control-plane] Creating static Pod manifest"), cutPower},
			{"kubelet of w1 to be let in", printed("w1/join", "[kubelet-start] Starting the kubelet"), cutPower},
		},
		"Log": {
			{"images of w1", importing, cutPower},
			{"etcd to begin", printed("cp1/init", "[kubelet-start] Starting the kubelet"), func(s *site, _ *os.Process, e event) error {
				eventually(s.ctx, s.t, "etcd serves", 2*time.Minute, func() string { return s.etcdServes(e.Host) })
				return errors.Join(s.forgetEntries(e.Host), s.powerCut(e.Host))
			}},
		},
		"Rights": {
			{"API server to come", printed("cp1/init", "[kubelet-start] Starting the kubelet"), func(s *site, _ *os.Process, e event) error {
				eventually(s.ctx, s.t, "etcd serves", 2*time.Minute, func() string { return s.etcdServes(e.Host) })
				return s.powerCut(e.Host)
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.sub(t)
			o := s.upWith(moments...).exits(0)
			// Of the others, what was at work may have come to its end just before, and another step may have found them back.
			if e, failed := find(o.events(), "failed", "cp1/init"); !failed || !strings.Contains(e.Error, "connection lost") {
				t.Errorf("kubeadm init was not cut off: %q", e.Error)
			}
			s.wantNodes(hosts...)
			s.wantNoTokens()
			s.planned(0)
			if name == "Rights" {
				s.bootAgain(hosts)
			}
			s.fairlead("reset", "--yes").exits(0)
			s.restoredBut(before, "unit ") // after a boot, systemd knows other mounts of the lab
		})
	}
}

// bootAgain has all hosts of the cluster lose their power when all is done: what was prepared holds, and they are a cluster again.
func (s *site) bootAgain(hosts []string) {
	s.t.Helper()
	for _, host := range hosts {
		if err := s.powerCut(host); err != nil {
			s.t.Fatal(err)
		}
	}
	s.eventually("all nodes Ready again", 2*time.Minute, func() string {
		out, err := s.tryKubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s")
		if err != nil {
			return out + err.Error()
		}
		return ""
	})
	s.mustUp()
	s.planned(0)
}

// forgetEntries makes the log of the host's etcd what it was before its first entry, and stops that etcd, for a power cut that comes
// next: the moment itself is too short to meet.
func (s *site) forgetEntries(host string) error {
	_, err := s.lab.Exec(s.ctx, host, "sh", "-euc", `pkill -STOP -x etcd
	cd /var/lib/etcd/member; log=wal/0000000000000000-0000000000000000.wal; size=$(stat -c %s $log)
	begin=$(od -A n -v -t u1 -N 4096 $log | awk '{ for (i = 1; i <= NF; i++) byte[n++] = $i }
		END { for (at = 0; byte[at + 9] != 2 && byte[at + 9] != 3; at += 8 + byte[at] + byte[at + 7] % 128 % 8) if (at > n) exit 1; print at }')
	truncate -s "$begin" $log; truncate -s "$size" $log; rm -f snap/*; sync`)
	return err
}

// etcdServes says why the host's etcd does not serve; empty if it does.
func (s *site) etcdServes(host string) string {
	out, err := s.lab.Exec(s.ctx, host, "sh", "-c", "grep -l 'ready to serve client requests' /var/log/pods/kube-system_etcd-*/etcd/*.log")
	if err != nil || strings.TrimSpace(out) == "" {
		return "its log does not say so"
	}
	return ""
}
