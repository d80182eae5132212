package provision

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/templates"
)

func TestDeclaredRegistries(t *testing.T) {
	plain := func(host string, mirrors ...inventory.Mirror) inventory.Registry {
		return inventory.Registry{Host: host, PlainHTTP: true, Mirrors: mirrors}
	}
	hub := inventory.Mirror{Of: "docker.io"}
	for _, c := range []struct {
		name    string
		images  []inventory.Registry
		runtime inventory.Runtime
		want    []inventory.Registry
	}{
		{name: "nothing"},
		{name: "only images", images: []inventory.Registry{{Host: "a.lab", User: "u"}}, want: []inventory.Registry{{Host: "a.lab", User: "u"}}},
		{name: "insecure", runtime: inventory.Runtime{InsecureRegistries: []string{"b.lab:5000", "a.lab"}}, want: []inventory.Registry{plain("b.lab:5000"), plain("a.lab")}},
		{name: "insecure and known", images: []inventory.Registry{plain("a.lab")}, runtime: inventory.Runtime{InsecureRegistries: []string{"a.lab"}}, want: []inventory.Registry{plain("a.lab")}},
		{name: "mirrors in order", runtime: inventory.Runtime{Mirrors: map[string][]string{
			"quay.io": {"https://m.lab/quay"}, "docker.io": {"https://m.lab/hub/", "http://n.lab:5000", "https://m.lab"},
		}}, want: []inventory.Registry{
			{Host: "m.lab", Mirrors: []inventory.Mirror{{Of: "docker.io", Path: "hub"}, hub, {Of: "quay.io", Path: "quay"}}}, plain("n.lab:5000", hub),
		}},
		{name: "a mirror with a user", images: []inventory.Registry{{Host: "m.lab", User: "u", CA: "/ca"}}, runtime: inventory.Runtime{Mirrors: map[string][]string{"docker.io": {"https://m.lab"}}},
			want: []inventory.Registry{{Host: "m.lab", User: "u", CA: "/ca", Mirrors: []inventory.Mirror{hub}}}},
		{name: "an insecure mirror", runtime: inventory.Runtime{InsecureRegistries: []string{"m.lab"}, Mirrors: map[string][]string{"docker.io": {"http://m.lab"}}},
			want: []inventory.Registry{plain("m.lab", hub)}},
		{name: "both ways of reaching one", runtime: inventory.Runtime{InsecureRegistries: []string{"m.lab"}, Mirrors: map[string][]string{"docker.io": {"https://m.lab"}}},
			want: []inventory.Registry{plain("m.lab"), {Host: "m.lab", Mirrors: []inventory.Mirror{hub}}}},
	} {
		cluster := &inventory.Cluster{Runtime: c.runtime, Images: inventory.Images{Registries: slices.Clone(c.images)}}
		if got := declaredRegistries(cluster); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, got, c.want)
		}
		if !reflect.DeepEqual(cluster.Images.Registries, slices.Clone(c.images)) {
			t.Errorf("%s: the inventory has become %+v", c.name, cluster.Images.Registries)
		}
	}
}

// The inventory's own lists are not written to, not even behind their end.
func TestDeclaredRegistriesCopy(t *testing.T) {
	mirrors := make([]inventory.Mirror, 1, 4)
	cluster := &inventory.Cluster{
		Images:  inventory.Images{Registries: []inventory.Registry{{Host: "m.lab", Mirrors: mirrors}}},
		Runtime: inventory.Runtime{Mirrors: map[string][]string{"docker.io": {"https://m.lab"}}},
	}
	if declared := declaredRegistries(cluster); len(declared[0].Mirrors) != 2 || mirrors[:2][1] != (inventory.Mirror{}) {
		t.Errorf("declared %+v, the inventory has %+v", declared, mirrors[:2])
	}
}

// What must be reached without a proxy: all of it, in a fixed order, each once.
func TestProxyIsComplete(t *testing.T) {
	proxy := testWish(t, all(withProxy, threeControlPlanes, func(c *inventory.Cluster) {
		c.ControlPlane.Endpoint = "api.lab.example:8443"
		c.Proxy.No = []string{"registry.lab", "localhost", ".svc"}
	}, config(templates.KindCluster, map[string]any{"networking": map[string]any{"dnsDomain": "lab.example"}}))).proxy()
	want := []string{
		"localhost", "127.0.0.1", "::1", "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.21", "192.0.2.22", "api.lab.example",
		"10.244.0.0/16", "10.96.0.0/12", ".svc", ".lab.example", "registry.lab",
	}
	if !slices.Equal(proxy.No, want) || proxy.HTTP != "http://proxy.lab:3128" || proxy.HTTPS != "http://proxy.lab:3128" {
		t.Errorf("proxy is %+v, want %v", proxy, want)
	}
	plain := testWish(t, withProxy)
	if no := plain.proxy().No; !slices.Contains(no, ".cluster.local") || slices.Index(no, "192.0.2.11") != 3 || len(slices.Compact(slices.Sorted(slices.Values(no)))) != len(no) {
		t.Errorf("without a proxy go %v", no)
	}
	if testWish(t, nil).proxied() || !plain.proxied() {
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
		{name: "the inventory has one", edit: withProxy, environment: map[string]string{"HTTPS_PROXY": proxy}},
	} {
		wish := testWish(t, c.edit)
		message, mending := checkProxy(&planner{Wish: wish}, wish.Cluster.Workers[0], debianHost(func(h *HostFacts) { h.Environment = c.environment }))
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
	with := func(path, of, pkg string) func(*HostFacts) {
		return func(h *HostFacts) {
			programs(h, "containerd "+path+" "+of)
			if pkg != "" {
				packaged(h, pkg+" "+of)
			}
		}
	}
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*HostFacts)
		want  string
	}{
		{name: "nothing", edit: fromRepositories},
		{name: "fits", edit: fromRepositories, facts: with("/usr/bin", "2.2.1", "containerd.io")},
		{name: "Debian's is old", edit: fromRepositories, facts: with("/usr/bin", "1.6.20", "containerd"),
			want: "containerd is 1.6.20, and Kubernetes 1.37 wants containerd 2.2.0, 2.3.0 or newer of that series, or a later one (remove the package containerd, so that fairlead installs containerd.io of Docker's repository (or that of the bundle))"},
		{name: "Docker's is old", edit: fromRepositories, facts: with("/usr/bin", "1.7.28", "containerd.io"), want: "containerd is 1.7.28, "},
		{name: "it says nothing", edit: fromRepositories, facts: with("/usr/bin", "", "containerd.io")},
		{name: "adopted from packages", facts: with("/usr/bin", "1.7.28", "containerd.io"), want: "containerd is 1.7.28, "},
		{name: "adopted by hand", edit: fromRepositories, facts: with("/usr/local/bin", "2.1.0", ""), want: "containerd is 2.1.0, "},
		{name: "adopted by hand and fits", edit: fromRepositories, facts: with("/usr/local/bin", "2.4.2", "")},
		{name: "to be replaced by the bundle's", facts: with("/usr/local/bin", "1.7.28", "")},
		{name: "the user's own runtime", edit: withSocket, facts: with("/usr/bin", "1.6.20", "containerd")},
		{name: "it cannot be used at all", edit: all(fromRepositories, withDocker), facts: with("/usr/local/bin", "1.6.20", "")},
	} {
		message, mending := checkContainerdVersion(plannerOf(t, c.edit), inventory.Host{}, debianHost(c.facts))
		wantCheck(t, c.name, message, mending, c.want)
	}
}

