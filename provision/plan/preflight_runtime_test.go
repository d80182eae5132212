package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// What must be reached without a proxy: all of it, in a fixed order, each once.
func TestProxyIsComplete(t *testing.T) {
	proxy := world.State(t, world.All(world.WithProxy, world.ThreeControlPlanes, func(c *inventory.Cluster) {
		c.ControlPlane.Endpoint = "api.lab.example:8443"
		c.Proxy.No = []string{"registry.lab", "localhost", ".svc"}
	}, world.Config(templates.KindCluster, map[string]any{"networking": map[string]any{"dnsDomain": "lab.example"}}))).Proxy()
	want := []string{
		"localhost", "127.0.0.1", "::1", "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.21", "192.0.2.22", "api.lab.example",
		"10.244.0.0/16", "10.96.0.0/12", ".svc", ".lab.example", "registry.lab",
	}
	if !slices.Equal(proxy.No, want) || proxy.HTTP != "http://proxy.lab:3128" || proxy.HTTPS != "http://proxy.lab:3128" {
		t.Errorf("proxy is %+v, want %v", proxy, want)
	}
	plain := world.State(t, world.WithProxy)
	if no := plain.Proxy().No; !slices.Contains(no, ".cluster.local") || slices.Index(no, "192.0.2.11") != 3 || len(slices.Compact(slices.Sorted(slices.Values(no)))) != len(no) {
		t.Errorf("without a proxy go %v", no)
	}
	if world.State(t, nil).Proxied() || !plain.Proxied() {
		t.Error("it does not know who has a proxy")
	}
}

