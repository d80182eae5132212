package inventory

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// imagesHead is a file to which images or addons can be added.
const imagesHead = `apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2, bundle: b.tar}
controlPlane: {hosts: [{name: cp1, address: 192.0.2.11}]}
workers:
  hosts:
    - {name: w1, address: 192.0.2.21}
`

func TestReferenceGrammar(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	tests := []struct {
		what    string
		problem func(string) string
		good    []string
		bad     map[string]string // with a part of the problem
	}{
		{"registry", registryProblem,
			[]string{"docker.io", "a.b", "registry.lab:5000", "registry:5000", "localhost", "localhost:1", "192.0.2.1", "192.0.2.1:65535", "[fd00::1]", "[::1]:5000", "10:1"},
			map[string]string{
				"": "host or host:port", "docker": "Docker Hub is docker.io", "hub.docker.com": "its registry is docker.io", "http://a.b": "scheme", "a.b/c": "without a path",
				"u:p@a.b": "without a user", "a.b:0": "port from 1", "a.b:65536": "port from 1", "a.b:01": "port from 1", "a.b:": "host or host:port", "a.b:x": "host or host:port",
				"A.b": "did you mean a.b?", "a_b.c": "DNS name", "a..b": "DNS name", "1.2.3": "not an IPv4", "1.2.3.04": "not an IPv4", "fd00::1": "host or host:port",
				"[fd00::1": "host or host:port", "[1.2.3.4]": "not an IPv6", "[::ffff:1.2.3.4]": "not an IPv6", "[fe80::1%eth0]": "not an IPv6", "[fd00:0::1]": "form: [fd00::1]", "[]": "not an IPv6",
			}},
		{"prefix", prefixProblem,
			[]string{"docker.io", "docker.io/library", "registry.lab:5000/k8s/a-b__c.d", "[::1]/x"},
			map[string]string{
				"": "host or host:port", "library/x": "Docker Hub is docker.io", "a.b/": "/ at its end", "a.b//c": "without / at its ends", "a.b/c/": "without / at its ends",
				"a.b/c:v1": "without a tag", "a.b:v1": "host or host:port", "a.b/c" + digest: "without digest", "a.b/C": "lower case: c", "a.b/c d": "not a path",
				"a.b/-c": "not a path", "a.b/c___d": "not a path", "a.b/c..d": "not a path", "oci://a.b": "scheme", "a.b/" + strings.Repeat("c", 256): "longer than",
			}},
		{"reference", referenceProblem,
			[]string{"nginx", "nginx:1.27", "library/nginx", "a.b/c/d:v1_2.3-x", "registry:5000/x", "localhost/x", "a.b/c" + digest, "a.b:5000/c:v1" + digest, "[::1]:5000/c:v1",
				"x@sha512:" + strings.Repeat("0", 128)},
			map[string]string{
				"": "not a path", "a.b/": "not a path", ":v1": "not a path", "nginx:": "tag", "nginx:-v": "tag", "nginx:" + strings.Repeat("1", 129): "tag", "nginx@": "sha256:",
				"nginx@sha256:00": "sha256:", "nginx@sha256:" + strings.Repeat("0A", 32): "sha256:", "Nginx": "lower case: nginx", "a.b:0/c": "port from 1", "Quay.io/x": "did you mean quay.io?",
				strings.Repeat("0a", 32): "is the ID", "localhost/" + strings.Repeat("0a", 32): "is the ID", "docker://a.b/c": "scheme", "a b": "not a path", "a\n": "not a path",
			}},
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

func TestNoSecretInProblems(t *testing.T) {
	for _, file := range []string{"testdata/invalid/images.yaml", "testdata/invalid/addons.yaml", "testdata/invalid/packages.yaml"} {
		data := readFile(t, file)
		if !strings.Contains(string(data), "secret") {
			t.Errorf("%s has no secret to hide", file)
		}
		_, warnings, err := Parse("f", data)
		for _, w := range warnings {
			err = errors.Join(err, errors.New(w.In("f")))
		}
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a secret shows in:\n%v", file, err)
		}
	}
	for _, password := range []string{
		"hunter2", "'hunter2'", "!hunter2", "!hunter2 x", "[hunter2]", "{hunter2}", "{hunter2: x}", "{file: a, hunter2: b}", "{hunter2: file}", "|\n        hunter2",
		"!hunter2 {}", "!hunter2 []", "{? [hunter2] : x}", "&hunter2", "\"prompt\\nhunter2\"",
	} {
		_, _, err := Parse("f", []byte(imagesHead+"images:\n  registries:\n    - host: a.b\n      user: me\n      password: "+password+"\n"))
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "f:13: images.registries[0].password: must be prompt or {file: ") {
			t.Errorf("%s: got %v", password, err)
		}
	}
}

