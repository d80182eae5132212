package provision

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
)

// fromRepositories has the software of hosts come from packages; the images are the bundle's.
func fromRepositories(c *inventory.Cluster) {
	c.Kubernetes.Source = inventory.SourcePackages
	c.Kubernetes.Repository.URL = inventory.DefaultKubernetesRepository
	c.Runtime = inventory.Runtime{Name: inventory.RuntimeContainerd, Repository: inventory.Repository{URL: inventory.DefaultRuntimeRepository}}
}

func withoutBundle(c *inventory.Cluster) { c.Kubernetes.Bundle = "" }

// withDocker has Docker Engine come from packages, whatever the rest comes from.
func withDocker(c *inventory.Cluster) {
	c.Runtime = inventory.Runtime{Name: inventory.RuntimeDocker, Repository: inventory.Repository{URL: inventory.DefaultRuntimeRepository}}
}

// withRegistries has the runtime know a mirror and a registry that speaks plain HTTP.
func withRegistries(c *inventory.Cluster) {
	c.Runtime.InsecureRegistries = []string{"plain.lab:5000"}
	c.Runtime.Mirrors = map[string][]string{"docker.io": {"https://mirror.lab/hub"}}
}

func withProxy(c *inventory.Cluster) {
	c.Proxy = inventory.Proxy{HTTP: "http://proxy.lab:3128", HTTPS: "http://proxy.lab:3128", No: []string{"registry.lab"}}
}

func withSocket(c *inventory.Cluster) {
	c.Runtime = inventory.Runtime{Name: inventory.RuntimeContainerd, CRISocket: "unix:///run/crio/crio.sock"}
}

func version(of string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) { c.Kubernetes.Version = of }
}

// plannerOf is one for a wish that needs no facts of other hosts.
func plannerOf(t *testing.T, edit func(*inventory.Cluster)) *planner {
	t.Helper()
	return &planner{Wish: testWish(t, edit)}
}

