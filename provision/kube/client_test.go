package kube

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"k8s.io/apimachinery/pkg/runtime"
)

// fakeClient is a client on an in-memory API that tries again without delay.
func fakeClient(objects ...runtime.Object) (*Client, *fake.Clientset) {
	clientset := fake.NewClientset(objects...)
	return &Client{clientset: clientset, now: time.Now, retry: time.Millisecond}, clientset
}

// apiServer is a TLS server whose certificate is valid for example.com and 127.0.0.1.
func apiServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func certPEM(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// kubeconfig describes a server at https://api.example:6443 that is known as example.com.
func kubeconfig(t *testing.T, ca []byte, change func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo)) []byte {
	t.Helper()
	cluster := &clientcmdapi.Cluster{Server: "https://api.example:6443", TLSServerName: "example.com", CertificateAuthorityData: ca}
	user := &clientcmdapi.AuthInfo{}
	if change != nil {
		change(cluster, user)
	}
	data, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": cluster},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": user},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tunnel dials the test server whatever the address, and notes the address.
func tunnel(server *httptest.Server, dialed *atomic.Value) DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialed.Store(addr)
		var d net.Dialer
		return d.DialContext(ctx, network, server.Listener.Addr().String())
	}
}

func connect(t *testing.T, server *httptest.Server) *Client {
	t.Helper()
	client, err := New(kubeconfig(t, certPEM(server), nil), tunnel(server, &atomic.Value{}))
	if err != nil {
		t.Fatal(err)
	}
	client.retry = time.Millisecond
	t.Cleanup(client.Close)
	return client
}

func TestReadyThroughTheTunnel(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("ALL_PROXY", "http://127.0.0.1:1")
	var path, agent string
	server := apiServer(t, func(_ http.ResponseWriter, r *http.Request) { path, agent = r.URL.Path, r.UserAgent() })
	var dialed atomic.Value
	config := kubeconfig(t, certPEM(server), func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.ProxyURL = "http://127.0.0.1:1" })
	client, err := New(config, tunnel(server, &dialed))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if path != "/readyz" || agent != "fairlead" || dialed.Load() != "api.example:6443" {
		t.Errorf("path %q, agent %q, dialed %v", path, agent, dialed.Load())
	}
}

