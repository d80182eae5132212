package inventory

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func addSeeds(f *testing.F) {
	f.Add(Starter())
	for _, pattern := range []string{"valid", "invalid"} {
		for _, name := range []string{"full", "minimal", "json", "keys", "hosts", "bomb", "cycle", "bracket", "images", "addons", "packages", "docker", "criSocket"} {
			if data := seed("testdata/" + pattern + "/" + name + ".yaml"); data != nil {
				f.Add(data)
			}
		}
	}
	shapes, err := filepath.Glob("testdata/edit/*.yaml")
	if err != nil || len(shapes) == 0 {
		f.Fatalf("found %v, %v", shapes, err)
	}
	for _, file := range shapes {
		f.Add(readFile(f, file))
	}
	for _, c := range addCases() {
		f.Add([]byte(editHead + c[0]))
	}
	for _, c := range oneWayCases() {
		f.Add([]byte(editHead + c[0]))
	}
}

func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, warnings, err := Parse("cluster.yaml", data)
		again, warningsAgain, errAgain := Parse("cluster.yaml", data)
		if !reflect.DeepEqual(c, again) || !reflect.DeepEqual(warnings, warningsAgain) || !reflect.DeepEqual(err, errAgain) {
			t.Fatalf("a second parse differs: %v, %v", err, errAgain)
		}
		if err != nil {
			last := 1 + strings.Count(strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(data)), "\n")
			for _, p := range err.(*Invalid).Problems { //nolint:errorlint // Parse gives no other type
				if p.Line < 1 || p.Line > last || p.Message == "" || p.Warning {
					t.Fatalf("odd problem %+v of %d lines", p, last)
				}
			}
			return
		}
		if len(c.Hosts()) == 0 || c.ControlPlane.Endpoint == "" || len(c.Kubernetes.PodSubnet) == 0 || !c.Kubernetes.PodSubnet.alike(c.Kubernetes.ServiceSubnet) || c.Hosts()[0].SSHAddress() == "" {
			t.Fatalf("a valid cluster lacks something: %+v", c)
		}
		soundImages(t, c)
		soundManifests(t, c)
		soundRuntime(t, c)
		soundPackages(t, c)
	})
}

// soundRuntime checks what every valid cluster's source, runtime and proxies must
// fulfil.
func soundRuntime(t *testing.T, c *Cluster) {
	t.Helper()
	k, r, p := c.Kubernetes, c.Runtime, c.Proxy
	if k.Source != SourcePackages && (k.Source != SourceBundle || k.Bundle == "") || r.Name != RuntimeContainerd && r.Name != RuntimeDocker {
		t.Fatalf("odd source %+v, %+v", k, r)
	}
	for _, repository := range []Repository{k.Repository, r.Repository} {
		if webProblem(repository.URL, "") != "" || strings.HasSuffix(repository.URL, "/") || repository.Key == "" && strings.HasPrefix(repository.URL, "http:") {
			t.Fatalf("odd repository %+v", repository)
		}
	}
	if r.CRISocket != "" && (!strings.HasPrefix(r.CRISocket, "unix:///") || r.Mirrors != nil || r.InsecureRegistries != nil || c.Images.Host != "") {
		t.Fatalf("odd runtime %+v", r)
	}
	for registry, urls := range r.Mirrors {
		if registryProblem(registry) != "" || len(urls) == 0 || slices.ContainsFunc(urls, func(s string) bool { return mirrorProblem(s) != "" }) {
			t.Fatalf("odd mirrors %+v", r)
		}
	}
	if p.HTTP+p.HTTPS == "" && p.No != nil || p.HTTP != "" && proxyProblem(p.HTTP) != "" || p.HTTPS != "" && proxyProblem(p.HTTPS) != "" {
		t.Fatalf("odd proxy %+v", p)
	}
}

// soundPackages checks what package managers get as arguments.
func soundPackages(t *testing.T, c *Cluster) {
	t.Helper()
	for _, h := range c.Hosts() {
		all := c.PackagesOf(h)
		if slices.ContainsFunc(all, func(s string) bool {
			return s == "" || strings.ContainsAny(s[:1], "-@./") || strings.ContainsAny(s, " =:/;$*?\\\"'")
		}) ||
			len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
			t.Fatalf("odd packages %q", all)
		}
	}
}

// soundImages checks what every valid cluster's images must fulfil.
func soundImages(t *testing.T, c *Cluster) {
	t.Helper()
	for _, r := range c.Images.Rewrite {
		if prefixProblem(r.From) != "" || prefixProblem(r.To) != "" {
			t.Fatalf("odd rule %+v", r)
		}
	}
	for _, r := range c.Images.Registries {
		given := r.PasswordFile != "" || r.AskPassword
		if registryProblem(r.Host) != "" || r.PlainHTTP && r.CA != "" || given != (r.User != "") || r.PasswordFile != "" && r.AskPassword {
			t.Fatalf("odd registry %+v", r)
		}
	}
	if _, ok := c.Host(c.Images.Host); !ok && c.Images.Host != "" {
		t.Fatalf("no host %s", c.Images.Host)
	}
}

