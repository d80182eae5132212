//go:build cluster

package cluster

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/e2e/bundle"
	"fairlead/e2e/lab"
)

// labIPv6 is the network of the hosts' second addresses, with the number of the lab.
const labIPv6 = "fd00:89:%x::/64"

// dualProbes are the probes, with Services of two IP families in front of them.
var dualProbes = strings.ReplaceAll(probes, "spec: {selector:", "spec: {ipFamilyPolicy: RequireDualStack, selector:")

func testReachDualStack(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := dualStackSite(t, append(hosts, "cp2")...)
	for _, host := range append(hosts, "cp2") {
		s.shell(host, plant+"ip6tables -N FOREIGN6; ip6tables -A FOREIGN6 -s 2001:db8::7 -j DROP; ip6tables -A INPUT -j FOREIGN6")
	}
	before := s.snapshots(append(hosts, "cp2")...)
	s.mustUp()
	s.settled()
	s.wantNodes(hosts...)
	t.Run("Nodes", func(t *testing.T) {
		s := s.sub(t)
		for _, host := range hosts {
			is := strings.Fields(s.kubectl("get", "node", host, "--output", `jsonpath={.status.addresses[?(@.type=="InternalIP")].address}`))
			if want := s.bothAddresses(host); !slices.Equal(is, want) {
				t.Errorf("node %s has the addresses %v, want %v", host, is, want)
			}
		}
	})
	t.Run("Pods", func(t *testing.T) { s.sub(t).wantBothFamilies() })
	t.Run("Empty", func(t *testing.T) { s.sub(t).planned(0).says("plan is empty") })
	t.Run("OneFamily", func(t *testing.T) { s.sub(t).refusesOneFamily() })
	t.Run("Public", func(t *testing.T) { s.sub(t).wantPublicEndpoint() })
	t.Run("Join", func(t *testing.T) { s.sub(t).joinControlPlane("cp2") })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		s.restored(before)
		s.fairlead("reset", "--yes").exits(0).says("nothing to do")
	})
}

// dualStackSite makes new hosts of two addresses, in a lab of its own kind.
func dualStackSite(t *testing.T, names ...string) *site {
	t.Helper()
	s := otherSite(t, func(options *lab.Options) { options.IPv6 = fmt.Sprintf(labIPv6, shared.number) }, names...)
	options := usual()
	options.DualStack = true
	s.inventory(options)
	return s
}

// bothAddresses are those of a host, in the inventory's order.
func (s *site) bothAddresses(host string) []string {
	s.t.Helper()
	h, err := s.lab.Host(host)
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{h.Address.String(), h.Second.String()}
}

// wantBothFamilies looks whether pods and Services have an address of each family, and answer at all of them from another node.
func (s *site) wantBothFamilies() {
	s.t.Helper()
	s.apply(dualProbes)
	s.kubectl("wait", "--for=condition=Ready", "pod/probe-w1", "pod/probe-w2", "--timeout=60s")
	for _, pair := range [][2]string{{"w1", "w2"}, {"w2", "w1"}} {
		from, to := "probe-"+pair[0], "probe-"+pair[1]
		for what, query := range map[string][]string{
			"pod":     {"pod", to, `jsonpath={.status.podIPs[*].ip}`},
			"Service": {"service", "to-" + pair[1], `jsonpath={.spec.clusterIPs[*]}`},
		} {
			port := map[string]string{"pod": "8080", "Service": "80"}[what]
			addresses := strings.Fields(s.kubectl("get", query[0], query[1], "--output", query[2]))
			if !ofBothFamilies(addresses) {
				s.t.Errorf("%s %s has the addresses %v, want one of each IP family, IPv4 first", what, query[1], addresses)
			}
			for _, address := range addresses {
				url := "http://" + net.JoinHostPort(address, port) + "/"
				s.eventually(what+" "+url+" from "+from, soon, func() string {
					out, err := s.tryKubectl("exec", from, "--", "/probe", "get", url)
					if err != nil || out != to {
						return strings.TrimSpace(out + " " + errorText(err))
					}
					return ""
				})
			}
		}
	}
}

