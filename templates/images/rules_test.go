package images

import (
	"strings"
	"testing"
)

const (
	sum    = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	badSum = "@sha256:0123"
)

func testRules(t testing.TB) Rules {
	t.Helper()
	rules, err := NewRules([]Rule{
		{"registry.k8s.io", "registry.lab:5000/k8s"},
		{"registry.k8s.io/coredns", "registry.lab:5000/dns"},
		{"registry.k8s.io/pause", "registry.lab:5000/sandbox/pause"},
		{"index.docker.io/library", "registry.lab:5000/library"},
		{"docker.io/flannel", "ghcr.io/flannel-io"},
		{"quay.io", "quay.io/mirror"},
		{"quay.io/keep", "quay.io/keep"},
		{"localhost:5000", "[::1]:5000/local"},
		{"localhost/own", "registry.lab:5000/own"},
		{"192.0.2.7:5000/a", "192.0.2.8:5000/b"},
		{"[2001:db8::1]:5000", "registry.lab:5000/six"},
		{"gcr.io/google/deep/er", "registry.lab:5000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestRewrite(t *testing.T) {
	rules := testRules(t)
	const same = "" // the reference comes back as it was written
	for _, c := range []struct{ ref, want string }{
		{"registry.k8s.io/pause:3.10.2", "registry.lab:5000/sandbox/pause:3.10.2"},
		{"registry.k8s.io/pause" + sum, "registry.lab:5000/sandbox/pause" + sum},
		{"registry.k8s.io/pauses:3", "registry.lab:5000/k8s/pauses:3"},
		{"registry.k8s.io/pause-amd64:3", "registry.lab:5000/k8s/pause-amd64:3"},
		{"registry.k8s.io/pause/win:3", "registry.lab:5000/sandbox/pause/win:3"},
		{"registry.k8s.io/kube-proxy:v1.37.2", "registry.lab:5000/k8s/kube-proxy:v1.37.2"},
		{"registry.k8s.io/kube-proxy", "registry.lab:5000/k8s/kube-proxy"},
		{"registry.k8s.io/kube-proxy:v1.37.2" + sum, "registry.lab:5000/k8s/kube-proxy:v1.37.2" + sum},
		{"registry.k8s.io/coredns/coredns:v1.14.6", "registry.lab:5000/dns/coredns:v1.14.6"},
		{"registry.k8s.io/coredns:1.7.0", "registry.lab:5000/dns:1.7.0"},
		{"Registry.K8s.io/etcd:3.7.0-0", "registry.lab:5000/k8s/etcd:3.7.0-0"},
		{"registry.k8s.io/a.b/c_d/e__f/g-h:x", "registry.lab:5000/k8s/a.b/c_d/e__f/g-h:x"},
		{"registry.k8s.io:443/pause:3", same},
		{"registry.k8s.io.example/pause:3", same},
		{"my.registry.k8s.io/pause:3", same},
		{"k8s.gcr.io/pause:3", same},
		{"nginx", "registry.lab:5000/library/nginx"},
		{"nginx:1.27", "registry.lab:5000/library/nginx:1.27"},
		{"nginx" + sum, "registry.lab:5000/library/nginx" + sum},
		{"nginx:1.27" + sum, "registry.lab:5000/library/nginx:1.27" + sum},
		{"library/nginx", "registry.lab:5000/library/nginx"},
		{"docker.io/nginx", "registry.lab:5000/library/nginx"},
		{"docker.io/nginx:latest", "registry.lab:5000/library/nginx:latest"},
		{"docker.io/library/nginx", "registry.lab:5000/library/nginx"},
		{"index.docker.io/nginx:1", "registry.lab:5000/library/nginx:1"},
		{"index.docker.io/library/nginx:1", "registry.lab:5000/library/nginx:1"},
		{"registry-1.docker.io/library/nginx:1", "registry.lab:5000/library/nginx:1"},
		{"bitnami/nginx:1", same},
		{"docker.io/bitnami/nginx", same},
		{"libraryx/nginx", same},
		{"flannel/flannel:v0.27.0", "ghcr.io/flannel-io/flannel:v0.27.0"},
		{"index.docker.io/flannel/flannel-cni-plugin:v1", "ghcr.io/flannel-io/flannel-cni-plugin:v1"},
		{"flannel:v1", "registry.lab:5000/library/flannel:v1"},
		{"ghcr.io/flannel-io/flannel:v0.27.0", same},
		{"quay.io/prometheus/node-exporter:v1", "quay.io/mirror/prometheus/node-exporter:v1"},
		{"quay.io/mirror/prometheus/node-exporter:v1", same},
		{"quay.io/mirror:v1", same},
		{"quay.io/mirrors/x:v1", "quay.io/mirror/mirrors/x:v1"},
		{"quay.io/keep/x:v1", same},
		{"quay.io/keeper/x:v1", "quay.io/mirror/keeper/x:v1"},
		{"localhost:5000/x:1", "[::1]:5000/local/x:1"},
		{"[::1]:5000/local/x:1", same},
		{"[::1]:5000/x:1", same},
		{"[::1]/x", same},
		{"localhost:5001/x:1", same},
		{"localhost/x:1", same},
		{"localhost/own/x:1", "registry.lab:5000/own/x:1"},
		{"localhost:5000", "registry.lab:5000/library/localhost:5000"}, // without a slash it is a name with a tag
		{"192.0.2.7:5000/a/x:1", "192.0.2.8:5000/b/x:1"},
		{"192.0.2.7:5000/a:1", "192.0.2.8:5000/b:1"},
		{"192.0.2.7:5000/ab:1", same},
		{"192.0.2.7/a/x:1", same},
		{"[2001:db8::1]:5000/x:1", "registry.lab:5000/six/x:1"},
		{"[2001:DB8::1]:5000/x:1", "registry.lab:5000/six/x:1"},
		{"[2001:db8::1]/x:1", same},
		{"registry.lab:5000/k8s/pause:3", same},
		{"registry.lab:5000/anything:3", same},
		{"gcr.io/google/deep/er/x:1", "registry.lab:5000/x:1"},
		{"gcr.io/google/deep:1", same},
		{"FOO/bar:1", same},
		{"10.0.0.0/8", same}, // valid, though it is no image
		{"true", "registry.lab:5000/library/true"},
	} {
		want := c.want
		if want == same {
			want = c.ref
		}
		got, err := rules.Rewrite(c.ref)
		if err != nil || got != want {
			t.Errorf("Rewrite(%q) = %q, %v; want %q", c.ref, got, err, want)
			continue
		}
		if again, err := rules.Rewrite(got); err != nil || again != got {
			t.Errorf("Rewrite(%q) = %q, %v; want it to stay", got, again, err)
		}
	}
}

func TestRewriteErrors(t *testing.T) {
	rules := testRules(t)
	for _, c := range []struct{ ref, want string }{
		{"", "invalid reference format"},
		{" nginx", "invalid reference format"},
		{"nginx ", "invalid reference format"},
		{"nginx\n", "invalid reference format"},
		{"Nginx", "must be lowercase"},
		{"registry.k8s.io/Pause", "must be lowercase"},
		{"https://registry.k8s.io/pause", "invalid reference format"},
		{"/pause", "invalid reference format"},
		{"./pause", "invalid reference format"},
		{"registry.k8s.io/", "invalid reference format"},
		{"registry.k8s.io//pause", "invalid reference format"},
		{"nginx:", "invalid reference format"},
		{"nginx:1:2", "invalid reference format"},
		{"nginx@", "invalid reference format"},
		{"nginx" + badSum, "invalid reference format"},
		{"nginx@md5:0123456789abcdef0123456789abcdef", "unsupported digest algorithm"},
		{"{{ .Values.image }}", "invalid reference format"},
		{"$(IMAGE)", "invalid reference format"},
		{"user@example.com", "invalid reference format"},
		{sum[len("@sha256:"):], "64-byte hexadecimal"},
		{"registry.k8s.io/" + strings.Repeat("a", 300), "must not be more than"},
		{"registry.k8s.io/" + strings.Repeat("a", 253), "must not be more than"}, // too long by the rule only
		{"gcr.io/google/deep/er:1", "leaves no repository"},
	} {
		got, err := rules.Rewrite(c.ref)
		if err == nil || !strings.Contains(err.Error(), c.want) || got != "" {
			t.Errorf("Rewrite(%q) = %q, %v; want an error with %q", c.ref, got, err, c.want)
		}
	}
}

func TestNewRulesErrors(t *testing.T) {
	for name, c := range map[string]struct {
		rules []Rule
		want  []string
	}{
		"all at once": {
			[]Rule{{"", "x.io"}, {"a.io:v1", "b.io/x:v1"}, {"a.io/x" + sum, "b.io"}, {"nginx", "mirror"}, {"https://a.io", "b.io/"}},
			[]string{
				`rule 1: from: "" is no registry`, `rule 2: from: "a.io:v1" is no`, `to: "b.io/x:v1" is no`, `rule 3: from: "a.io/x@`,
				`rule 4: from: "nginx" names no registry: write docker.io/nginx`, `to: "mirror" names no`, `rule 5: from: "https://a.io"`, `to: "b.io/" is no`,
			},
		},
		"duplicate":         {[]Rule{{"docker.io", "a.io"}, {"index.docker.io", "b.io"}}, []string{"rule 2: from docker.io is taken by rule 1"}},
		"duplicate by case": {[]Rule{{"x.io", "a.io"}, {"X.io", "b.io"}}, []string{"rule 2: from X.io is taken by rule 1"}},
		"chain":             {[]Rule{{"a.io", "b.io/x"}, {"b.io/x/y", "c.io"}}, []string{"rule 2: from b.io/x/y lies in b.io/x, which rule 1 (from a.io)"}},
		"chain backwards":   {[]Rule{{"b.io", "c.io"}, {"a.io", "b.io"}}, []string{"rule 1: from b.io lies in b.io, which rule 2 (from a.io)"}},
		"swap":              {[]Rule{{"a.io", "b.io"}, {"b.io", "a.io"}}, []string{"rule 1: from a.io", "rule 2: from b.io"}},
		"out of itself":     {[]Rule{{"docker.io/library", "docker.io"}}, []string{"rule 1: from docker.io/library lies in docker.io"}},
	} {
		_, err := NewRules(c.rules)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error lacks %q:\n%v", name, want, err)
			}
		}
	}
	if _, err := NewRules([]Rule{{"a.io", "a.io/mirror"}, {"a.io/x", "a.io/x"}, {"b.io", "a.io/mirror/b"}, {"c.io", "a.io/x"}}); err != nil {
		t.Errorf("targets inside a source: %v", err)
	}
	if got, err := (Rules{}).Rewrite("nginx"); got != "nginx" || err != nil {
		t.Errorf("no rules: %q, %v", got, err)
	}
}

// On Docker Hub a target of one segment would get a library in front.
func TestRewriteToHub(t *testing.T) {
	rules, err := NewRules([]Rule{{"a.io/x", "docker.io/x"}, {"b.io", "docker.io"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rules.Rewrite("a.io/x:1"); err == nil || !strings.Contains(err.Error(), "gives docker.io/library/x") {
		t.Errorf("a.io/x:1: %q, %v", got, err)
	}
	for ref, want := range map[string]string{"a.io/x/y:1": "docker.io/x/y:1", "b.io/y:1": "docker.io/y:1", "b.io/z/y": "docker.io/z/y"} {
		if got, err := rules.Rewrite(ref); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", ref, got, err, want)
		}
	}
}

func TestParse(t *testing.T) {
	for ref, want := range map[string]Reference{
		"nginx":                          {"docker.io", "library/nginx", "latest", ""},
		"index.docker.io/nginx:1":        {"docker.io", "library/nginx", "1", ""},
		"bitnami/nginx" + sum:            {"docker.io", "bitnami/nginx", "", sum[1:]},
		"registry.lab:5000/a/b:v1" + sum: {"registry.lab:5000", "a/b", "v1", sum[1:]},
		"[::1]:5000/x":                   {"[::1]:5000", "x", "latest", ""},
		"localhost/x":                    {"localhost", "x", "latest", ""},
	} {
		got, err := Parse(ref)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", ref, got, err, want)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", got, again, err, got)
		}
		if domain, err := Domain(ref); domain != want.Domain || err != nil {
			t.Errorf("Domain(%q) = %q, %v", ref, domain, err)
		}
	}
	if got, err := Normal("nginx"); got != "docker.io/library/nginx:latest" || err != nil {
		t.Errorf("Normal(nginx) = %q, %v", got, err)
	}
	for _, bad := range []string{"", "Nginx", "a b"} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %+v", bad, got)
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"nginx", "docker.io/library/nginx:latest", true},
		{"nginx:1", "index.docker.io/nginx:1", true},
		{"nginx", "nginx:1", false},
		{"nginx" + sum, "nginx:latest" + sum, false},
		{"NGINX", "NGINX", true},
		{"NGINX", "nginx", false},
		{"", "", true},
	} {
		if got := Same(c.a, c.b); got != c.want {
			t.Errorf("Same(%q, %q) = %v", c.a, c.b, got)
		}
	}
}
