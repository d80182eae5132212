package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"fairlead/pki"
	"fairlead/provision/ledger"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// recordCluster writes down whose the host is. Only a CA that is not there is left out of the record.
func (s *stepRun) recordCluster(ctx context.Context, a plan.RecordCluster) error {
	record := ledger.Whose{Cluster: a.Name}
	ca, err := s.host.ReadFile(ctx, templates.CACertificate)
	if err == nil {
		record.CA, err = pki.CAHash(ca)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the host's CA: %w", err)
	}
	return s.write(ctx, templates.ClusterRecord, public, record.Text())
}
