package inventory

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file under testdata, or rewrites it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", file, got, want)
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return found
}

func readFile(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestInvalidGolden(t *testing.T) {
	for _, file := range files(t, "testdata/invalid/*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, warnings, err := Parse(filepath.Base(file), readFile(t, file))
			var invalid *Invalid
			if !errors.As(err, &invalid) || c != nil {
				t.Fatalf("got %v, %v; want an *Invalid and no cluster", c, err)
			}
			if !slices.IsSortedFunc(invalid.Problems, func(a, b Problem) int { return a.Line - b.Line }) {
				t.Error("problems are not sorted by line")
			}
			text := err.Error() + "\n"
			for _, w := range warnings {
				text += "warning " + w.In(filepath.Base(file)) + "\n"
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", text)
		})
	}
}

func TestValidGolden(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for _, file := range files(t, "testdata/valid/*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, warnings, err := Parse("/lab/"+filepath.Base(file), readFile(t, file))
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.MarshalIndent(c, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			out := string(text) + "\n"
			for _, w := range warnings {
				out += "warning " + w.In("f") + "\n"
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", out)
		})
	}
}

func TestConfigTypes(t *testing.T) {
	c, _, err := Load("testdata/valid/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"maxPods": int64(200), "ratio": 0.5, "flag": true, "none": nil, "text": "7", "hex": int64(16),
		"list": []any{int64(1), map[string]any{"a": "b"}}, "date": "2024-01-02",
	}
	if got := c.Kubernetes.Config["KubeletConfiguration"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
	folder, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Kubernetes.Bundle; got != filepath.Join(folder, "b.tar") {
		t.Errorf("bundle %s is not relative to the file's folder", got)
	}
}

// TestNobody: who logs in, and where, is for ssh's configuration to say where the file does not.
func TestNobody(t *testing.T) {
	data := strings.ReplaceAll(string(readFile(t, "testdata/valid/minimal.yaml")), "ssh: {user: me}\n", "")
	c, _, err := Parse("f", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ControlPlane.Hosts[1].SSH; !reflect.DeepEqual(got, SSH{Transport: TransportSSH}) {
		t.Errorf("got %+v", got)
	}
}

// TestContainers has hosts that are containers beside one with a login.
func TestContainers(t *testing.T) {
	root := func(s SSH) SSH { s.User = "root"; return s }
	there := SSH{Transport: TransportSSH, User: "ann"}
	for name, test := range map[string]struct {
		top, cp1, cp2 string
		want          [2]SSH
	}{
		"one":            {"{user: ann}", "{transport: docker}", "{}", [2]SSH{root(SSH{Transport: TransportDocker, Container: "cp1"}), there}},
		"all":            {"{transport: podman, context: lab}", "{container: node-1}", "{}", [2]SSH{root(SSH{Transport: TransportPodman, Container: "node-1", Context: "lab"}), root(SSH{Transport: TransportPodman, Container: "cp2", Context: "lab"})}},
		"all but one":    {"{transport: nerdctl, context: k8s.io}", "{transport: ssh, user: ann}", "{context: other}", [2]SSH{there, root(SSH{Transport: TransportNerdctl, Container: "cp2", Context: "other"})}},
		"in two engines": {"{transport: docker}", "{container: a}", "{container: a, context: lab}", [2]SSH{root(SSH{Transport: TransportDocker, Container: "a"}), root(SSH{Transport: TransportDocker, Container: "a", Context: "lab"})}},
	} {
		c, _, err := Parse("/lab/f", []byte(strings.Replace(editHead, "{user: me}", test.top, 1)+"controlPlane:\n  hosts:\n"+
			"    - {name: cp1, address: 192.0.2.1, ssh: "+test.cp1+"}\n    - {name: cp2, address: 192.0.2.2, ssh: "+test.cp2+"}\n"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := [2]SSH{c.ControlPlane.Hosts[0].SSH, c.ControlPlane.Hosts[1].SSH}; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

// TestLocal has one host that is reached without SSH.
func TestLocal(t *testing.T) {
	current, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	here := SSH{Transport: TransportLocal, User: current.Username}
	asked := func(s SSH) SSH { s.Sudo.Password.Prompt = true; return s }
	there := SSH{Transport: TransportSSH, User: "ann", Port: 2222, IdentityFile: "/lab/id", KnownHosts: "/lab/kh", Jump: []string{"b"}}
	for name, test := range map[string]struct {
		top, cp1, cp2 string
		want          [2]SSH
	}{
		"one host":        {"{user: ann, port: 2222, identityFile: id, knownHosts: kh, jump: b}", "{transport: local}", "{}", [2]SSH{here, there}},
		"all but another": {"{transport: local}", "{}", "{transport: ssh, user: ann}", [2]SSH{here, {Transport: TransportSSH, User: "ann"}}},
		"sudo of all":     {"{user: ann, sudo: {password: prompt}}", "{transport: local}", "{}", [2]SSH{asked(here), asked(SSH{Transport: TransportSSH, User: "ann"})}},
		"sudo of one":     {"{user: ann, sudo: {password: {file: p}}}", "{transport: local, sudo: {password: prompt}}", "{sudo: {password: prompt}}", [2]SSH{asked(here), asked(SSH{Transport: TransportSSH, User: "ann"})}},
		"said twice":      {"{transport: ssh}", "{transport: ssh, user: ann}", "{transport: local}", [2]SSH{{Transport: TransportSSH, User: "ann"}, here}},
	} {
		c, _, err := Parse("/lab/f", []byte(strings.Replace(editHead, "{user: me}", test.top, 1)+"controlPlane:\n  hosts:\n"+
			"    - {name: cp1, address: 192.0.2.1, ssh: "+test.cp1+"}\n    - {name: cp2, address: 192.0.2.2, ssh: "+test.cp2+"}\n"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := [2]SSH{c.ControlPlane.Hosts[0].SSH, c.ControlPlane.Hosts[1].SSH}; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestChecks(t *testing.T) {
	check := func(c *Cluster) []Problem {
		return []Problem{
			{Path: []string{"kubernetes", "config", "KubeletConfiguration", "list", "1", "a"}, Message: "bad"},
			{Path: []string{"workers", "hosts", "1", "ssh", "nothing", "here"}, Message: "merged from w1"},
			{Path: []string{"controlPlane", "hosts", "7"}, Message: "careful " + c.Name, Warning: true},
		}
	}
	_, warnings, err := Parse("f", readFile(t, "testdata/valid/full.yaml"), check)
	want := "f:15: kubernetes.config.KubeletConfiguration.list[1].a: bad\nf:37: workers.hosts[1].ssh.nothing.here: merged from w1"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if len(warnings) != 1 || warnings[0].In("f") != "f:28: controlPlane.hosts[7]: careful lab" {
		t.Errorf("warnings %+v", warnings)
	}
}

func TestLoadMissing(t *testing.T) {
	_, _, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "read inventory: ") {
		t.Errorf("got %v", err)
	}
	_, _, err = Parse("f", make([]byte, maxSize+1))
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]string{
		"1.34.0": "", "1.37.99": "", "1.33.9": "not supported", "1.38.0": "not supported", "2.35.0": "not supported",
		"v1.37.2": "", "vv1.37.2": "full version", "V1.37.2": "full version", "v1.37": "full version", "v1.38.0": "not supported", "v": "full version", "1.37": "full version", "1.37.02": "full version", "1.37.2-rc.1": "full version", "": "full version",
	} {
		c, _, err := Parse("f", []byte(changed(fmt.Sprintf("kubernetes: {version: %q}", version))))
		got := ""
		if err != nil {
			got = err.Error()
		} else if c.Kubernetes.Version != strings.TrimPrefix(version, "v") {
			t.Errorf("%q is taken for %s", version, c.Kubernetes.Version)
		}
		if version == "" {
			want = "must not be empty"
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", version, got, want)
		}
	}
}

func TestSubnetSizes(t *testing.T) {
	for subnet, want := range map[string]string{
		"podSubnet: 10.0.0.0/8, serviceSubnet: 172.16.0.0/12":       "",
		"podSubnet: 172.16.4.0/24, serviceSubnet: 172.17.0.0/28":    "",
		"podSubnet: 172.16.4.0/25":                                  "too small: every node needs a /24",
		"podSubnet: 8.0.0.0/7, serviceSubnet: 172.16.0.0/12":        "too large: kubeadm takes at most a /8",
		"serviceSubnet: 172.16.0.0/29":                              "too small: kubeadm needs at least a /28",
		"serviceSubnet: 172.0.0.0/11":                               "too large: kubeadm takes at most a /12",
		"podSubnet: 10.244.0.0/16, serviceSubnet: 10.244.128.0/20":  "overlaps podSubnet",
		"podSubnet: 10.244.3.0/16":                                  "did you mean 10.244.0.0/16?",
		"podSubnet: 192.0.2.0/24":                                   "192.0.2.11 is inside podSubnet",
		"serviceSubnet: 192.0.0.0/16":                               "192.0.2.11 is inside serviceSubnet",
		"podSubnet: \"fd00::/48\", serviceSubnet: \"fd01:0::/112\"": "shortest form: fd01::/112",
		"podSubnet: \"fd00::/48\"":                                  "same IP family",
		"podSubnet: \"10.1.0.0/16,fd00::/48\"":                      "same IP families",
		"podSubnet: \"fd00::/65\", serviceSubnet: \"fd01::/112\"":   "needs a /64",
		"podSubnet: \"fd00::/47\", serviceSubnet: \"fd01::/112\"":   "at most a /48",
	} {
		data := fmt.Sprintf("apiVersion: fairlead/v1\nkind: Cluster\nname: a\nkubernetes: {version: 1.37.2, bundle: b, %s}\n"+
			"controlPlane: {hosts: [{name: cp1, address: 192.0.2.11}]}\n", subnet)
		_, _, err := Parse("f", []byte(data))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", subnet, err, want)
		}
	}
}

// Hosts that are to leave stand last among the control planes; the rest is what it was.
func TestWithLast(t *testing.T) {
	c := &Cluster{Name: "lab", ControlPlane: ControlPlane{Endpoint: "192.0.2.11:6443", Hosts: []Host{{Name: "cp1"}, {Name: "cp2"}, {Name: "cp3"}}}, Workers: []Host{{Name: "w1"}}}
	ordered := c.WithLast([]string{"cp1", "w1", "cp9"})
	var names []string
	for _, host := range ordered.Hosts() {
		names = append(names, host.Name)
	}
	if !slices.Equal(names, []string{"cp2", "cp3", "cp1", "w1"}) || ordered.ControlPlane.Endpoint != c.ControlPlane.Endpoint || c.ControlPlane.Hosts[0].Name != "cp1" {
		t.Errorf("%v, %+v", names, ordered.ControlPlane)
	}
	if c.WithLast(nil) != c {
		t.Error("without anybody who leaves it is another one")
	}
}
