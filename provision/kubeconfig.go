package provision

import (
	"context"
	"errors"
	"fmt"

	"fairlead/pki"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// Kubeconfig reads the administrator's kubeconfig from the first control plane that has
// one, with its entries named after the cluster. It holds a private key.
func (s *Session) Kubeconfig(ctx context.Context) ([]byte, error) {
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
		return pki.RenameKubeconfig(content, s.wish.Cluster.Name)
	}
	return nil, errors.Join(errs...)
}
