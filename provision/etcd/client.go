package etcd

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// How long one member may take to answer, and how much it may say.
const (
	patience = 5 * time.Second
	maxBody  = 1 << 20
)

// DialFunc opens a connection from a host that reaches the members.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Credentials are those of a client of etcd, in PEM.
type Credentials struct{ CA, Certificate, Key []byte }

// Client asks one member, and sees by itself whether the others are well.
type Client struct {
	endpoint string
	dial     DialFunc
	http     *http.Client
}

// New makes a client that asks the member at endpoint, https://HOST:PORT.
func New(endpoint string, credentials Credentials, dial DialFunc) (*Client, error) {
	pair, err := tls.X509KeyPair(credentials.Certificate, credentials.Key)
	if err != nil {
		return nil, fmt.Errorf("use the certificate of etcd's client: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(credentials.CA) {
		return nil, errors.New("use the CA of etcd: no PEM certificate in it")
	}
	transport := &http.Transport{
		DialContext: dial, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	return &Client{endpoint: endpoint, dial: dial, http: &http.Client{Transport: transport}}, nil
}

// members lists all, as the leader knows them.
func (c *Client) members(ctx context.Context) ([]Member, error) { return c.Members(ctx, true) }

func (c *Client) remove(ctx context.Context, m Member) error {
	if err := c.post(ctx, "/v3/cluster/member/remove", map[string]any{"ID": m.ID}, &struct{}{}); err != nil {
		return fmt.Errorf("remove the etcd member %s: %w", describe(m), err)
	}
	return nil
}

// post sends a request to the gateway and decodes its answer.
func (c *Client) post(ctx context.Context, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	status, said, err := c.send(ctx, http.MethodPost, c.endpoint+path, text)
	if err != nil {
		return err
	}
	return understand(status, said, answer)
}

// understand decodes an answer, or says why there is none.
func understand(status int, said []byte, answer any) error {
	if status != http.StatusOK {
		var refusal struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(said, &refusal) // or it has none
		return fmt.Errorf("etcd answers %d: %s", status, refusal.Message)
	}
	if err := json.Unmarshal(said, answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// send sends one request and reads all of the answer.
func (c *Client) send(ctx context.Context, method, url string, body []byte) (status int, said []byte, err error) {
	return c.sendFor(ctx, patience, method, url, body)
}

// sendFor is send for what may take that long.
func (c *Client) sendFor(ctx context.Context, limit time.Duration, method, url string, body []byte) (status int, said []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("ask etcd: %w", err)
	}
	said, err = io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", err)
	}
	return response.StatusCode, said, nil
}

// healthy says that a member serves, by its own word.
func (c *Client) healthy(ctx context.Context, m Member) bool {
	for _, url := range m.ClientURLs {
		status, said, err := c.send(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/health", nil)
		var health struct {
			Health string `json:"health"`
		}
		if err == nil && status == http.StatusOK && json.Unmarshal(said, &health) == nil && health.Health == "true" {
			return true
		}
	}
	return false
}