// soundManifests checks what every valid cluster's manifests must fulfil.
func soundManifests(t *testing.T, c *Cluster) {
	t.Helper()
	names := map[string]bool{}
	for _, m := range c.Addons.Manifests {
		if !isLabel(m.Name) || names[m.Name] || (m.Path == "") == (m.URL == "") || (m.SHA256 == "") != (m.URL == "") {
			t.Fatalf("odd manifest %+v", m)
		}
		names[m.Name] = true
		if !filepath.IsAbs(m.Path) && m.URL == "" || m.URL != "" && (urlProblem(m.URL) != "" || sumProblem(m.SHA256) != "") {
			t.Fatalf("odd source %+v", m)
		}
		if m.Placement.On != "" && m.Placement.NodeSelector != nil {
			t.Fatalf("odd placement %+v", m)
		}
		for _, p := range m.Patches {
			if (p.Inline == "") == (p.File == "") {
				t.Fatalf("odd patch %+v", p)
			}
		}
	}
}

func FuzzReferences(f *testing.F) {
	for _, s := range []string{
		"docker.io", "registry.lab:5000/k8s", "[fd00::1]:5000/a_b/c--d", "192.0.2.1/a", "localhost/a", "quay.io/a/b:v1",
		"nginx@sha256:" + strings.Repeat("0", 64), "https://a/b", "A.b/c", "a//b", "x:y:z", "[", "]:1/", "1.2/a", ".:/",
		"https://a.b:80/c:/d//", "http://[fd00::1%25e]:1", "https://%C3%A4.b/", "10.0.0.0/8", ".a.b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if registryProblem(s) == "" && (prefixProblem(s) != "" || referenceProblem(s+"/x") != "") {
			t.Errorf("the registry %q is no prefix: %s %s", s, prefixProblem(s), referenceProblem(s+"/x"))
		}
		if prefixProblem(s) == "" && len(s) < 250 && referenceProblem(s+"/x:v1") != "" {
			t.Errorf("nothing can be in %q: %s", s, referenceProblem(s+"/x:v1"))
		}
		if webProblem(s, "x") == "" && webProblem(strings.TrimRight(s, "/"), "x") != "" {
			t.Errorf("the URL %q needs its slash", s)
		}
		if directProblem(s) == "" && strings.ContainsAny(s, " ,;*@'\"$\\\n") {
			t.Errorf("%q can be reached without a proxy", s)
		}
		for _, m := range []Manifest{{Path: s}, {URL: s}} {
			if name := manifestName(m); name != "" && !isLabel(name) {
				t.Errorf("%+v is named %q", m, name)
			}
		}
	})
}

func FuzzAddHost(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, role := range []Role{RoleWorker, RoleControlPlane} {
			h := Host{Name: "added", Address: netip.MustParseAddr("198.51.100.77")}
			out, err := AddHost(data, role, h)
			if err != nil {
				continue
			}
			c, _, err := Parse("", out)
			if err != nil {
				t.Fatalf("the result does not parse: %v\n%s", err, out)
			}
			got, ok := c.Host("added")
			if !ok || got.Address != h.Address || got.Role != role {
				t.Fatalf("the host is not there: %+v\n%s", got, out)
			}
			if lost := linesLost(string(data), string(out)); lost > 1 {
				t.Fatalf("%d lines are not there any more:\n%s\n---\n%s", lost, data, out)
			}
			if len(c.ControlPlane.Hosts) == 1 && role == RoleControlPlane {
				continue // the only one cannot be removed
			}
			if c.Images.Host == "added" {
				continue // the file names it elsewhere
			}
			back, err := RemoveHost(out, "added")
			if err != nil {
				t.Fatalf("cannot be removed again: %v\n%s", err, out)
			}
			if lost := linesLost(string(data), string(back)); lost > 1 {
				t.Fatalf("%d lines are lost by removal:\n%s\n---\n%s", lost, data, back)
			}
		}
	})
}

// linesLost counts the lines of before that after does not have in the same order.
// The one an item was added to may be among them.
func linesLost(before, after string) int {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	common := make([]int, len(b)+1) // length of the longest common subsequence so far
	for _, line := range a {
		diagonal := 0
		for j, other := range b {
			above := common[j+1]
			if line == other {
				common[j+1] = diagonal + 1
			} else {
				common[j+1] = max(above, common[j])
			}
			diagonal = above
		}
	}
	return len(a) - common[len(b)]
}

// seed reads a file that may not exist.
func seed(file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return data
}
