package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	// fieldManager owns the fields that Apply sets.
	fieldManager = "fairlead"
	// requestTimeout bounds every single request but watches.
	requestTimeout = 30 * time.Second
	// watchLimit bounds one watch; then the state is listed anew, so that a connection that
	// died without a word holds a wait up no longer than this.
	watchLimit = 30 * time.Second
	// retryInterval is the pause between two tries of a wait.
	retryInterval = 500 * time.Millisecond
	// The client's own limit of requests: high, since one client serves all hosts of a run.
	requestsPerSecond, requestBurst = 100, 200
)

// ErrUnusable says that a kubeconfig is refused. New wraps it together with the reason.
var ErrUnusable = errors.New("unusable kubeconfig")

// ErrTunnelClosed is for a DialFunc to wrap: dialing again cannot help, because what it dials
// through is gone. A wait ends at once with such an error, where it would go on with others.
var ErrTunnelClosed = errors.New("the connection to the host is gone")

// ErrRefused says that the API server answers and does not let the kubeconfig's user do what an administrator may.
var ErrRefused = errors.New("the API server refuses this administrator")

// DialFunc opens a connection to the API server's address, for example through a tunnel.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Client is a connection to one cluster's API server. Its methods may be called from several
// goroutines.
type Client struct {
	clientset kubernetes.Interface
	dynamic   dynamic.Interface
	http      *http.Client
	now       func() time.Time
	retry     time.Duration // pause between two tries, retryInterval outside of tests

	mu    sync.Mutex
	kinds map[schema.GroupVersionKind]metav1.APIResource
}

// New builds a client from a kubeconfig's current context; it does not connect. The server is
// verified against the CA and the server name in the kubeconfig. Every connection is made by
// dial: proxies of the environment and of the kubeconfig are not used.
//
// A kubeconfig that turns verification off, names files, or names a program to run for
// credentials is refused with ErrUnusable, since it may come from another machine.
func New(kubeconfig []byte, dial DialFunc) (*Client, error) {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.Dial = dial
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	config.QPS, config.Burst = requestsPerSecond, requestBurst
	config.UserAgent = fieldManager
	config.WarningHandlerWithContext = rest.NoWarnings{}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return refusals{next} })
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("build HTTP client: %w", err)
	}
	clientset, err := kubernetes.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("build client: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("build client: %w", err)
	}
	return &Client{clientset: clientset, dynamic: dynamicClient, http: httpClient, now: time.Now, retry: retryInterval}, nil
}

// Close closes the connections that no request uses.
func (c *Client) Close() {
	if c.http != nil {
		utilnet.CloseIdleConnectionsFor(c.http.Transport)
	}
}

// Ready asks the API server once whether it is ready (GET /readyz). The error says why not.
func (c *Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := c.clientset.Discovery().RESTClient().Get().AbsPath("/readyz").MaxRetries(0).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("ask API server for readiness: %w", err)
	}
	return nil
}

// restConfig reads a kubeconfig and refuses what must not come from another machine.
func restConfig(kubeconfig []byte) (*rest.Config, error) {
	raw, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	current := raw.Contexts[raw.CurrentContext]
	if current == nil {
		return nil, fmt.Errorf("%w: it has no current context", ErrUnusable)
	}
	cluster, user := raw.Clusters[current.Cluster], raw.AuthInfos[current.AuthInfo]
	if cluster == nil || user == nil {
		return nil, fmt.Errorf("%w: the cluster or user of its current context is missing", ErrUnusable)
	}
	if reason := refuse(cluster, user); reason != "" {
		return nil, fmt.Errorf("%w: %s", ErrUnusable, reason)
	}
	config, err := clientcmd.NewDefaultClientConfig(*raw, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return config, nil
}

// refuse says why a cluster and user are not taken, or nothing.
func refuse(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) string {
	server, err := url.Parse(cluster.Server)
	switch {
	case err != nil || server.Scheme != "https":
		return "its server is no https URL"
	case cluster.InsecureSkipTLSVerify:
		return "it turns off the verification of the server's certificate"
	case cluster.CertificateAuthority != "" || user.ClientCertificate != "" || user.ClientKey != "" || user.TokenFile != "":
		return "it names files instead of holding the data"
	case len(cluster.CertificateAuthorityData) == 0:
		return "it holds no CA certificate"
	case user.Exec != nil || user.AuthProvider != nil:
		return "it names a program to run for credentials"
	}
	return ""
}
