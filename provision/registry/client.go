package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/retry"
)

const (
	// dialTimeout bounds the way to an open connection, handshakeTimeout that of TLS over it.
	dialTimeout, handshakeTimeout = 10 * time.Second, 10 * time.Second
	// answerTimeout bounds the wait for an answer after all of a request was sent. It is long,
	// since a registry may move a whole blob before it answers.
	answerTimeout = 2 * time.Minute
	// idleConnections are kept open for further requests.
	idleConnections = 16
	// attempts is how often a request is made while only passing failures are in its way.
	attempts = 5
	// firstPause is the one before the second attempt; each further one is twice as long.
	firstPause = 250 * time.Millisecond
)

// Endpoint is where a registry is and how to reach it.
type Endpoint struct {
	Host           string // host[:port]
	PlainHTTP      bool   // HTTP in place of HTTPS
	CA             []byte // PEM; trusted besides the system's CAs, as containerd does. nil: these only
	User, Password string // both or none
	// Proxy gives the proxy for a URL, or none; nil: none for any.
	Proxy func(*url.URL) (*url.URL, error)
}

// DialFunc opens a connection to an address, for example from the side of a host.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Client is the way to one registry. Its methods may be called from several goroutines.
type Client struct {
	endpoint Endpoint
	registry *remote.Registry
	http     *http.Client
	tokens   *tokens
	// pause is how long to wait after the attempt of that number, which starts at 0.
	pause func(attempt int) time.Duration
}

const (
	hub       = "docker.io"            // in the names of images
	hubOrigin = "registry-1.docker.io" // answers to requests for them, as docker.io does not
)

// Name is a registry's name in the names of images. Only Docker Hub has others: that of the
// host which serves it, and the one under which Docker keeps its credentials.
func Name(host string) string {
	switch strings.ToLower(host) {
	case hub, hubOrigin, "index.docker.io":
		return hub
	}
	return host
}

// Origin is the host that serves the images that are named by domain. They differ for
// Docker Hub only.
func Origin(domain string) string {
	if Name(domain) == hub {
		return hubOrigin
	}
	return domain
}

// NewClient makes a client; it does not connect. With a dial function the proxies of the
// environment are not used, as they concern the machine that fairlead runs on. Without one
// (nil) the client dials itself.
func NewClient(endpoint Endpoint, dial DialFunc) (*Client, error) {
	if (endpoint.User == "") != (endpoint.Password == "") {
		return nil, fmt.Errorf("registry %s: user and password go together: give both or none", endpoint.Host)
	}
	endpoint.Host = Origin(endpoint.Host)
	registry, err := remote.NewRegistry(endpoint.Host)
	if err != nil {
		return nil, fmt.Errorf("registry %q: %w: want host or host:port", endpoint.Host, err)
	}
	pool, err := trusted(endpoint.CA)
	if err != nil {
		return nil, fmt.Errorf("registry %s: %w", endpoint.Host, err)
	}
	base := &http.Transport{
		TLSClientConfig:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   handshakeTimeout,
		ResponseHeaderTimeout: answerTimeout,
		MaxIdleConns:          idleConnections,
		MaxIdleConnsPerHost:   idleConnections,
		IdleConnTimeout:       time.Minute,
	}
	if dial == nil {
		base.Proxy = http.ProxyFromEnvironment
		dial = (&net.Dialer{}).DialContext
	}
	if endpoint.Proxy != nil {
		base.Proxy = func(r *http.Request) (*url.URL, error) { return endpoint.Proxy(r.URL) }
	}
	base.DialContext = marked(dial)
	c := &Client{endpoint: endpoint, registry: registry, http: &http.Client{Transport: &transport{base: base}}, tokens: newTokens()}
	c.pause = exponential()
	client := &auth.Client{
		Client:     c.http,
		Cache:      c.tokens,
		Credential: auth.StaticCredential(endpoint.Host, auth.Credential{Username: endpoint.User, Password: endpoint.Password}),
	}
	client.SetUserAgent("fairlead")
	registry.Client = client
	registry.PlainHTTP = endpoint.PlainHTTP
	return c, nil
}

// Close ends the connections that are kept for further requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// exponential is the pause between attempts, with some chance so that clients do not meet.
func exponential() func(attempt int) time.Duration {
	backoff := retry.ExponentialBackoff(firstPause, 2, 0.1)
	return func(attempt int) time.Duration { return backoff(attempt, nil) }
}

// trusted are the system's CAs and those of the PEM.
func trusted(ca []byte) (*x509.CertPool, error) {
	if ca == nil {
		return nil, nil // nil is how crypto/tls names the system's CAs
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's CAs: %w", err)
	}
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("its CA holds no certificate: want PEM")
	}
	return pool, nil
}

// marked bounds dial in time and marks its errors.
func marked(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
}