func TestCheckProxy(t *testing.T) {
	const proxy = "http://user:secret@proxy.lab:3128"
	complete := "127.0.0.0/8,192.0.2.0/24,10.96.0.0/12"
	for _, c := range []struct {
		name        string
		edit        func(*inventory.Cluster)
		environment map[string]string
		want        string // what NO_PROXY lacks; empty: all is well
	}{
		{name: "no environment"},
		{name: "complete", environment: map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": complete}},
		{name: "complete by addresses", environment: map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": "192.0.2.11,192.0.2.21,192.0.2.22,10.96.0.1"}},
		{name: "everything", environment: map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": "*"}},
		{name: "only http", environment: map[string]string{"HTTP_PROXY": proxy}},
		{name: "only what is direct", environment: map[string]string{"NO_PROXY": "localhost"}},
		{name: "nothing is direct", environment: map[string]string{"HTTPS_PROXY": proxy}, want: "192.0.2.11, 192.0.2.21, 192.0.2.22, 10.96.0.1"},
		{name: "no services", environment: map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": "192.0.2.0/24"}, want: "10.96.0.1"},
		{name: "no endpoint", edit: func(c *inventory.Cluster) { c.ControlPlane.Endpoint = "api.lab.example:6443" },
			environment: map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": complete}, want: "api.lab.example"},
		{name: "the endpoint's domain", edit: func(c *inventory.Cluster) { c.ControlPlane.Endpoint = "api.lab.example:6443" },
			environment: map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": complete + ",.lab.example"}},
		{name: "the inventory has one", edit: world.WithProxy, environment: map[string]string{"HTTPS_PROXY": proxy}},
	} {
		wish := world.State(t, c.edit)
		message, mending := checkProxy(newPlanner(wish, facts.Facts{}).withCommon(), wish.Cluster.Workers[0], debianHost(func(h *facts.Host) { h.Environment = c.environment }))
		if (message != "") != (c.want != "") || (mending != "") != (c.want != "") {
			t.Errorf("%s: %q (%q)", c.name, message, mending)
		}
		if c.want != "" && !strings.Contains(message, "HTTPS_PROXY=http://proxy.lab:3128 from systemd, and NO_PROXY lacks "+c.want+": ") {
			t.Errorf("%s: %q", c.name, message)
		}
		if strings.Contains(message+mending, "secret") {
			t.Errorf("%s: the password stands in %q", c.name, message)
		}
	}
}

// want is what a check has to say: words of the message, or nothing at all.
func wantCheck(t *testing.T, name, message, mending, want string) {
	t.Helper()
	if (message == "") != (want == "") || (mending == "") != (want == "") || !strings.Contains(message+" ("+mending+")", want) {
		t.Errorf("%s: %q (%q), want %q", name, message, mending, want)
	}
}

func TestCheckContainerdVersion(t *testing.T) {
	with := func(path, of, pkg string) func(*facts.Host) {
		return func(h *facts.Host) {
			world.Programs(h, "containerd "+path+" "+of)
			if pkg != "" {
				world.Packaged(h, pkg+" "+of)
			}
		}
	}
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*facts.Host)
		want  string
	}{
		{name: "nothing", edit: world.FromRepositories},
		{name: "fits", edit: world.FromRepositories, facts: with("/usr/bin", "2.2.1", "containerd.io")},
		{name: "Debian's is old", edit: world.FromRepositories, facts: with("/usr/bin", "1.6.20", "containerd"),
			want: "containerd is 1.6.20, and Kubernetes 1.37 wants containerd 2.2.0, 2.3.0 or newer of that series, or a later one (remove the package containerd, so that fairlead installs containerd.io of Docker's repository (or that of the bundle))"},
		{name: "Docker's is old", edit: world.FromRepositories, facts: with("/usr/bin", "1.7.28", "containerd.io"), want: "containerd is 1.7.28, "},
		{name: "it says nothing", edit: world.FromRepositories, facts: with("/usr/bin", "", "containerd.io")},
		{name: "adopted from packages", facts: with("/usr/bin", "1.7.28", "containerd.io"), want: "containerd is 1.7.28, "},
		{name: "adopted by hand", edit: world.FromRepositories, facts: with("/usr/local/bin", "2.1.0", ""), want: "containerd is 2.1.0, "},
		{name: "adopted by hand and fits", edit: world.FromRepositories, facts: with("/usr/local/bin", "2.4.2", "")},
		{name: "to be replaced by the bundle's", facts: with("/usr/local/bin", "1.7.28", "")},
		{name: "the user's own runtime", edit: world.WithSocket, facts: with("/usr/bin", "1.6.20", "containerd")},
		{name: "it cannot be used at all", edit: world.All(world.FromRepositories, world.WithDocker), facts: with("/usr/local/bin", "1.6.20", "")},
	} {
		message, mending := checkContainerdVersion(plannerOf(t, c.edit), inventory.Host{}, debianHost(c.facts))
		wantCheck(t, c.name, message, mending, c.want)
	}
}

// Distributions add to the version that a program says.
func TestCheckContainerdVersionOfADistribution(t *testing.T) {
	facts := debianHost(func(h *facts.Host) {
		world.Programs(h, "containerd /usr/bin 2.2.1~ds1")
		world.Packaged(h, "containerd 2.2.1")
	})
	message, mending := checkContainerdVersion(plannerOf(t, world.FromRepositories), inventory.Host{}, facts)
	wantCheck(t, "2.2.1~ds1", message, mending, "")
}

func TestCheckSocket(t *testing.T) {
	there := func(h *facts.Host) { h.Sockets["/run/crio/crio.sock"] = true }
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*facts.Host)
		want  string
	}{
		{name: "no such key"}, {name: "there", edit: world.WithSocket, facts: there},
		{name: "missing", edit: world.WithSocket, want: "there is no socket unix:///run/crio/crio.sock"},
		{name: "another one", edit: world.WithSocket, facts: func(h *facts.Host) { h.Sockets["/run/containerd/containerd.sock"] = true }, want: "there is no socket"},
	} {
		message, mending := checkSocket(plannerOf(t, c.edit), inventory.Host{}, debianHost(c.facts))
		wantCheck(t, c.name, message, mending, c.want)
	}
}

func TestCheckDockerConfig(t *testing.T) {
	holds := func(text string) func(*facts.Host) {
		return func(h *facts.Host) { h.Contents[templates.DockerConfigPath] = []byte(text) }
	}
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*facts.Host)
		want  string
	}{
		{name: "no Docker", edit: world.WithRegistries, facts: holds("{")},
		{name: "nothing to add", edit: world.WithDocker, facts: holds("{")},
		{name: "absent", edit: world.All(world.WithDocker, world.WithRegistries)},
		{name: "valid", edit: world.All(world.WithDocker, world.WithRegistries), facts: holds(`{"log-driver": "journald"}`)},
		{name: "invalid", edit: world.All(world.WithDocker, world.WithRegistries), facts: holds("{\n  \"a\": 1,\n}\n"), want: "/etc/docker/daemon.json:3:1: invalid character '}'"},
		{name: "no object", edit: world.All(world.WithDocker, world.WithRegistries), facts: holds("[]\n"), want: "/etc/docker/daemon.json:1:1: it holds a array instead of an object"},
	} {
		message, mending := checkDockerConfig(plannerOf(t, c.edit), inventory.Host{}, debianHost(c.facts))
		wantCheck(t, c.name, message, mending, c.want)
	}
}

// plannerOf is one for a wish that needs no facts of other hosts.
func plannerOf(t *testing.T, edit func(*inventory.Cluster)) *planner {
	t.Helper()
	return newPlanner(world.State(t, edit), facts.Facts{}).withCommon()
}
