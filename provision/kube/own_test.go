package kube

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// TestOwnReadsFiles has the data of a file that a kubeconfig names, from where the kubeconfig lies.
func TestOwnReadsFiles(t *testing.T) {
	server := apiServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ca.crt"), certPEM(server), 0o600); err != nil {
		t.Fatal(err)
	}
	data := kubeconfig(t, nil, func(c *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
		c.CertificateAuthority, u.Token = "ca.crt", "token"
	})
	own, url, err := Own(data, filepath.Join(folder, "config"), "")
	if err != nil || url != "https://api.example:6443" {
		t.Fatal(url, err)
	}
	var dialed atomic.Value
	c, err := New(own, tunnel(server, &dialed))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := Own(data, filepath.Join(t.TempDir(), "config"), ""); err == nil || !strings.Contains(err.Error(), "ca.crt") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestOwnRefuses(t *testing.T) {
	ca := []byte("CA")
	named := filepath.Join(t.TempDir(), "not-there.crt")
	for want, change := range map[string]func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo){
		"a program to run": func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.Exec = &clientcmdapi.ExecConfig{Command: "x", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode}
		},
		"for credentials": func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: "x"}
		},
		"verification": func(c *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			c.InsecureSkipTLSVerify, c.CertificateAuthorityData, u.ClientKey = true, nil, named
		},
		"a file with a token": func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) { u.TokenFile = named },
		"through a proxy":     func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.ProxyURL = "http://proxy:3128" },
		"no CA certificate":   func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.CertificateAuthorityData = nil },
		"is no https URL":     func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.Server = "http://192.0.2.1" },
	} {
		_, _, err := Own(kubeconfig(t, ca, change), "config", "")
		if !errors.Is(err, ErrUnusable) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	sound := kubeconfig(t, ca, nil)
	for context, want := range map[string]string{"": "", "x": "", "y": `it has no context "y"`} {
		if _, _, err := Own(sound, "config", context); want == "" && err != nil || want != "" && !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("context %q: %v", context, err)
		}
	}
	for text, want := range map[string]string{
		"a: [": "unusable kubeconfig", "apiVersion: v1\nkind: Config\n": "it has no current context",
		strings.Replace(string(sound), "user: u\n", "user: v\n", 1): "the cluster or user of its context",
	} {
		if _, _, err := Own([]byte(text), "config", ""); !errors.Is(err, ErrUnusable) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestOwnKeepsOneContext has nothing of other clusters, and none of their files is read.
func TestOwnKeepsOneContext(t *testing.T) {
	text := `apiVersion: v1
kind: Config
clusters:
- {name: a, cluster: {server: "https://192.0.2.1:6443", certificate-authority-data: Q0E=}}
- {name: b, cluster: {server: "https://192.0.2.2:6443", certificate-authority: /not/there}}
users:
- {name: a, user: {token: mine}}
- {name: b, user: {token: theirs}}
contexts:
- {name: a, context: {cluster: a, user: a}}
- {name: b, context: {cluster: b, user: b}}
current-context: b
`
	own, url, err := Own([]byte(text), "config", "a")
	if err != nil || url != "https://192.0.2.1:6443" || bytes.Contains(own, []byte("theirs")) || !bytes.Contains(own, []byte("mine")) {
		t.Errorf("%s, %v:\n%s", url, err, own)
	}
}

func TestClusterConfiguration(t *testing.T) {
	c, _ := fakeClient(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kubeadm-config"}, Data: map[string]string{"ClusterConfiguration": "kind: ClusterConfiguration\n"},
	})
	if text, err := c.ClusterConfiguration(t.Context()); err != nil || string(text) != "kind: ClusterConfiguration\n" {
		t.Errorf("%s, %v", text, err)
	}
	none, _ := fakeClient()
	if text, err := none.ClusterConfiguration(t.Context()); err != nil || text != nil {
		t.Errorf("%s, %v", text, err)
	}
}
