//go:build cluster

package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/bundle"
	"fairlead/e2e/lab"
	"fairlead/e2e/registry"
	"fairlead/pki"
)

// registryHost is a lab host that is no member of the cluster.
const registryHost = "reg"

// closedSite makes new hosts that reach nothing but each other.
func closedSite(t *testing.T, names ...string) *site {
	t.Helper()
	s := otherSite(t, func(options *lab.Options) { options.Closed = true }, names...)
	outside := s.outside()
	for _, name := range names {
		if out, err := s.tryShell(name, pingOnce+outside); err == nil {
			t.Fatalf("host %s has a way out to %s: %s", name, outside, out)
		}
	}
	return s
}

// install puts a registry onto a lab host, in one of the ways that there are.
func (s *site) install(way func(context.Context, *lab.Lab, string, string) (*registry.Server, error), host string) *registry.Server {
	s.t.Helper()
	program, err := bundle.Program(s.ctx, bundle.Options{}, "registry", "registry")
	if err != nil {
		s.t.Fatal(err)
	}
	server, err := way(s.ctx, s.lab, host, program)
	if err != nil {
		s.t.Fatal(err)
	}
	return server
}

// privateRegistry is a registry on a lab host, and the part of an inventory that has all
// images come from it.
func (s *site) privateRegistry() *registry.Server {
	s.t.Helper()
	server := s.install(registry.Install, registryHost)
	other, err := pki.NewAuthority(rand.Reader, "another", time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(s.home, "other.crt"), string(other.CertificatePEM()))
	s.write(filepath.Join(s.home, "other-password"), "wrong-password\n")
	s.write(s.file, s.read(s.file)+"addons:\n  metricsServer: {}\n  ingress: {}\n")
	s.usePrivateRegistry(server)
	return server
}

// privateImages is the part of an inventory that renames all images to a registry.
func privateImages(server *registry.Server) string {
	text := "images:\n  rewrite:\n"
	for _, rule := range [][2]string{
		{"registry.k8s.io", "k8s"}, {"docker.io", "hub"}, {"ghcr.io", "ghcr"}, {"lab.fairlead.example", "lab"}, {"registry.fairlead.example", "fairlead"},
	} {
		text += fmt.Sprintf("    - {from: %s, to: \"%s/%s\"}\n", rule[0], server.Host, rule[1])
	}
	if server.User == "" {
		return text + fmt.Sprintf("  registries:\n    - {host: %q, plainHTTP: true}\n", server.Host)
	}
	return text + fmt.Sprintf("  registries:\n    - {host: %q, ca: ./ca.crt, user: %s, password: {file: ./password}}\n", server.Host, server.User)
}

func testRegistry(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := closedSite(t, append(hosts, registryHost)...)
	server := s.privateRegistry()
	t.Run("Refused", func(t *testing.T) { s.sub(t).wantRegistryErrors(server) })
	t.Run("Mirror", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("images", "mirror", "--to", server.Host, "--via", "w1").exits(0).saysNot(server.Password)
		s.fairlead("images", "mirror", "--to", server.Host).exits(0).says("sent 0 MiB in 0 blobs")
		s.fairlead("images", "verify").exits(0).says("0 problems")
	})
	t.Run("CutOff", func(t *testing.T) { s.sub(t).wantRerunAfterRegistryDown(server) })
	s.wantNodes(hosts...)
	s.planned(0)
	s.fairlead("images", "verify").exits(0).says("0 problems")
	s.wantNetworkFrom(server.Host + "/lab/probe:v1")
	for _, host := range hosts {
		names := s.shell(host, "ctr --namespace k8s.io images list --quiet")
		for name := range strings.Lines(names) {
			if name = strings.TrimSpace(name); !strings.HasPrefix(name, server.Host+"/") && !strings.HasPrefix(name, "sha256:") {
				t.Errorf("host %s has the image %s", host, name)
			}
		}
		pulls := s.pulls(server, host)
		if len(pulls) == 0 {
			t.Errorf("host %s has pulled nothing from the registry", host)
		}
		t.Logf("host %s: %d requests for blobs", host, len(pulls))
		if mode := s.shell(host, "stat --format %a /etc/containerd/conf.d/fairlead-registries.toml"); mode != "600" {
			t.Errorf("host %s: the file with the password has mode %s", host, mode)
		}
		found := s.shell(host, "grep --recursive --files-with-matches --fixed-strings --exclude-dir=proc --exclude-dir=sys \"$1\" /etc /var/lib/fairlead /var/log /tmp /run || :", server.Password)
		if found != "/etc/containerd/conf.d/fairlead-registries.toml" {
			t.Errorf("host %s: the password is in %s", host, found)
		}
	}
	s.notOnLaptop(server.Password)
	s.kubectl("run", "foreign", "--image=registry.k8s.io/pause:3.10.2")
	s.fairlead("images", "verify").exits(1).says("pod default/foreign: registry.k8s.io/pause:3.10.2 came from elsewhere, want " + server.Host + "/k8s/pause:3.10.2")
}

