package pki

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func testdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := testdata(t, name); !bytes.Equal(got, want) {
		t.Errorf("%s differs, got:\n%s", name, got)
	}
}

func TestRenameKubeconfig(t *testing.T) {
	got, err := RenameKubeconfig(testdata(t, "admin.conf"), "lab")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "renamed.golden", got)
	again, err := RenameKubeconfig(got, "lab")
	if err != nil || !bytes.Equal(again, got) {
		t.Errorf("renaming twice: %v\n%s", err, again)
	}
}

func TestMergeKubeconfig(t *testing.T) {
	got, err := MergeKubeconfig(testdata(t, "existing.yaml"), testdata(t, "admin.conf"), "lab")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "merged.golden", got)
	again, err := MergeKubeconfig(got, testdata(t, "admin.conf"), "lab")
	if err != nil || !bytes.Equal(again, got) {
		t.Errorf("merging twice: %v\n%s", err, again)
	}
}

func TestMergeKubeconfigIntoLittle(t *testing.T) {
	want, err := RenameKubeconfig(testdata(t, "admin.conf"), "lab")
	if err != nil {
		t.Fatal(err)
	}
	for name, existing := range map[string]string{
		"nothing": "", "white space": "\n \n", "a comment": "# nothing yet\n", "null": "null\n", "document marker": "---\n",
	} {
		got, err := MergeKubeconfig([]byte(existing), testdata(t, "admin.conf"), "lab")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	for name, existing := range map[string]string{
		"an empty mapping": "{}",
		"empty lists":      "apiVersion: v1\nkind: Config\nclusters: []\nusers: null\ncontexts: []\ncurrent-context: \"\"\n",
		"JSON":             `{"apiVersion":"v1","kind":"Config","clusters":[],"contexts":[{"name":"lab","context":null}]}`,
	} {
		got, err := MergeKubeconfig([]byte(existing), testdata(t, "admin.conf"), "lab")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		renamed, err := RenameKubeconfig(got, "lab")
		if err != nil || !bytes.Contains(renamed, []byte("S0VZ")) || !bytes.Contains(renamed, []byte("https://192.0.2.11:6443")) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

// What points a kubeconfig at another server changes nothing else.
func TestPointKubeconfig(t *testing.T) {
	admin, err := RenameKubeconfig(testdata(t, "admin.conf"), "lab")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ server, name, want string }{
		{"api.example.org:443", "", "    server: https://api.example.org:443\n"},
		{"[2001:db8::1]:6443", "", "    server: https://[2001:db8::1]:6443\n"},
		{"127.0.0.1:40001", "192.0.2.11", "    server: https://127.0.0.1:40001\n    tls-server-name: 192.0.2.11\n"},
		{"127.0.0.1:40001", "2001:db8::11", "    server: https://127.0.0.1:40001\n    tls-server-name: 2001:db8::11\n"},
	} {
		got, err := PointKubeconfig(admin, c.server, c.name)
		indented := strings.ReplaceAll(c.want, "    ", "      ")
		if want := strings.Replace(string(admin), "      server: https://192.0.2.11:6443\n", indented, 1); err != nil || string(got) != want {
			t.Errorf("%s, %s: %v\ngot\n%s\nwant\n%s", c.server, c.name, err, got, want)
		}
		if server, err := KubeconfigServer(got); c.name == "" && (err != nil || server != c.server) {
			t.Errorf("%s: its server is %s, %v", c.server, server, err)
		}
	}
	if server, err := KubeconfigServer(bytes.Replace(admin, []byte("192.0.2.11:6443"), []byte("[2001:db8::1]"), 1)); err != nil || server != "[2001:db8::1]:443" {
		t.Errorf("without a port: %s, %v", server, err)
	}
}

func TestPointKubeconfigErrors(t *testing.T) {
	admin := string(testdata(t, "admin.conf"))
	for name, c := range map[string]struct{ content, want string }{
		"no YAML":         {"a: [", "parse YAML"},
		"nothing":         {"", "it has no current context"},
		"context missing": {strings.Replace(admin, "current-context: k", "current-context: x", 1), `"xubernetes-admin@kubernetes" names no cluster`},
		"cluster missing": {strings.Replace(admin, "    cluster: kubernetes", "    cluster: other", 1), `its cluster "other" is not in it`},
	} {
		_, err := PointKubeconfig([]byte(c.content), "a:1", "")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "point kubeconfig at a:1: ") && name != "no YAML" {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if server, err := KubeconfigServer([]byte(c.content)); err == nil {
			t.Errorf("%s: its server is %s", name, server)
		}
	}
}

func TestMergeKubeconfigErrors(t *testing.T) {
	admin := string(testdata(t, "admin.conf"))
	for name, c := range map[string]struct{ existing, add, cluster, want string }{
		"no name":               {"", admin, "", "name is empty"},
		"nothing to add":        {"", "", "lab", "new kubeconfig: it has no current context"},
		"context missing":       {"", strings.Replace(admin, "current-context: k", "current-context: x", 1), "lab", `"xubernetes-admin@kubernetes" is not in it`},
		"user missing":          {"", strings.Replace(admin, "- name: kubernetes-admin", "- name: other", 1), "lab", `user "kubernetes-admin" is not in it`},
		"context names no user": {"", strings.Replace(admin, "    user: kubernetes-admin\n", "", 1), "lab", "names no user"},
		"a program to run": {"", strings.Replace(admin, "    client-key-data", "    exec: {command: /bin/sh}\n    client-key-data", 1), "lab",
			`its user "kubernetes-admin": it has "exec", which is not taken from another machine`},
		"a server that is not verified": {"", strings.Replace(admin, "    server:", "    insecure-skip-tls-verify: true\n    server:", 1), "lab", `it has "insecure-skip-tls-verify"`},
		"a file in place of a CA":       {"", strings.Replace(admin, "certificate-authority-data: Q0E=", "certificate-authority: /etc/ca.crt", 1), "lab", `it has "certificate-authority"`},
		"a proxy":                       {"", strings.Replace(admin, "    server:", "    proxy-url: http://192.0.2.66\n    server:", 1), "lab", `it has "proxy-url"`},
		"a token":                       {"", strings.Replace(admin, "client-key-data: S0VZ", "token: S0VZ", 1), "lab", `it has "token"`},
		"no key":                        {"", strings.Replace(admin, "    client-key-data: S0VZ\n", "", 1), "lab", "it has no client-key-data"},
		"an empty key":                  {"", strings.Replace(admin, "client-key-data: S0VZ", "client-key-data: ''", 1), "lab", "it has no client-key-data"},
		"a key that is a list":          {"", strings.Replace(admin, "client-key-data: S0VZ", "client-key-data: [S0VZ]", 1), "lab", "it has no client-key-data"},
		"a key in plain text":           {"", strings.Replace(admin, "client-key-data: S0VZ", "client-key-data: S0VZ!", 1), "lab", "its client-key-data is not base64"},
		"a server without TLS":          {"", strings.Replace(admin, "https://", "http://", 1), "lab", "its server is no https URL"},
		"a user that is text":           {"", strings.Replace(admin, "  user:\n    client-certificate-data: Q0VSVA==\n    client-key-data: S0VZ", "  user: S0VZ", 1), "lab", "it is no mapping"},
		"existing broken":               {"clusters: [", admin, "lab", "existing kubeconfig: parse YAML"},
		"existing a list":               {"- a", admin, "lab", "not a mapping"},
		"existing other kind":           {"kind: Pod", admin, "lab", `kind is "Pod"`},
		"existing two":                  {"kind: Config\n---\nkind: Config\n", admin, "lab", "more than one"},
		"second broken":                 {"kind: Config\n---\n[", admin, "lab", "parse YAML"},
		"clusters a mapping":            {"clusters: {a: b}", admin, "lab", "clusters is not a list"},
		"anchor cut off":                {"clusters: [{name: lab, cluster: &c {server: x}}, {name: b, cluster: *c}]", admin, "lab", "read back"},
	} {
		_, err := MergeKubeconfig([]byte(c.existing), []byte(c.add), c.cluster)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "S0VZ") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}
