package provision

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"fairlead/pki"
	"fairlead/provision/event"
	"fairlead/provision/kube"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// reachPatience is how long the API server's address may take to answer that may be behind a firewall.
const reachPatience = 3 * time.Second

// Kubeconfig reads the administrator's kubeconfig from the first control plane that has
// one, with its entries named after the cluster, and with the inventory's endpoint for people. It holds a private key.
func (s *Session) Kubeconfig(ctx context.Context) ([]byte, error) {
	content, _, err := s.adminConf(ctx)
	if public := s.wish.Cluster.ControlPlane.PublicEndpoint; err == nil && public != "" {
		return pki.PointKubeconfig(content, public, "")
	}
	return content, err
}

// Reach says whether a kubeconfig's server can be reached from this machine, without SSH: nil when it answers with a certificate
// of the cluster's CA for that name.
func (s *Session) Reach(ctx context.Context, kubeconfig []byte) error {
	ctx, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	return kube.Reach(ctx, kubeconfig, (&net.Dialer{}).DialContext)
}

// adminConf reads the administrator's kubeconfig, and says from which host it came.
func (s *Session) adminConf(ctx context.Context) (content []byte, host string, err error) {
	var errs []error
	for _, host := range s.wish.Cluster.ControlPlane.Hosts {
		failure := func(err error) error {
			return &event.StepError{Host: host.Name, Step: plan.StepID(host.Name, "kubeconfig"), Title: "read the kubeconfig", Err: err}
		}
		connection, err := s.connections.Host(ctx, host.Name)
		if err != nil {
			errs = append(errs, failure(err))
			continue
		}
		content, err := connection.ReadFile(ctx, templates.AdminConf)
		if err != nil {
			errs = append(errs, failure(fmt.Errorf("read %s: %w", templates.AdminConf, err)))
			continue
		}
		content, err = pki.RenameKubeconfig(content, s.wish.Cluster.Name)
		return content, host.Name, err
	}
	return nil, "", errors.Join(errs...)
}
