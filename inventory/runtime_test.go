package inventory

import (
	"reflect"
	"strings"
	"testing"
)

// sourceHead is a file that ends inside kubernetes, so that its keys can be added.
const sourceHead = `apiVersion: fairlead/v1
kind: Cluster
name: lab
ssh: {user: me}
controlPlane: {hosts: [{name: cp1, address: 192.0.2.11}]}
kubernetes:
  version: 1.37.2
`

func TestSource(t *testing.T) {
	k8s := Repository{URL: DefaultKubernetesRepository}
	for text, want := range map[string]Kubernetes{
		"":                                         {Source: SourcePackages, Repository: k8s},
		"  source: packages":                       {Source: SourcePackages, Repository: k8s},
		"  bundle: /b.tar":                         {Source: SourceBundle, Bundle: "/b.tar", Repository: k8s},
		"  source: bundle\n  bundle: /b.tar":       {Source: SourceBundle, Bundle: "/b.tar", Repository: k8s},
		"  source: packages\n  bundle: /b.tar":     {Source: SourcePackages, Bundle: "/b.tar", Repository: k8s},
		"  repository: https://a.b:8443/x/":        {Source: SourcePackages, Repository: Repository{URL: "https://a.b:8443/x"}},
		"  repository: {url: http://a.b, key: /k}": {Source: SourcePackages, Repository: Repository{URL: "http://a.b", Key: "/k"}},
	} {
		want.Version, want.PodSubnet, want.ServiceSubnet = "1.37.2", parseSubnets(DefaultPodSubnet), parseSubnets(DefaultServiceSubnet)
		c, warnings, err := Parse("/lab/f", []byte(sourceHead+text+"\n"))
		if err != nil || len(warnings) > 0 || !reflect.DeepEqual(c.Kubernetes, want) {
			t.Errorf("%s: got %+v, %v, %v", text, c, warnings, err)
		}
	}
}

func TestRuntimeDefaults(t *testing.T) {
	for text, want := range map[string]Runtime{
		"":                                  {},
		"runtime:":                          {},
		"runtime: {insecureRegistries: []}": {InsecureRegistries: []string{}},
		"runtime: {insecureRegistries: }":   {InsecureRegistries: []string{}},
		"runtime: {mirrors: {}}":            {Mirrors: map[string][]string{}},
		"runtime: {mirrors: }":              {Mirrors: map[string][]string{}},
		"runtime: {criSocket: /run/a}":      {CRISocket: "unix:///run/a"},
		"runtime: {criSocket: unix:///run/a, name: containerd}":                                      {CRISocket: "unix:///run/a"},
		"runtime: {mirrors: {docker.io: [http://a.b/x/, https://a.b]}}":                              {Mirrors: map[string][]string{"docker.io": {"http://a.b/x", "https://a.b"}}},
		"runtime: {insecureRegistries: [a.b]}\nimages: {registries: [{host: a.b, plainHTTP: true}]}": {InsecureRegistries: []string{"a.b"}},
	} {
		want.Name, want.Repository.URL = RuntimeContainerd, DefaultRuntimeRepository
		c, warnings, err := Parse("/lab/f", []byte(imagesHead+text+"\n"))
		if err != nil || len(warnings) > 0 || !reflect.DeepEqual(c.Runtime, want) {
			t.Errorf("%s: got %+v, %v, %v", text, c, warnings, err)
		}
	}
}

func TestURLGrammar(t *testing.T) {
	tests := []struct {
		what    string
		problem func(string) string
		good    []string
		bad     map[string]string // with a part of the problem
	}{
		{"repository", kubernetesRepositoryProblem,
			[]string{"https://pkgs.k8s.io/core:/stable:/", "http://192.0.2.1:81", "https://[fd00::1]:5000/a_b/%7E", "https://a.b/v1.37/x", "https://lab"},
			map[string]string{
				"": "http:// or https://", "pkgs.k8s.io": "http:// or https://", "a.b:80/x": "http:// or https://", "HTTPS:/a.b": "http:// or https://", "HTTP://a.b": "http:// or https://", "https://": "must name a host",
				"https://:80": "must name a host", "https://me@a.b": "without user", "https://a.b/?": "without a query", "https://a.b/#": "without a query", "https://a.b:/": "port from 1",
				"https://a.b:65536": "port from 1", "https://a.b:x": "is not a URL", "https://a b": "is not a URL", "https://a.b/x y": "only letters", "https://a.b/$arch": "only letters",
				"https://a\"b/": "DNS name", "https://a.b/ä": "only letters", "https://a.b/%zz": "is not a URL", "https://a.b/v1.37": "folder of the minor", "https://a.b/v1.37/rpm//": "folder of the minor",
				"https://[::1%25eth0]/": "IPv6", "https:a.b": "http:// or https://",
			}},
		{"proxy", proxyProblem,
			[]string{"http://proxy.lab:3128", "https://192.0.2.1:3128/", "http://[fd00::1]:3128", "http://proxy"},
			map[string]string{"http://a.b:1/x": "without a path", "http://me@a.b:1": "everybody", "socks5://a.b:1": "http:// or https://", "a.b:1": "http:// or https://", "192.0.2.1:1": "is not a URL"}},
		{"no", directProblem,
			[]string{"lab", ".lab", "corp.example", "192.0.2.1", "192.0.2.1:80", "fd00::1", "[fd00::1]:80", "10.0.0.0/8", "fd00::/8", "a.b:80", "localhost"},
			map[string]string{"": "host:port", ".": "DNS name", "..a": "DNS name", "a.": "DNS name", "a.b:0": "port from 1", "a.b:": "host:port", "*": "without *", "10.0.0.1/8": "did you mean 10.0.0.0/8?", "a/b": "host:port", "a\tb": "one destination"}},
		{"socket", socketProblem,
			[]string{"/run/a.sock", "unix:///run/a-b/c@d.sock", "/a"},
			map[string]string{"": "absolute path", "/": "absolute path", "run/a": "absolute path", "unix://run/a": "absolute path", "unix:/run/a": "absolute path", "/run/a b": "absolute path",
				"/run/%41": "absolute path", "//run/a": "shortest form: unix:///run/a", "/run/../a": "shortest form: unix:///a", "/run/a/": "shortest form: unix:///run/a", "npipe:////./pipe/a": "absolute path"}},
	}
	for _, test := range tests {
		for _, s := range test.good {
			if problem := test.problem(s); problem != "" {
				t.Errorf("%s %q is refused: %s", test.what, s, problem)
			}
		}
		for s, want := range test.bad {
			if problem := test.problem(s); !strings.Contains(problem, want) || problem == "" {
				t.Errorf("%s %q: got %q, want %q", test.what, s, problem, want)
			}
		}
	}
}

func TestOwnRegistryNeedsABundle(t *testing.T) {
	for text, ok := range map[string]bool{"": false, "  bundle: b.tar\n": true, "  source: packages\n  bundle: b.tar\n": true} {
		_, _, err := Parse("f", []byte(sourceHead+text+"images: {host: cp1}\n"))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "images.host: needs kubernetes.bundle") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// The runtime of a bundle is containerd; Docker comes from packages all the same.
func TestRepositoryBesideBundle(t *testing.T) {
	for text, ok := range map[string]bool{"name: docker": true, "name: containerd": false} {
		_, _, err := Parse("f", []byte(imagesHead+"runtime: {repository: https://a.b, "+text+"}\n"))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "runtime.repository: has no effect with source: bundle") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
