package kube

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	"k8s.io/client-go/rest"
)

// Reach connects to a kubeconfig's server by dial and verifies its certificate against the kubeconfig's CA. It asks nothing, and
// a proxy of the environment is not used.
func Reach(ctx context.Context, kubeconfig []byte, dial DialFunc) error {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	settings, err := rest.TLSConfigFor(config)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	settings.ServerName = cmp.Or(settings.ServerName, server.Hostname())
	conn, err := dial(ctx, "tcp", net.JoinHostPort(server.Hostname(), cmp.Or(server.Port(), "443")))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it was only looked at
	return tls.Client(conn, settings).HandshakeContext(ctx)
}
