package provision

import (
	"context"
	"errors"
	"fmt"

	"fairlead/pki"
)

// Kubeconfig reads the administrator's kubeconfig from the first control plane that has
// one, with its entries named after the cluster. It holds a private key.
func (s *Session) Kubeconfig(ctx context.Context) ([]byte, error) {
	var errs []error
	for _, host := range s.wish.Cluster.ControlPlane.Hosts {
		connection, err := s.connect(ctx, host)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", host.Name, err))
			continue
		}
		content, err := connection.ReadFile(ctx, adminConf)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: read %s: %w", host.Name, adminConf, err))
			continue
		}
		return pki.RenameKubeconfig(content, s.wish.Cluster.Name)
	}
	return nil, errors.Join(errs...)
}
