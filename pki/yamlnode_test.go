package pki

import (
	"strings"
	"testing"
)

const (
	adminEntries = `cluster: {certificate-authority-data: Q0E=, server: "https://192.0.2.11:6443"}`
	newCluster   = "clusters:\n  - name: lab\n    cluster:\n      certificate-authority-data: Q0E=\n      server: https://192.0.2.11:6443\n"
	newUser      = "users:\n  - name: lab-admin\n    user:\n      client-certificate-data: Q0VSVA==\n      client-key-data: S0VZ\n"
	newContext   = "contexts:\n  - name: lab\n    context:\n      cluster: lab\n      user: lab-admin\n"
)

// TestMergeKubeconfigText has existing files and the whole text of what becomes of them.
func TestMergeKubeconfigText(t *testing.T) {
	const head, current = "apiVersion: v1\nkind: Config\n", "current-context: lab\n"
	for name, c := range map[string]struct{ existing, want string }{
		"an empty mapping": {"{}", newCluster + newUser + newContext + current},
		"empty lists": {head + "clusters: []\nusers: null\ncontexts: []\ncurrent-context: \"\"\n",
			head + newCluster + newUser + newContext + current},
		"comments, order and unknown keys": {
			"# mine\ncurrent-context: a # for now\nusers: # none\nkind: Config\nextra: {x: 01}\nclusters:\n  # the first\n  - name: a # of two\n    cluster: {server: x}\n",
			"# mine\ncurrent-context: lab # for now\n" + strings.Replace(newUser, "users:", "users: # none", 1) + "kind: Config\nextra: {x: 01}\nclusters:\n  # the first\n  - name: a # of two\n    cluster: {server: x}\n" +
				strings.TrimPrefix(newCluster, "clusters:\n") + newContext},
		"a context that keeps its namespace": {
			"contexts:\n  - name: lab\n    context:\n      user: old\n      namespace: web\n",
			"contexts:\n  - name: lab\n    context:\n      user: lab-admin\n      namespace: web\n      cluster: lab\n" + newCluster + newUser + current},
		"a comment beside null": {"users: null # none\n", strings.Replace(newUser, "users:", "users: # none", 1) + newCluster + newContext + current},
		"an empty context": {"contexts: [{name: lab, context: {}}]\n",
			"contexts: [{name: lab, context: {cluster: lab, user: lab-admin}}]\n" + newCluster + newUser + current},
		"an item without a name, and one whose name is a list": {
			"contexts: [{context: {}}, {name: [lab]}, text]\n",
			"contexts: [{context: {}}, {name: [lab]}, text, {name: lab, context: {cluster: lab, user: lab-admin}}]\n" + newCluster + newUser + current},
		"what comes twice, around others": {
			"clusters:\n  - name: a\n    cluster: {server: x}\n  - name: lab\n    cluster: {server: x}\n  - name: b\n    cluster: {server: x}\n  - name: lab\n    cluster: {server: x}\n  - name: lab\n    cluster: {server: x}\n  - name: c\n    cluster: {server: x}\n",
			"clusters:\n  - name: a\n    cluster: {server: x}\n" + strings.TrimPrefix(newCluster, "clusters:\n") + "  - name: b\n    cluster: {server: x}\n  - name: c\n    cluster: {server: x}\n" + newUser + newContext + current},
		"comments above and below a replaced entry": {
			"clusters:\n  # above\n  - name: lab\n    cluster: {server: x}\n  # below\n\nusers: []\n",
			"clusters:\n  # above\n" + strings.TrimPrefix(newCluster, "clusters:\n") + "# below\n\n" + newUser + newContext + current},
	} {
		got, err := MergeKubeconfig([]byte(c.existing), testdata(t, "admin.conf"), "lab")
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v, got:\n%s\nwant:\n%s", name, err, got, c.want)
		}
	}
}

// TestKubeconfigWithAliases writes a file that is to be added with an alias at each place.
func TestKubeconfigWithAliases(t *testing.T) {
	want, err := RenameKubeconfig(testdata(t, "admin.conf"), "lab")
	if err != nil {
		t.Fatal(err)
	}
	const user = "user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}"
	for name, add := range map[string]string{
		"lists": "x: [&a [{name: k, " + adminEntries + "}], &b [{name: u, " + user + "}], &c [{name: c, context: {cluster: k, user: u}}]]\n" +
			"clusters: *a\nusers: *b\ncontexts: *c\ncurrent-context: c\n",
		"items": "x: [&a {name: k, " + adminEntries + "}, &b {name: u, " + user + "}, &c {name: c, context: {cluster: k, user: u}}]\n" +
			"clusters: [*a]\nusers: [*b]\ncontexts: [*c]\ncurrent-context: c\n",
		"names": "x: [&a k, &b u, &c c]\nclusters: [{name: *a, " + adminEntries + "}]\nusers: [{name: *b, " + user + "}]\n" +
			"contexts: [{name: *c, context: {cluster: *a, user: *b}}]\ncurrent-context: *c\n",
		"the second of a name, and others": "clusters: [{name: j}, {name: k, " + adminEntries + "}, {name: k, cluster: {server: x}}]\n" +
			"users: [{name: u, " + user + "}, {name: k}]\ncontexts: [{name: d}, {name: c, context: {cluster: k, user: u, namespace: x}}]\ncurrent-context: c\n",
	} {
		got, err := RenameKubeconfig([]byte(add), "lab")
		if err != nil || plain(string(got)) != plain(string(want)) {
			t.Errorf("%s: %v, got:\n%s\nwant:\n%s", name, err, got, want)
		}
	}
}

// plain is YAML in which style, but not content, was taken out of mappings of one level.
func plain(text string) string {
	text = strings.NewReplacer("{", "", "}", "", ",", "", "\"", "").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

func TestKubeconfigErrorsAre(t *testing.T) {
	admin := testdata(t, "admin.conf")
	for _, c := range []struct{ name, existing, add, want string }{
		{"empty current context", "", "current-context: \"\"\n", "merge kubeconfig: read new kubeconfig: it has no current context"},
		{"context without content", "", "current-context: a\ncontexts: [{name: a}]\n", `merge kubeconfig: read new kubeconfig: its current context "a" is not in it`},
		{"no cluster", "", "current-context: a\ncontexts: [{name: a, context: {user: u}}]\n", `merge kubeconfig: read new kubeconfig: its context "a" names no cluster`},
		{"contexts no list", "", "current-context: a\ncontexts: {name: a}\n", `merge kubeconfig: read new kubeconfig: its current context "a" is not in it`},
		{"entry without content", "", "current-context: a\ncontexts: [{name: a, context: {cluster: k, user: u}}]\nclusters: [{name: k}]\n", `merge kubeconfig: read new kubeconfig: its cluster "k" is not in it`},
		{"contexts a text", "contexts: x", string(admin), "merge kubeconfig: read existing kubeconfig: its contexts is not a list"},
		{"users a mapping", "users: {}", string(admin), "merge kubeconfig: read existing kubeconfig: its users is not a list"},
		{"not a mapping", "text", string(admin), "merge kubeconfig: read existing kubeconfig: it is not a mapping"},
	} {
		got, err := MergeKubeconfig([]byte(c.existing), []byte(c.add), "lab")
		if err == nil || err.Error() != c.want || got != nil {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := RenameKubeconfig(admin, ""); err == nil || err.Error() != "rename kubeconfig entries: the name is empty" {
		t.Errorf("no name: %v", err)
	}
}
