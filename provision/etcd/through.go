package etcd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// Where kubeadm keeps what the API server shows to etcd.
const (
	caFile          = "/etc/kubernetes/pki/etcd/ca.crt"
	certificateFile = "/etc/kubernetes/pki/apiserver-etcd-client.crt"
	keyFile         = "/etc/kubernetes/pki/apiserver-etcd-client.key"
)

// Host is a control plane with a member of etcd, and what a client of etcd needs.
type Host interface {
	Name() string
	ReadFile(ctx context.Context, path string) ([]byte, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Through makes a client that asks the member of a host, over the connection to that host and with the credentials that the
// host's API server has. They are held in memory only. family is any address of the cluster's hosts.
func Through(ctx context.Context, host Host, family netip.Addr) (*Client, error) {
	var credentials Credentials
	for _, file := range []struct {
		path    string
		content *[]byte
	}{
		{caFile, &credentials.CA},
		{certificateFile, &credentials.Certificate},
		{keyFile, &credentials.Key},
	} {
		content, err := host.ReadFile(ctx, file.path)
		if err != nil {
			return nil, fmt.Errorf("on %s: %w", host.Name(), err)
		}
		*file.content = content
	}
	return New(loopback(family), credentials, host.DialContext)
}

// loopback is where a member serves its own host, in the family of the cluster's addresses.
func loopback(family netip.Addr) string {
	if family.Is6() {
		return "https://[::1]:2379"
	}
	return "https://127.0.0.1:2379"
}
