//go:build cluster

package cluster

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/packages"
	"fairlead/e2e/registry"
)

// proxyHost is a lab host that is no member of the cluster, and the only way to the repository.
const proxyHost = "proxy"

// onlyFor lets nobody but one address have what a host serves, and counts the packets of others.
const onlyFor = `iptables -A INPUT -p tcp -m multiport --dports 80,443,5000 ! -s "$1" -j REJECT --reject-with tcp-reset`

// proxyOfServices gives all services of a host a proxy, as a firm's image of a machine may.
const proxyOfServices = `mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\nDefaultEnvironment="HTTPS_PROXY=%s" "NO_PROXY=localhost,.corp.example"\n' "$1" >/etc/systemd/system.conf.d/50-proxy.conf
systemctl daemon-reexec`

// testProxy has no bundle: packages and images both come from hosts that only the proxy reaches.
func testProxy(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := closedSite(t, append(hosts, repositoryHost, proxyHost)...)
	server := s.repositories(hosts...)
	s.edit("source: bundle", "source: packages")
	images := s.mirroredImages()
	proxy, err := packages.InstallProxy(s.ctx, s.lab, proxyHost, server)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		if err := server.Trust(s.ctx, host); err != nil {
			t.Fatal(err)
		}
	}
	s.shell(repositoryHost, onlyFor, s.address(proxyHost))
	// The key of Kubernetes' repository is not given: hosts fetch it over TLS.
	repository := server.SecureURL() + "/kubernetes/core:/stable:"
	s.edit("  bundle: \""+shared.bundle+"\"\n", "  repository: {url: \""+repository+"\"}\n")
	s.write(s.file, s.read(s.file)+"runtime:\n  repository: {url: \""+server.URL()+"/docker/linux\", key: ./docker.asc}\n")

	t.Run("WithoutNo", func(t *testing.T) { s.sub(t).wantProxyFound(proxy.URL()) })
	s.write(s.file, s.read(s.file)+"proxy: {http: \""+proxy.URL()+"\", https: \""+proxy.URL()+"\"}\n")
	right := "url: \"" + repository + "\"}"
	s.shell(repositoryHost, "iptables -Z INPUT")
	s.wantClusterFromPackages(hosts, right, "url: \""+repository+"\", key: ./other.asc}", images+"/lab/probe:v1")
	s.wantEverythingThrough(proxy, server, hosts)
	t.Run("Withdrawn", func(t *testing.T) { s.sub(t).wantProxyWithdrawn(proxy.URL()) })
}

// mirroredImages fills a private registry beside the packages and has the inventory use it.
func (s *site) mirroredImages() string {
	s.t.Helper()
	server := s.install(registry.Install, repositoryHost)
	s.usePrivateRegistry(server)
	s.fairlead("images", "mirror", "--to", server.Host).exits(0)
	return server.Host
}

// wantProxyFound: a proxy that would keep the kubelet from its API server is found at once.
func (s *site) wantProxyFound(proxy string) {
	s.shell("w1", proxyOfServices, proxy)
	// So that packages and images are no obstacle of their own.
	o := s.fairlead("check").exits(1).saysOf("w1", "error: Proxy", "HTTPS_PROXY="+proxy, "NO_PROXY lacks "+s.address("cp1"), "10.96.0.1", "proxy: {https")
	if o.took > 20*time.Second {
		s.t.Errorf("it took %s", o.took)
	}
	s.fairlead("up").exits(1).saysOf("w1", "error: Proxy").says("nothing was changed")
}

// wantEverythingThrough: the repository has seen nobody but the proxy, and the proxy every host;
// what must not go through it did not.
func (s *site) wantEverythingThrough(proxy *packages.Proxy, server *packages.Server, hosts []string) {
	s.t.Helper()
	seen, err := server.Requests(s.ctx)
	if err != nil || len(seen) == 0 {
		s.t.Fatalf("nobody has asked the repository: %v", err)
	}
	if tried := s.shell(repositoryHost, "iptables -L INPUT -n -v -x | awk '$3 == \"REJECT\" { print $1 }'"); tried != "0" {
		s.t.Errorf("%s packets came to the repository or the registry directly", tried)
	}
	asked, err := proxy.Requests(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, host := range hosts {
		if !slices.ContainsFunc(asked, func(line string) bool {
			return strings.HasPrefix(line, s.address(host)+" CONNECT ") && strings.HasSuffix(line, ":5000")
		}) {
			s.t.Errorf("host %s has pulled nothing through the proxy", host)
		}
	}
	services := netip.MustParsePrefix("10.96.0.0/12")
	for _, line := range asked {
		name, _, _ := strings.Cut(strings.Fields(line)[2], ":")
		if address, err := netip.ParseAddr(name); err == nil && services.Contains(address) || strings.Contains(line, ":6443") {
			s.t.Errorf("through the proxy went %s", line)
		}
	}
	manifest := s.shell("cp1", "cat /etc/kubernetes/manifests/kube-controller-manager.yaml")
	for _, want := range []string{"HTTPS_PROXY", "10.96.0.0/12", "10.244.0.0/16", ".svc", s.address("w2")} {
		if !strings.Contains(manifest, want) {
			s.t.Errorf("the controller manager's manifest lacks %q", want)
		}
	}
}

// wantProxyWithdrawn: without the proxy in the inventory nothing of it stays in the services.
func (s *site) wantProxyWithdrawn(proxy string) {
	s.edit("proxy: {http: \""+proxy+"\", https: \""+proxy+"\"}\n", "")
	s.shell("w1", "rm /etc/systemd/system.conf.d/50-proxy.conf; systemctl daemon-reexec")
	s.planned(3).says("/etc/fairlead/proxy.env is no longer wanted")
	s.mustUp()
	s.planned(0)
	for _, host := range []string{"cp1", "w1", "w2"} {
		for _, unit := range []string{"containerd", "kubelet"} {
			if out := s.shell(host, "tr '\\0' '\\n' </proc/$(systemctl show "+unit+" --property MainPID --value)/environ | grep -i proxy || :"); out != "" {
				s.t.Errorf("host %s: %s runs with %s", host, unit, out)
			}
		}
	}
}

// usePrivateRegistry has all images of the inventory come from a registry.
func (s *site) usePrivateRegistry(server *registry.Server) {
	s.t.Helper()
	s.write(filepath.Join(s.home, "ca.crt"), string(server.CA))
	s.write(filepath.Join(s.home, "password"), server.Password+"\n")
	s.write(s.file, s.read(s.file)+privateImages(server))
}