// Distributions add to the version that a program says.
func TestCheckContainerdVersionOfADistribution(t *testing.T) {
	facts := debianHost(func(h *HostFacts) {
		programs(h, "containerd /usr/bin 2.2.1~ds1")
		packaged(h, "containerd 2.2.1")
	})
	message, mending := checkContainerdVersion(plannerOf(t, fromRepositories), inventory.Host{}, facts)
	wantCheck(t, "2.2.1~ds1", message, mending, "")
}

func TestCheckSocket(t *testing.T) {
	there := func(h *HostFacts) { h.Sockets["/run/crio/crio.sock"] = true }
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*HostFacts)
		want  string
	}{
		{name: "no such key"}, {name: "there", edit: withSocket, facts: there},
		{name: "missing", edit: withSocket, want: "there is no socket unix:///run/crio/crio.sock"},
		{name: "another one", edit: withSocket, facts: func(h *HostFacts) { h.Sockets["/run/containerd/containerd.sock"] = true }, want: "there is no socket"},
	} {
		message, mending := checkSocket(plannerOf(t, c.edit), inventory.Host{}, debianHost(c.facts))
		wantCheck(t, c.name, message, mending, c.want)
	}
	if paths := hostFiles(testWish(t, withSocket)); !slices.Contains(paths, "/run/crio/crio.sock") {
		t.Error("the probe is not asked for the socket")
	}
	if paths := hostFiles(testWish(t, nil)); !slices.Contains(paths, "/run/containerd/containerd.sock") {
		t.Error("the probe is not asked for containerd's socket")
	}
}

func TestCheckDockerConfig(t *testing.T) {
	holds := func(text string) func(*HostFacts) {
		return func(h *HostFacts) { h.Contents[templates.DockerConfigPath] = []byte(text) }
	}
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*HostFacts)
		want  string
	}{
		{name: "no Docker", edit: withRegistries, facts: holds("{")},
		{name: "nothing to add", edit: withDocker, facts: holds("{")},
		{name: "absent", edit: all(withDocker, withRegistries)},
		{name: "valid", edit: all(withDocker, withRegistries), facts: holds(`{"log-driver": "journald"}`)},
		{name: "invalid", edit: all(withDocker, withRegistries), facts: holds("{\n  \"a\": 1,\n}\n"), want: "/etc/docker/daemon.json:3:1: invalid character '}'"},
		{name: "no object", edit: all(withDocker, withRegistries), facts: holds("[]\n"), want: "/etc/docker/daemon.json:1:1: it holds a array instead of an object"},
	} {
		message, mending := checkDockerConfig(plannerOf(t, c.edit), inventory.Host{}, debianHost(c.facts))
		wantCheck(t, c.name, message, mending, c.want)
	}
}

func TestDockerMirrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		runtime   inventory.Runtime
		want      []string
		configure bool
	}{
		{name: "no word of them"},
		{name: "none", runtime: inventory.Runtime{Mirrors: map[string][]string{}}, want: []string{}, configure: true},
		{name: "of others", runtime: inventory.Runtime{Mirrors: map[string][]string{"quay.io": {"https://q"}}}, want: []string{}, configure: true},
		{name: "of Docker Hub", runtime: inventory.Runtime{Mirrors: map[string][]string{"docker.io": {"https://b", "https://a"}}}, want: []string{"https://b", "https://a"}, configure: true},
		{name: "insecure registries only", runtime: inventory.Runtime{InsecureRegistries: []string{}}, configure: true},
	} {
		wish := Wish{Cluster: &inventory.Cluster{Runtime: c.runtime}}
		if got := wish.dockerMirrors(); !reflect.DeepEqual(got, c.want) || wish.configuresDocker() != c.configure {
			t.Errorf("%s: %#v, configures %v", c.name, got, wish.configuresDocker())
		}
	}
}
