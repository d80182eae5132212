//go:build cluster

package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// movedEndpoint is the name that the endpoint gets, which all hosts know as cp1's address.
const movedEndpoint = "api.lab.example:6443"

// TestEndpointMove: a cluster with one control plane gets another endpoint and two more control planes, and nothing stops answering.
func TestEndpointMove(t *testing.T) { testEndpointMove(t, 2) }

func testEndpointMove(t *testing.T, cuts int) {
	hosts := []string{"cp1", "w1", "cp2", "cp3", "w2"}
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it has to be repeatable
	one := lab.InventoryOptions{ControlPlanes: hosts[:1], Workers: []string{"w1"}, Bundle: shared.bundle}
	three := lab.InventoryOptions{ControlPlanes: []string{"cp1", "cp2", "cp3"}, Workers: []string{"w1"}, Bundle: shared.bundle}
	host, _, _ := net.SplitHostPort(movedEndpoint)
	for _, name := range hosts {
		s.shell(name, fmt.Sprintf("echo '%s %s' >>/etc/hosts", s.address("cp1"), host))
	}
	s.inventory(one)
	s.mustUp()
	s.settled()
	old := net.JoinHostPort(s.address("cp1"), "6443")
	s.inventory(three)
	s.edit("controlPlane:\n", "controlPlane:\n  endpoint: "+movedEndpoint+"\n")
	s.planned(3).says(fmt.Sprintf("controlPlaneEndpoint is %q, want %q", old, movedEndpoint), "the API server's certificate is not for "+host)
	gap := s.longestGap("cp1")
	for n := range cuts {
		s.killAfter(n, time.Duration(random.IntN(40000))*time.Millisecond)
	}
	s.mustUp()
	s.wantNodes("cp1", "cp2", "cp3", "w1")
	s.planned(0)
	if longest := gap(); longest > 15*time.Second { // etcd's members become three meanwhile
		t.Errorf("the API server of cp1 did not answer for %v", longest)
	}
	s.wantEndpoint(movedEndpoint, []string{"cp1", "cp2", "cp3"}, []string{"w1"})
	for _, name := range []string{"cp1", "cp2", "cp3"} {
		for _, served := range []string{host, s.address("cp1")} {
			if err := s.serves(name, served); err != nil {
				t.Errorf("%s for %s: %v", name, served, err)
			}
		}
	}
	t.Run("Join", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("join", "w2", "--address", s.address("w2")).exits(0)
		s.wantNodes("cp1", "cp2", "cp3", "w1", "w2")
		s.planned(0)
		s.wantEndpoint(movedEndpoint, []string{"cp1", "cp2", "cp3"}, []string{"w1", "w2"})
	})
	t.Run("Drift", func(t *testing.T) { s.sub(t).wantEndpointMended(movedEndpoint) })
	t.Run("Withdrawn", func(t *testing.T) {
		s := s.sub(t)
		s.edit("  endpoint: "+movedEndpoint+"\n", "")
		s.planned(0) // the file names none, and the cluster keeps the one that it has
	})
}

// wantEndpointMended has places name another server, and up mends all of them, also where fairlead itself would go by it.
func (s *site) wantEndpointMended(endpoint string) {
	s.t.Helper()
	const third = "https://192.0.2.77:6443"
	point := "sed -i 's#server: .*#server: " + third + "#' "
	s.shell("cp1", kubectl+" --namespace kube-public get configmap cluster-info --output yaml | sed 's#server: .*#server: "+third+"#' | "+kubectl+" replace --filename -")
	s.shell("cp1", point+"/etc/kubernetes/admin.conf")
	s.shell("w1", point+"/etc/kubernetes/kubelet.conf; systemctl restart kubelet")
	s.planned(3).says("/etc/kubernetes/admin.conf names "+third, "/etc/kubernetes/kubelet.conf names "+third, "kube-public/cluster-info names "+third)
	s.mustUp()
	s.planned(0)
	s.wantEndpoint(endpoint, []string{"cp1", "cp2", "cp3"}, []string{"w1", "w2"})
	s.wantNodes("cp1", "cp2", "cp3", "w1", "w2")
}

