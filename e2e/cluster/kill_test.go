//go:build cluster

package cluster

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func testKill(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := freshSite(t, hosts...)
	before := s.snapshots(hosts...)
	for _, kill := range []struct {
		name string
		at   func(event) bool
		then func(*site) // right after the kill
		next func(*site, []event)
	}{
		{"Import", func(e event) bool {
			return e.Kind == "progress" && strings.HasSuffix(e.Step, "/images") && e.Bytes > 1<<20
		}, nil, nil},
		{"Init", func(e event) bool { return e.Kind == "output" && e.Step == "cp1/init" }, (*site).kubeadmGoesOn, (*site).waitedForKubeadm},
		{"Join", func(e event) bool { return e.Kind == "output" && e.Step == "w1/join" }, nil, nil},
	} {
		t.Run(kill.name, func(t *testing.T) {
			s := s.sub(t)
			s.killAt(kill.name, kill.at)
			if kill.then != nil {
				kill.then(s)
			}
			o := s.mustUp()
			if kill.next != nil {
				kill.next(s, o.events())
			}
			s.wantNodes(hosts...)
			s.wantNoTokens()
			s.planned(0)
			s.fairlead("reset", "--yes").exits(0)
		})
	}
	t.Run("Second", func(t *testing.T) { s.sub(t).secondRun() })
	t.Run("Kubeadm", func(t *testing.T) { s.sub(t).killKubeadmAgain(hosts) })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		s.restored(before)
	})
}

// secondRun begins another run while one is at work, before there is an API server and after that. It is refused each time, with
// the holder's name, the first one goes on, and neither leaves its lock. Then all is taken away again.
func (s *site) secondRun() {
	s.t.Helper()
	refused := func(args ...string) func(*site, *os.Process, event) error {
		return func(s *site, _ *os.Process, _ event) error {
			s.fairlead(args...).exits(1).says("another run changes this cluster: ", "hint: wait until that run is over")
			return nil
		}
	}
	// While hosts join, an up would only wait for their kubeadm, for which it needs no lock. The first run cannot come to its end
	// before the second one is refused.
	held := func(s *site, p *os.Process, e event) (err error) {
		if err := s.signalKubeadm(e.Host, "STOP"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.signalKubeadm(e.Host, "CONT")) }()
		return refused("reset", "--yes")(s, p, e)
	}
	s.upWith(moment{"no API server", printed("cp1/init", ""), refused("up")}, moment{"an API server", printed("w1/join", ""), held}).exits(0)
	if left := s.kubectl("get", "lease", "fairlead", "--namespace", "kube-system", "--ignore-not-found", "--output", "name"); left != "" {
		s.t.Errorf("the lock is left: %s", left)
	}
	if left := s.shell("cp1", "cat /run/fairlead-lock 2>/dev/null || :"); left != "" {
		s.t.Errorf("the lock is left: %s", left)
	}
	s.planned(0)
	s.fairlead("reset", "--yes").exits(0)
}

// killKubeadmAgain ends kubeadm itself, in run after run, at places where it leaves half of a
// member behind: of a control plane whose API server is not there yet, of one that answers, and of
// a worker. Every run goes on from there, and the last one comes to the end.
func (s *site) killKubeadmAgain(hosts []string) {
	s.t.Helper()
	const unfinished = "kubeadm init has not finished"
	for _, cut := range []struct {
		name, step, line string
		reason           string // why the step runs at all
		then             func(*site, *os.Process, event) error
	}{
		{"API server to come", "cp1/init", "[kubelet-start] Starting the kubelet", "no control plane exists", killKubeadm},
		{"objects to come", "cp1/init", "[bootstrap-token]", unfinished, killKubeadm},
		{"worker", "w1/join", "[kubelet-start]", "the host is not in the cluster", killKubeadmAndKubelet},
	} {
		o := s.upWith(moment{cut.name, printed(cut.step, cut.line), cut.then})
		host, _, _ := strings.Cut(cut.step, "/")
		o.exits(1).saysOf(host, "error: "+host+": ", ": kubeadm ")
		if e, _ := find(o.events(), "started", cut.step); !strings.Contains(e.text(), cut.reason) {
			s.t.Errorf("%s: %s was started because of %q, want %q", cut.name, cut.step, e.Reasons, cut.reason)
		}
	}
	half := s.shell("w1", "ls /etc/kubernetes/bootstrap-kubelet.conf /etc/kubernetes/kubelet.conf 2>/dev/null || :")
	o := s.mustUp()
	if again := s.joinedAgain(o); !strings.HasSuffix(half, "/kubelet.conf") && !slices.Equal(again, []string{"w1"}) {
		s.t.Errorf("w1 had %q, and joins that were gone on with are those of %q", half, again)
	}
	s.wantNodes(hosts...)
	s.wantNoTokens()
	s.planned(0)
}

// killKubeadmAndKubelet ends both, so that no kubelet completes what kubeadm has begun.
func killKubeadmAndKubelet(s *site, p *os.Process, e event) error {
	_, err := s.lab.Exec(s.ctx, e.Host, "sh", "-euc", "systemctl kill --signal=KILL "+kubeadmUnit+"; systemctl stop kubelet.service")
	return err
}

// kubeadmGoesOn fails the test unless kubeadm still runs on cp1, with nobody to watch it. It takes the lock of the run that was
// killed away, as its life would be over only when kubeadm has come to its end, too.
func (s *site) kubeadmGoesOn() {
	s.t.Helper()
	s.shell("cp1", "rm -f /run/fairlead-lock")
	if state := s.shell("cp1", "systemctl show fairlead-kubeadm.service -p ActiveState --value"); state != "active" {
		s.t.Errorf("after the kill the unit of kubeadm is %s", state)
	}
}

// waitedForKubeadm fails the test unless the run waited for the kubeadm of the one before
// instead of starting another.
func (s *site) waitedForKubeadm(events []event) {
	s.t.Helper()
	if _, waited := find(events, "done", "cp1/await-kubeadm"); !waited {
		s.t.Error("the second run did not wait for the kubeadm that still ran")
	}
	if e, again := find(events, "started", "cp1/init"); again {
		s.t.Errorf("the second run started kubeadm init again: %+v", e)
	}
}

// wantNoTokens fails the test if the cluster has a bootstrap token: the tests make none,
// so any would be fairlead's or kubeadm's.
func (s *site) wantNoTokens() {
	s.t.Helper()
	out := s.kubectl("get", "secrets", "--namespace", "kube-system", "--field-selector", "type=bootstrap.kubernetes.io/token",
		"--output", `jsonpath={range .items[*]}{.metadata.name}: {.data.description}{"\n"}{end}`)
	if out != "" {
		s.t.Errorf("bootstrap tokens are left (descriptions in base64):\n%s", out)
	}
}

// overlap returns an error if two steps ran at the same time. Either may have failed.
func overlap(events []event, a, b string) error {
	begin, end := map[string]time.Time{}, map[string]time.Time{}
	for _, step := range []string{a, b} {
		started, hasStarted := find(events, "started", step)
		over, isOver := find(events, "done", step)
		if !isOver {
			over, isOver = find(events, "failed", step)
		}
		if !hasStarted || !isOver {
			return fmt.Errorf("step %s: started %v, over %v", step, hasStarted, isOver)
		}
		begin[step], end[step] = started.Time, over.Time
	}
	if begin[a].Before(end[b]) && begin[b].Before(end[a]) {
		return fmt.Errorf("steps %s and %s ran at the same time", a, b)
	}
	return nil
}