// notOnLaptop looks for a secret in all that fairlead wrote on the laptop.
func (s *site) notOnLaptop(secret string) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.home, "cache", "fairlead", "log", "*"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no debug logs: %v", err)
	}
	for _, file := range files {
		if strings.Contains(s.read(file), secret) {
			s.t.Errorf("%s holds the password", file)
		}
	}
}

// pulls are the requests for blobs from a host's containerd.
func (s *site) pulls(server *registry.Server, host string) []string {
	s.t.Helper()
	requests, err := server.Requests(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.DeleteFunc(requests, func(line string) bool {
		return !strings.HasPrefix(line, s.address(host)+" ") || !strings.Contains(line, "\"GET ") || !strings.Contains(line, "/blobs/") || !strings.Contains(line, "containerd/")
	})
}

// wantRegistryErrors: what can be known is reported before a host is touched.
func (s *site) wantRegistryErrors(server *registry.Server) {
	before := s.list("cp1", "w1", "w2")
	// Nothing is there yet.
	s.fairlead("images", "verify").exits(1).saysOf("w1", "error: Images: image "+server.Host+"/k8s/pause:3.10.2 cannot be had", "not in the registry")
	s.fairlead("up").exits(1).says("image "+server.Host+"/k8s/kube-apiserver:v1.37.2 cannot be had", "fairlead images mirror --to "+server.Host, "nothing was changed")
	s.untouched(before)
	for _, c := range []struct{ name, from, to, says string }{
		{"wrong CA", "ca: ./ca.crt", "ca: ./other.crt", "certificate is not trusted"},
		{"wrong password", "password: {file: ./password}", "password: {file: ./other-password}", "denies access"},
	} {
		s.edit(c.from, c.to)
		s.fairlead("up").exits(1).saysOf("w1", "images cannot be had from "+server.Host, c.says).says("nothing was changed").saysNot(server.Password, "wrong-password")
		s.edit(c.to, c.from)
		s.untouched(before)
	}
	if err := server.Stop(s.ctx); err != nil {
		s.t.Fatal(err)
	}
	s.fairlead("check").exits(1).saysOf("w2", "error: Images: images cannot be had from "+server.Host, "unreachable")
	s.untouched(before)
	if err := server.Start(s.ctx); err != nil {
		s.t.Fatal(err)
	}
}

// wantRerunAfterRegistryDown ends the registry while the first control plane pulls from it.
func (s *site) wantRerunAfterRegistryDown(server *registry.Server) {
	s.t.Helper()
	running, over := context.WithCancel(s.ctx)
	broken := make(chan error, 1)
	go func() { broken <- s.stopAtFirstPull(running, server) }()
	o := s.fairlead("up")
	over()
	if err := <-broken; err != nil {
		s.t.Fatalf("%v\nstderr: %s", err, lastLines(o.stderr))
	}
	o.exits(1).saysOf("cp1", server.Host+"/k8s/")
	if err := server.Start(s.ctx); err != nil {
		s.t.Fatal(err)
	}
	s.mustUp()
}

// stopAtFirstPull stops the registry as soon as cp1's runtime has asked it for something, or
// gives up when the run is over.
func (s *site) stopAtFirstPull(running context.Context, server *registry.Server) error {
	for running.Err() == nil {
		requests, err := server.Requests(s.ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(requests, func(line string) bool {
			return strings.HasPrefix(line, s.address("cp1")+" ") && strings.Contains(line, "containerd/")
		}) {
			return server.Stop(s.ctx)
		}
	}
	return errors.New("the run ended before cp1 pulled anything")
}