// One client serves all hosts of a run: client-go's own limit of 10 requests at once is too low.
func TestNewMakesRoomForManyRequests(t *testing.T) {
	client, err := New(kubeconfig(t, otherCA(t), nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	limit := client.clientset.CoreV1().RESTClient().GetRateLimiter()
	for i := range requestBurst {
		if !limit.TryAccept() {
			t.Fatalf("request %d has to wait", i)
		}
	}
	if limit.QPS() != requestsPerSecond {
		t.Errorf("%v requests per second", limit.QPS())
	}
}

// closing tells when a connection is closed.
type closing struct {
	net.Conn
	closed chan<- bool
}

func (c closing) Close() error {
	c.closed <- true
	return c.Conn.Close()
}

func TestCloseEndsConnections(t *testing.T) {
	server := apiServer(t, func(http.ResponseWriter, *http.Request) {})
	closed := make(chan bool, 10)
	client, err := New(kubeconfig(t, certPEM(server), nil), func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := tunnel(server, &atomic.Value{})(ctx, network, addr)
		return closing{conn, closed}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.Close()
	<-closed
	(&Client{}).Close() // one without connections of its own
}

func TestNewVerifiesTheServer(t *testing.T) {
	var served atomic.Int32
	server := apiServer(t, func(http.ResponseWriter, *http.Request) { served.Add(1) })
	for name, c := range map[string]struct {
		ca, serverName, want string
	}{
		"another CA":          {string(otherCA(t)), "example.com", "certificate signed by unknown authority"},
		"another server name": {string(certPEM(server)), "other.example", "not other.example"},
		"the address's name":  {string(certPEM(server)), "", "not api.example"},
	} {
		config := kubeconfig(t, []byte(c.ca), func(cluster *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { cluster.TLSServerName = c.serverName })
		client, err := New(config, tunnel(server, &atomic.Value{}))
		if err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"Ready":     client.Ready(t.Context()),
			"WaitReady": client.WaitReady(t.Context(), nil),
			"WaitNode":  client.WaitNode(t.Context(), "w1", true, nil),
		} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s = %v, want %q in it", name, what, err, c.want)
			}
		}
		client.Close()
	}
	if n := served.Load(); n != 0 {
		t.Errorf("%d requests reached the wrong server", n)
	}
}

// otherCA is a CA that signed nothing.
func otherCA(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestNewRefuses(t *testing.T) {
	ca := otherCA(t)
	for name, c := range map[string]struct {
		change func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo)
		want   string
	}{
		"plain http":            {func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.Server = "http://api.example:6443" }, "https"},
		"no verification":       {func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.InsecureSkipTLSVerify = true }, "verification"},
		"no CA":                 {func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.CertificateAuthorityData = nil }, "no CA"},
		"CA in a file":          {func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.CertificateAuthority = "/etc/ca" }, "files"},
		"certificate in a file": {func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) { u.ClientCertificate = "/root/crt" }, "files"},
		"no URL":                {func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.Server = "https://api.example:port" }, "https"},
		"no CA but a name":      {func(c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.CertificateAuthorityData = []byte{} }, "no CA"},
		"key in a file":         {func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) { u.ClientKey = "/root/key" }, "files"},
		"token in a file":       {func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) { u.TokenFile = "/root/token" }, "files"},
		"program": {func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.Exec = &clientcmdapi.ExecConfig{Command: "sh"}
		}, "program"},
		"provider": {func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: "x"}
		}, "program"},
		"broken client key": {func(_ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			u.ClientCertificateData, u.ClientKeyData = []byte("SECRET"), []byte("SECRET")
		}, ""},
	} {
		client, err := New(kubeconfig(t, ca, c.change), nil)
		if err == nil || client != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
		if c.want != "" && !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v is not ErrUnusable", name, err)
		}
	}
	for name, data := range map[string]string{
		"empty": "", "broken": "clusters: [", "no such context": "apiVersion: v1\nkind: Config\ncurrent-context: x\n",
		"no user":    "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://a'}}]\n",
		"no cluster": "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n",
	} {
		if _, err := New([]byte(data), nil); !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v, want ErrUnusable", name, err)
		}
	}
}

func TestWaitReady(t *testing.T) {
	answers := []int{http.StatusForbidden, http.StatusUnauthorized, http.StatusInternalServerError, http.StatusInternalServerError, http.StatusOK}
	var n atomic.Int32
	server := apiServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers[min(int(n.Add(1)), len(answers))-1])
		fmt.Fprint(w, "[-]etcd failed")
	})
	client := connect(t, server)
	var reasons []string
	if err := client.WaitReady(t.Context(), func(r string) { reasons = append(reasons, r) }); err != nil {
		t.Fatal(err)
	}
	if len(reasons) != 3 || n.Load() != 5 {
		t.Errorf("%d requests, reasons %q", n.Load(), reasons)
	}
}

func TestWaitReadyEnds(t *testing.T) {
	client, err := New(kubeconfig(t, otherCA(t), nil), func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("connection refused")
	})
	if err != nil {
		t.Fatal(err)
	}
	client.retry = time.Millisecond
	ctx, cancel := context.WithCancelCause(t.Context())
	err = client.WaitReady(ctx, func(string) { cancel(errors.New("stopped by the user")) })
	if err == nil || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), "stopped by the user") {
		t.Errorf("WaitReady = %v", err)
	}
	client, err = New(kubeconfig(t, otherCA(t), nil), func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("dial: %w", ErrTunnelClosed)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.WaitReady(t.Context(), nil); !errors.Is(err, ErrTunnelClosed) {
		t.Errorf("WaitReady = %v, want ErrTunnelClosed", err)
	}
	if err := client.WaitNode(t.Context(), "w1", true, nil); !errors.Is(err, ErrTunnelClosed) {
		t.Errorf("WaitNode = %v, want ErrTunnelClosed", err)
	}
}

// answerJSON writes an API object.
func answerJSON(t *testing.T, w http.ResponseWriter, code int, object any) {
	t.Helper()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(object); err != nil {
		t.Errorf("answer: %v", err)
	}
}
