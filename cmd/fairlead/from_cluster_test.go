package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/kube/kubetest"
)

// livingNode is a node as kubeadm and kubelets make it.
func livingNode(name, address, version string, labels map[string]any, taints ...any) map[string]any {
	all := map[string]any{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64"}
	for key, value := range labels {
		all[key] = value
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name, "labels": all},
		"spec":   map[string]any{"taints": taints},
		"status": map[string]any{"addresses": []any{map[string]any{"type": "InternalIP", "address": address}}, "nodeInfo": map[string]any{"kubeletVersion": version}},
	}
}

func livingAPI(t *testing.T) *kubetest.API {
	t.Helper()
	control := map[string]any{"node-role.kubernetes.io/control-plane": "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
	taint := map[string]any{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
	return kubetest.New(t,
		livingNode("cp1", "192.0.2.11", "v1.36.3", control, taint),
		livingNode("w1", "192.0.2.21", "v1.36.3", map[string]any{"disk": "ssd", "node-role.kubernetes.io/worker": "", "topology.kubernetes.io/zone": "a", "feature.node.kubernetes.io/cpu": "true"},
			map[string]any{"key": "gpu", "value": "true", "effect": "NoSchedule"}, map[string]any{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}),
		livingNode("w2", "192.0.2.22", "v1.35.1", nil),
		map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "kube-system", "name": "kubeadm-config"},
			"data": map[string]any{"ClusterConfiguration": "apiServer:\n  extraArgs: [{name: oidc-client-id, value: hunter2}]\napiVersion: kubeadm.k8s.io/v1beta4\ncertificatesDir: /etc/kubernetes/pki\n" +
				"clusterName: living\ncontrolPlaneEndpoint: api.lab.example:6443\ndns: {}\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n" +
				"networking: {dnsDomain: lab.local, podSubnet: 10.100.0.0/16, serviceSubnet: 10.101.0.0/16}\n"},
		})
}

// importing runs import on a kubeconfig and gives what was written and said.
func importing(t *testing.T, kubeconfig string, flags ...string) (file, said string, code int) {
	t.Helper()
	folder := t.TempDir()
	config, out := filepath.Join(folder, "config"), filepath.Join(folder, "cluster.yaml")
	write(t, config, kubeconfig, 0o600)
	var stderr bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &stderr, env: func(string) string { return "" }}
	code = p.run(t.Context(), slices.Concat([]string{"fairlead", "import", config, "-f", out}, flags))
	return out, strings.ReplaceAll(stderr.String(), folder+"/", ""), code
}

// TestImportLivingCluster makes hosts of nodes, over TLS, and writes nothing to the cluster: the server fails the test for that.
func TestImportLivingCluster(t *testing.T) {
	api := livingAPI(t)
	kubeconfig := strings.Replace(api.Kubeconfig(), "https://example.com:6443", api.URL(), 1)
	file, said, code := importing(t, kubeconfig)
	if code != exitDone || said != "wrote cluster.yaml with 3 hosts of config, the kubeconfig of a living cluster\nnext: put ssh.user into it and read the comments at its top, then: fairlead check -f cluster.yaml\n" {
		t.Fatalf("exit %d: %s", code, said)
	}
	golden(t, "import-living.yaml", []byte(read(t, file)))
	c, _, err := inventory.Load(file)
	if err != nil || len(c.Hosts()) != 3 || c.Kubernetes.Version != "1.36.3" || c.ControlPlane.Endpoint != "api.lab.example:6443" {
		t.Fatalf("%+v, %v", c, err)
	}
	for path, want := range map[string]string{"/api/v1/nodes": "look at the cluster of config: list nodes", "/api/v1/namespaces/kube-system/configmaps/kubeadm-config": "read ConfigMap kube-system/kubeadm-config"} {
		refusing := livingAPI(t)
		refusing.Refuse(path, 403)
		if _, said, code := importing(t, strings.Replace(refusing.Kubeconfig(), "https://example.com:6443", refusing.URL(), 1)); code != exitFailed || !strings.Contains(said, want) {
			t.Errorf("%s: exit %d: %s", path, code, said)
		}
	}
}

// TestImportVerifiesTheServer: a server whose certificate is of another CA is told nothing.
func TestImportVerifiesTheServer(t *testing.T) {
	api := livingAPI(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	kubeconfig := strings.Replace(api.Kubeconfig(), "https://example.com:6443", api.URL(), 1)
	kubeconfig = regexp.MustCompile(`certificate-authority-data: [^}]*`).ReplaceAllString(kubeconfig, "certificate-authority-data: "+encoded)
	if _, said, code := importing(t, kubeconfig); code != exitFailed || !strings.Contains(said, "certificate signed by unknown authority") || len(api.Requests()) > 0 {
		t.Errorf("exit %d: %s, %v", code, said, api.Requests())
	}
}