func ofBothFamilies(addresses []string) bool {
	if len(addresses) != 2 {
		return false
	}
	first, err := netip.ParseAddr(addresses[0])
	second, errSecond := netip.ParseAddr(addresses[1])
	return err == nil && errSecond == nil && first.Is4() && second.Is6()
}

// joinControlPlane adds a control plane of two addresses, both of which its API server's certificate has to be for. The cluster was made without it.
func (s *site) joinControlPlane(host string) {
	s.t.Helper()
	s.fairlead("join", host, "--control-plane", "--address", strings.Join(s.bothAddresses(host), ",")).exits(0)
	for _, address := range s.bothAddresses(host) {
		if out := s.shell(host, "openssl x509 -noout -checkip $1 -in /etc/kubernetes/pki/apiserver.crt", address); !strings.Contains(out, "does match") {
			s.t.Errorf("the API server's certificate: %s", out)
		}
		if out, err := s.tryKubectl("--server", "https://"+net.JoinHostPort(address, "6443"), "get", "--raw", "/readyz"); err != nil || out != "ok" {
			s.t.Errorf("the API server at %s: %q, %v", address, out, err)
		}
	}
	s.planned(0).says("plan is empty")
}

// refusesOneFamily tries to take a family away from the living cluster.
func (s *site) refusesOneFamily() {
	s.t.Helper()
	dual := s.read(s.file)
	defer s.write(s.file, dual)
	options := usual()
	s.inventory(options)
	s.fairlead("up").exits(1).says("networking.podSubnet is \"10.244.0.0/16,fd00:10:244::/56\", want \"10.244.0.0/16\"", "it is fixed when a cluster is made", "nothing was changed")
}

// wantPublicEndpoint gives the living cluster an endpoint for people, by a name that nobody resolves, and reaches it by SSH.
func (s *site) wantPublicEndpoint() {
	s.t.Helper()
	s.edit("controlPlane:\n", "controlPlane:\n  publicEndpoint: api.fairlead.invalid\n")
	s.mustUp()
	s.planned(0)
	o := s.fairlead("kubeconfig").exits(0).says("server: https://api.fairlead.invalid:6443", "https://api.fairlead.invalid:6443 cannot be used from here", "kubectl get nodes")
	argv := []string{"kubectl", "--kubeconfig", "/dev/stdin", "--cache-dir", "/tmp/kubectl-cache", "--tls-server-name", "api.fairlead.invalid",
		"--server", "https://" + s.address("cp1") + ":6443", "get", "--raw", "/readyz"}
	out, err := s.lab.ExecInput(s.ctx, "w1", strings.NewReader(o.stdout), argv...)
	if err != nil || strings.TrimSpace(out) != "ok" {
		s.t.Errorf("the API server by its name for people: %q, %v", out, err)
	}
	if is := strings.Fields(s.throughSSH("get", "nodes", "--output", "name")); len(is) != 3 {
		s.t.Errorf("fairlead kubectl sees the nodes %v", is)
	}
	// A stream that is no request and answer.
	s.apply(dualProbes)
	s.throughSSH("wait", "--for=condition=Ready", "pod/probe-w1", "--timeout=2m")
	if is := s.throughSSH("exec", "probe-w1", "--", "/probe", "resolve", "kubernetes.default.svc.cluster.local."); is != kubernetesService {
		s.t.Errorf("fairlead kubectl exec says %q", is)
	}
	if left, err := os.ReadDir(filepath.Join(s.home, "tmp")); err != nil || len(left) > 0 {
		s.t.Errorf("files are left: %v, %v", left, err)
	}
}

// throughSSH runs fairlead kubectl with the bundle's kubectl.
func (s *site) throughSSH(args ...string) string {
	s.t.Helper()
	program, err := bundle.Program(s.ctx, bundle.Options{}, "kubernetes", "kubectl")
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.ctx, shared.program, append([]string{"--file", s.file, "kubectl"}, args...)...)
	cmd.Dir = s.home
	cmd.Env = []string{"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"), "TMPDIR=" + filepath.Join(s.home, "tmp"), "TERM=dumb"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("fairlead kubectl %s: %v: %s", strings.Join(args, " "), err, lastLines(string(out)))
	}
	return strings.TrimSpace(string(out))
}
