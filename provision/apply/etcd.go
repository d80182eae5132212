package apply

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"fairlead/provision/etcd"
	"fairlead/provision/plan"
)

// etcdPatience is how long it may take to look at etcd's members and to remove one.
const etcdPatience = time.Minute

// removeFormerMember asks the etcd of the control plane that the API server is reached through.
func (s *stepRun) removeFormerMember(ctx context.Context, a plan.RemoveFormerMember) error {
	_, via, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	var credentials etcd.Credentials
	for _, file := range []struct {
		path    string
		content *[]byte
	}{
		{"/etc/kubernetes/pki/etcd/ca.crt", &credentials.CA},
		{"/etc/kubernetes/pki/apiserver-etcd-client.crt", &credentials.Certificate},
		{"/etc/kubernetes/pki/apiserver-etcd-client.key", &credentials.Key},
	} {
		if *file.content, err = readOn(ctx, via, file.path); err != nil {
			return err
		}
	}
	client, err := etcd.New(loopback(a.Address), credentials, via.DialContext)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, etcdPatience)
	defer cancel()
	removed, err := client.RemoveFormer(ctx, a.Node, a.PeerURL())
	if err != nil {
		return fmt.Errorf("through %s: %w", via.Name(), err)
	}
	if removed {
		s.waiting("removed the etcd member that a former " + a.Node + " has left")
	}
	return nil
}

// loopback is where a member serves its own host, in the family of the cluster's addresses.
func loopback(address netip.Addr) string {
	if address.Is6() {
		return "https://[::1]:2379"
	}
	return "https://127.0.0.1:2379"
}
