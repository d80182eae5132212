package desired

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/bundle"
)

// blocks are the YAML blocks of a page of the documentation.
func blocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```\n")
		found = append(found, block)
	}
	return found
}

// The provisioner's manifests in small: what the page patches is theirs.
const (
	provisioner = `apiVersion: apps/v1
kind: Deployment
metadata: {name: nfs-client-provisioner, namespace: default}
spec:
  selector: {matchLabels: {app: nfs-client-provisioner}}
  template:
    metadata: {labels: {app: nfs-client-provisioner}}
    spec:
      containers:
        - name: nfs-client-provisioner
          image: registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2
          volumeMounts: [{name: nfs-client-root, mountPath: /persistentvolumes}]
          env:
            - {name: PROVISIONER_NAME, value: k8s-sigs.io/nfs-subdir-external-provisioner}
            - {name: NFS_SERVER, value: 10.3.243.101}
            - {name: NFS_PATH, value: /ifs/kubernetes}
      volumes:
        - {name: nfs-client-root, nfs: {server: 10.3.243.101, path: /ifs/kubernetes}}
`
	account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: nfs-client-provisioner, namespace: default}}\n"
	class   = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: nfs-client}, provisioner: k8s-sigs.io/nfs-subdir-external-provisioner}\n"
)

// What docs/storage.md writes, the inventory takes, and the patch goes where it should.
func TestExamplesOfStorage(t *testing.T) {
	const head = "apiVersion: fairlead/v1\nkind: Cluster\nname: lab\nkubernetes: {version: 1.37.2}\nssh: {user: me}\ncontrolPlane: {hosts: [{name: cp1, address: 192.0.2.11}]}\n"
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "nfs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"nfs/rbac.yaml": account, "nfs/deployment.yaml": provisioner, "nfs/class.yaml": class} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	examples := blocks(t, "storage.md")
	if len(examples) != 3 {
		t.Fatalf("the page has %d examples", len(examples))
	}
	for i, example := range examples {
		text := head + strings.ReplaceAll(example, "<64 hex digits>", strings.Repeat("a0", 32))
		cluster, warnings, err := inventory.Parse(filepath.Join(folder, "cluster.yaml"), []byte(text))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v, %v", example, err, warnings)
		}
		if i > 0 { // from elsewhere, or none
			continue
		}
		state, err := New(t.Context(), cluster, bundle.Manifest{}, Sources{})
		if err != nil {
			t.Fatal(err)
		}
		shown, err := json.Marshal(state.Addons)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`{"name":"NFS_SERVER","value":"192.0.2.60"}`, `{"name":"NFS_PATH","value":"/srv/nfs"}`, `{"name":"PROVISIONER_NAME","value":"k8s-sigs.io/nfs-subdir-external-provisioner"}`,
			`"nfs":{"path":"/srv/nfs","server":"192.0.2.60"}`, `"kind":"StorageClass"`, `"kind":"ServiceAccount"`,
		} {
			if !strings.Contains(string(shown), want) {
				t.Errorf("there is no %s in\n%s", want, shown)
			}
		}
		if strings.Contains(string(shown), "10.3.243.101") {
			t.Errorf("the provisioner's own server is in\n%s", shown)
		}
	}
}