func TestRegistryHost(t *testing.T) {
	file := imagesHead + "images: {host: w1}\n"
	c, _, err := Parse("f", []byte(file))
	if err != nil || c.Images.Host != "w1" {
		t.Fatal(c, err)
	}
	_, err = RemoveHost([]byte(file), "w1")
	if err == nil || !strings.Contains(err.Error(), "images.host: no host here is named w1") {
		t.Errorf("the host of the registry can be removed: %v", err)
	}
	// A host whose name cannot be read may be the one that is meant.
	_, _, err = Parse("f", []byte(strings.Replace(file, "name: w1", "name: W_1", 1)))
	if err == nil || strings.Contains(err.Error(), "images.host") {
		t.Errorf("got %v", err)
	}
}

func TestStarterExamples(t *testing.T) {
	example := regexp.MustCompile(`(?m)^# ( *[a-z][A-Za-z]*:( .*)?)$`)
	c, warnings, err := Parse("/lab/cluster.yaml", example.ReplaceAll(Starter(), []byte("$1")))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if len(c.Images.Rewrite) != 1 || len(c.Images.Registries) != 1 || c.Addons.MetricsServer == nil || c.Addons.Ingress == nil || len(c.Addons.Manifests) != 1 {
		t.Errorf("got %+v, %+v", c.Images, c.Addons)
	}
	if c.Runtime.Name != RuntimeDocker || len(c.Runtime.InsecureRegistries) != 1 || len(c.Runtime.Mirrors) != 1 || c.Proxy.HTTPS == "" || len(c.Proxy.No) != 2 || len(c.Packages) != 2 {
		t.Errorf("got %+v, %+v, %q", c.Runtime, c.Proxy, c.Packages)
	}
}

// Docker Hub has several names, which are one registry in every place that names one.
func TestNamesOfDockerHub(t *testing.T) {
	for _, name := range []string{
		"docker.io", "index.docker.io", "registry-1.docker.io", "https://docker.io", "https://index.docker.io/v1/", "https://index.docker.io/v1", "https://registry-1.docker.io/",
	} {
		_, _, err := Parse("f", []byte(imagesHead+`
images: {registries: [{host: "`+name+`"}]}
runtime: {insecureRegistries: ["`+name+`"]}
`))
		if err == nil || !strings.Contains(err.Error(), "docker.io is reached over TLS by images.registries[0]") {
			t.Errorf("%s: an insecure registry is another than that of images: %v", name, err)
		}
		cluster, _, err := Parse("f", []byte(imagesHead+`
images:
  rewrite: [{from: "`+name+`", to: registry.lab/hub}, {from: quay.io, to: "`+name+`"}]
  registries: [{host: "`+name+`", user: u, password: prompt}, {host: mirror.lab, mirrors: ["`+name+`"]}, {host: other.lab, mirrors: [{of: "`+name+`"}]}]
`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		i := cluster.Images
		got := []string{i.Rewrite[0].From, i.Rewrite[1].To, i.Registries[0].Host, i.Registries[1].Mirrors[0].Of, i.Registries[2].Mirrors[0].Of}
		for k, is := range got {
			if is != "docker.io" {
				t.Errorf("%s: name %d is %q", name, k, is)
			}
		}
		cluster, _, err = Parse("f", []byte(imagesHead+`runtime: {mirrors: {"`+name+`": [https://mirror.lab]}}`))
		if err != nil || len(cluster.Runtime.Mirrors["docker.io"]) != 1 {
			t.Errorf("%s: mirrors of %v, %v", name, cluster, err)
		}
	}
	for text, want := range map[string]string{
		`images: {registries: [{host: docker.io}, {host: index.docker.io}]}`:                     "docker.io is the host of images.registries[0] already",
		`images: {rewrite: [{from: docker.io, to: a.b}, {from: registry-1.docker.io, to: c.d}]}`: "docker.io is moved by images.rewrite[0] already",
		`images: {registries: [{host: docker.io, mirrors: ["https://index.docker.io/v1/"]}]}`:    "docker.io is this registry itself",
		`runtime: {mirrors: {docker.io: [https://a.b], registry-1.docker.io: [https://c.d]}}`:    `runtime.mirrors["registry-1.docker.io"]: is another name of docker.io, which has its mirrors already`,
		`images: {registries: [{host: "https://index.docker.io/v3"}]}`:                           "must be without https://",
		`images: {extra: ["index.docker.io/library/nginx", "docker.io/library/nginx"]}`:          "is the same as images.extra[0]",
		`images: {registries: [{host: "https://registry-1.docker.io.evil.example"}]}`:            "must be without https://",
	} {
		if _, _, err := Parse("f", []byte(imagesHead+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
