package apply

import (
	"context"
	"fmt"

	"fairlead/provision/ledger"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// record makes the host's ledger hold how things are, before a step touches them.
func (s *stepRun) record(ctx context.Context, touched []ledger.Touch) error {
	if len(touched) == 0 {
		return nil
	}
	args := make([]string, len(touched))
	for i, t := range touched {
		args[i] = t.String()
	}
	if _, err := s.host.Run(ctx, remote.Command{Script: templates.ScriptRecord.Text(), Argv: args, Root: true}); err != nil {
		return fmt.Errorf("record the former state in %s/ledger: %w", templates.StateFolder, err)
	}
	return nil
}
