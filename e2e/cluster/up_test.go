//go:build cluster

package cluster

import (
	"strings"
	"testing"
	"time"
)

// kubernetesService is the address that the name kubernetes.default has: the first of the
// service subnet.
const kubernetesService = "10.96.0.1"

const probeImage = "lab.fairlead.example/probe:v1"

// soon is how long names and Services may take to answer in pods that are Ready: up does not wait for
// CoreDNS, and kube-proxy's rules for a Service that was just made take a moment.
const soon = time.Minute

// probes are a pod on each worker and a Service in front of each.
const probes = `apiVersion: v1
kind: Pod
metadata: {name: probe-w1, labels: {probe: w1}}
spec:
  nodeName: w1
  terminationGracePeriodSeconds: 1
  containers: [{name: probe, image: "lab.fairlead.example/probe:v1", args: [serve, ":8080"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: probe-w2, labels: {probe: w2}}
spec:
  nodeName: w2
  terminationGracePeriodSeconds: 1
  containers: [{name: probe, image: "lab.fairlead.example/probe:v1", args: [serve, ":8080"]}]
---
apiVersion: v1
kind: Service
metadata: {name: to-w1}
spec: {selector: {probe: w1}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: to-w2}
spec: {selector: {probe: w2}, ports: [{port: 80, targetPort: 8080}]}
`

func testUp(t *testing.T) {
	s := freshSite(t, "cp1", "w1", "w2")
	s.mustUp()
	shared.up = true
	t.Cleanup(func() { shared.up = !t.Failed() })
	s.wantNodes("cp1", "w1", "w2")
	t.Run("Kubeconfig", func(t *testing.T) { s.sub(t).wantKubeconfig() })
	t.Run("Network", func(t *testing.T) { s.sub(t).wantNetwork() })
	t.Run("Outside", func(t *testing.T) {
		// So that it says something when hosts of a closed lab do not reach it.
		s := s.sub(t)
		s.shell("w1", pingOnce+s.outside())
	})
}

// wantKubeconfig tries what fairlead kubeconfig prints, with another kubectl's eyes.
func (s *site) wantKubeconfig() {
	s.t.Helper()
	o := s.fairlead("kubeconfig").exits(0)
	argv := []string{"kubectl", "--kubeconfig", "/dev/stdin", "--cache-dir", "/tmp/kubectl-cache", "get", "--raw", "/readyz"}
	out, err := s.lab.ExecInput(s.ctx, "w1", strings.NewReader(o.stdout), argv...)
	if err != nil || strings.TrimSpace(out) != "ok" {
		s.t.Errorf("kubeconfig used on w1: %q, %v", out, err)
	}
	if !strings.Contains(o.stdout, "https://"+s.address("cp1")+":6443") {
		s.t.Errorf("kubeconfig names another server:\n%s", o.stdout)
	}
}

// wantNetwork looks whether pods find names and reach pods on the other worker.
func (s *site) wantNetwork() {
	s.t.Helper()
	s.wantNetworkFrom(probeImage)
}

// wantNetworkFrom does so with pods of that image.
func (s *site) wantNetworkFrom(image string) {
	s.t.Helper()
	s.apply(strings.ReplaceAll(probes, probeImage, image))
	if out, err := s.tryKubectl("wait", "--for=condition=Ready", "pod/probe-w1", "pod/probe-w2", "--timeout=2m"); err != nil {
		s.t.Fatalf("pods of %s: %s\n%s", image, out, lastLines(s.kubectl("get", "events", "--field-selector", "type=Warning")))
	}
	for _, pair := range [][2]string{{"w1", "w2"}, {"w2", "w1"}} {
		from, to := "probe-"+pair[0], "probe-"+pair[1]
		for name, query := range map[string]struct{ verb, what, answer string }{
			// Through the search path that the kubelet gives to pods.
			"kubernetes.default":  {"resolve", "kubernetes.default", kubernetesService},
			"the whole name":      {"resolve", "kubernetes.default.svc.cluster.local.", kubernetesService},
			"the other's Service": {"get", "http://to-" + pair[1] + ".default.svc.cluster.local/", to},
			"its short name":      {"get", "http://to-" + pair[1] + "/", to},
		} {
			s.eventually(name+" from "+from, soon, func() string {
				out, err := s.tryKubectl("exec", from, "--", "/probe", query.verb, query.what)
				if err != nil || out != query.answer {
					return strings.TrimSpace(out + " " + errorText(err))
				}
				return ""
			})
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func testUpAgain(t *testing.T) {
	s := clusterSite(t)
	hosts := []string{"cp1", "w1", "w2"}
	before := s.list(hosts...)
	counts := map[string]sshCounts{}
	for _, host := range hosts {
		counts[host] = s.sshCounts(host)
	}
	s.fairlead("up").exits(0).says("nothing to do")
	for _, host := range hosts {
		now := s.sshCounts(host)
		if made := now.connections - counts[host].connections; made != 1 {
			t.Errorf("host %s: %d connections, want 1", host, made)
		}
		if made := now.sessions - counts[host].sessions; made < 1 || made > 3 {
			t.Errorf("host %s: %d sessions, want 1 to 3", host, made)
		}
	}
	s.untouched(before)
	s.planned(0).says("plan is empty")
	s.untouched(before)
}