func TestUpstreamVersion(t *testing.T) {
	for is, want := range map[string]string{
		"1.37.2-1.1":                      "1.37.2",
		"1.37.2":                          "1.37.2",
		"2.2.1-1~debian.12~bookworm":      "2.2.1",
		"1.6.20~ds1-1+deb12u1":            "1.6.20",
		"1.7.28-0ubuntu1~22.04.1":         "1.7.28",
		"5:29.1.3-1~debian.12~bookworm":   "29.1.3",
		"26.1.5+dfsg1-9+b11":              "26.1.5",
		"2.2.0~rc.1-1":                    "2.2.0",
		"2.2.0.":                          "2.2.0",
		"2.":                              "2",
		"":                                "",
		"unknown":                         "",
		"1:":                              "",
		"v1.2":                            "",
		"1.37.2-150500.1.1":               "1.37.2",
		"2.1.4+unknown-0ubuntu20~24.04.1": "2.1.4",
	} {
		if got := upstreamVersion(is); got != want {
			t.Errorf("%q is %q, want %q", is, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string][]int{
		"1.37.2": {1, 37, 2}, "2": {2}, "2.2.0": {2, 2, 0}, "": nil, "x": nil, "1.x.2": {1}, "1..2": {1}, "2.3.0-rc.1": {2, 3}, "v2.0": nil,
	} {
		if got := numbers(text); !slices.Equal(got, want) {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

func TestContainerdFits(t *testing.T) {
	for _, c := range []struct {
		minor     int
		fit, dont string
	}{
		{34, "1.6.39 1.6.40 1.7.28 1.7.30 2.0.6 2.0.9 2.1.3 2.1.4 2.2.0 2.3.1 3.0.0", "1.5.99 1.6.38 1.6.20 1.7.27 1.7.0 2.0.5 2.1.2 1.8.0"},
		{35, "1.7.28 1.7.29 2.1.5 2.1.6 2.2.0 2.3.0 3.0.0", "1.6.39 1.7.27 1.8.0 2.0.6 2.0.99 2.1.4"},
		{36, "2.2.0 2.2.1 2.3.0 2.3.7 2.4.0 3.0.0", "1.7.28 2.0.9 2.1.9 1.99.0"},
		{37, "2.2.0 2.2.1 2.3.0 2.3.7 2.4.0 3.0.0", "1.7.28 2.0.9 2.1.9 1.99.0"},
		{33, "", "1.7.28 2.2.0 9.9.9"},
		{38, "", "2.2.0 2.4.0"},
	} {
		kubernetes := fmt.Sprintf("1.%d.2", c.minor)
		for _, containerd := range strings.Fields(c.fit) {
			if !containerdFits(kubernetes, containerd) {
				t.Errorf("containerd %s does not fit Kubernetes %s", containerd, kubernetes)
			}
		}
		for _, containerd := range append(strings.Fields(c.dont), "", "2", "garbage", "v2.2.0", "2.x.0") {
			if containerdFits(kubernetes, containerd) {
				t.Errorf("containerd %s fits Kubernetes %s", containerd, kubernetes)
			}
		}
	}
	for _, kubernetes := range []string{"", "1", "x"} {
		if containerdFits(kubernetes, "2.2.0") {
			t.Errorf("containerd fits Kubernetes %q", kubernetes)
		}
	}
}

// Every minor that the inventory takes has a row of containerd and one of the pause image, and
// the rows of a minor are in order.
func TestTablesAreComplete(t *testing.T) {
	for minor := inventory.OldestMinor; minor <= inventory.NewestMinor; minor++ {
		rows := containerdVersions()[minor]
		if len(rows) == 0 || pauseVersions()[minor] == "" {
			t.Errorf("1.%d has containerd %v and pause %q", minor, rows, pauseVersions()[minor])
		}
		if !slices.IsSortedFunc(rows, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }) {
			t.Errorf("1.%d: %v are not in order", minor, rows)
		}
		wanted := containerdWanted(fmt.Sprintf("1.%d.0", minor))
		for _, row := range rows {
			if len(numbers(row)) != 3 || !strings.Contains(wanted, row) {
				t.Errorf("1.%d: %s does not stand in %q", minor, row, wanted)
			}
		}
	}
}

// What the probe says of packages, proxies and sockets.
func TestParseProbeOfPackages(t *testing.T) {
	now := time.Unix(1000, 0)
	facts, err := parseProbe([]byte(strings.Join([]string{
		"os\tlinuxmint\t22\tubuntu debian\tLinux Mint 22\tnoble", "package\tkubelet\t1.37.2-1.1\theld", "package\tcontainerd.io\t2.2.1-1~ubuntu.24.04~noble\t-",
		"candidate\tcontainerd\t1.7.28-0ubuntu1~24.04.1", "environment\thttps_proxy\thttp://u:p@proxy.lab:3128", "environment\tNO_PROXY\ta,b",
		"socket\t/run/crio/crio.sock", "version\tcontainerd\t/usr/bin/containerd\t2.2.1", "end", "",
	}, "\n")), now, now)
	if err != nil {
		t.Fatal(err)
	}
	if facts.OS.Codename != "noble" || facts.Packages["kubelet"] != (PackageFacts{Version: "1.37.2", Held: true}) || facts.Packages["containerd.io"] != (PackageFacts{Version: "2.2.1"}) {
		t.Errorf("facts are %+v, %+v", facts.OS, facts.Packages)
	}
	if facts.Candidates["containerd"] != "1.7.28" || !facts.Sockets["/run/crio/crio.sock"] || facts.containerdPackage() != packageContainerdIO {
		t.Errorf("facts are %+v, %+v", facts.Candidates, facts.Sockets)
	}
	if facts.Environment["HTTPS_PROXY"] != "http://u:p@proxy.lab:3128" || facts.Environment["NO_PROXY"] != "a,b" || len(facts.Environment) != 2 {
		t.Errorf("the environment is %v", facts.Environment)
	}
	for _, line := range []string{"package\tkubelet\t1.37.2", "candidate\tcontainerd", "environment\tX", "socket"} {
		if _, err := parseProbe([]byte(line+"\nend\n"), now, now); (err == nil) != (line == "socket") {
			t.Errorf("%q: error %v", line, err)
		}
	}
}