// longestGap asks the API server of a host over and over until the function is called, which tells the longest time without an
// answer.
func (s *site) longestGap(host string) func() time.Duration {
	ca, before, longest := s.clusterCA(), time.Now(), time.Duration(0)
	answered := func() { longest, before = max(longest, time.Since(before)), time.Now() }
	w := s.watch(func(ctx context.Context) error {
		err := s.alive(ctx, ca, host)
		if err == nil {
			answered()
		}
		return err
	})
	return func() time.Duration {
		w.stop()
		w.group.Wait()
		answered()
		s.t.Logf("%d looks, %d failed, the longest gap was %v: %s", w.looks, len(w.bad), longest.Round(time.Millisecond), strings.Join(w.bad[:min(len(w.bad), 3)], "; "))
		return longest
	}
}

// killAfter runs up and kills it some time later, unless it is done by then.
func (s *site) killAfter(n int, after time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, after)
	defer cancel()
	cmd := s.command("up", "--output", "json")
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }() // killed or not
	select {
	case <-over:
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(os.Kill)
	<-over
	s.t.Logf("cut %d after %v: %v", n, after, cmd.ProcessState)
	// The dead run's lock is over when nobody has heard of it for a while; the test need not wait for that.
	_, _ = s.tryShell("cp1", kubectl+" --namespace kube-system delete lease fairlead --ignore-not-found; rm -f /run/fairlead-lock")
}

// wantEndpoint fails the test unless every place names the endpoint.
func (s *site) wantEndpoint(endpoint string, controlPlanes, workers []string) {
	s.t.Helper()
	want := "https://" + endpoint
	wants := func(what, text string) {
		if text != want {
			s.t.Errorf("%s names %q, want %q", what, text, want)
		}
	}
	server := func(text string) string {
		_, rest, _ := strings.Cut(text, "server: ")
		line, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSpace(line)
	}
	data := func(namespace, name, key string) string {
		return s.kubectl("get", "configmap", "--namespace", namespace, name, "--output", "jsonpath={.data."+key+"}")
	}
	wants("kube-proxy", server(data("kube-system", "kube-proxy", `kubeconfig\.conf`)))
	wants("cluster-info", server(data("kube-public", "cluster-info", "kubeconfig")))
	if text := data("kube-system", "kubeadm-config", "ClusterConfiguration"); !strings.Contains(text, "controlPlaneEndpoint: "+endpoint+"\n") {
		s.t.Errorf("kubeadm-config:\n%s", text)
	}
	for _, host := range controlPlanes {
		wants(host+"'s admin.conf", server(s.shell(host, "cat /etc/kubernetes/admin.conf")))
		if is := server(s.shell(host, "cat /etc/kubernetes/kubelet.conf")); is != "https://"+net.JoinHostPort(s.address(host), "6443") {
			s.t.Errorf("%s's kubelet.conf names %s", host, is)
		}
	}
	for _, host := range workers {
		wants(host+"'s kubelet.conf", server(s.shell(host, "cat /etc/kubernetes/kubelet.conf")))
	}
	// What runs has the endpoint, too: no pod of kube-proxy is older than its configuration.
	for line := range strings.Lines(s.kubectl("get", "daemonset", "--all-namespaces", "--output",
		`jsonpath={range .items[*]}{.metadata.name} {.status.updatedNumberScheduled} {.status.desiredNumberScheduled}{"\n"}{end}`)) {
		if words := strings.Fields(line); len(words) == 3 && words[1] != words[2] {
			s.t.Errorf("DaemonSet %s", line)
		}
	}
	if text := s.kubectl("get", "daemonset", "--namespace", "kube-flannel", "kube-flannel-ds", "--output", "yaml"); !strings.Contains(text, strings.Split(endpoint, ":")[0]) {
		s.t.Errorf("flannel does not use %s", endpoint)
	}
}
