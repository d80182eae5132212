package apply

import (
	"context"
	"fmt"
	"io/fs"

	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

func (s *stepRun) putFile(ctx context.Context, a plan.PutFile) error {
	_, err := s.host.WriteFile(ctx, remote.File{Path: a.Path, Mode: fs.FileMode(a.Mode), Content: a.Content})
	if err != nil {
		return fmt.Errorf("write %s: %w", a.Path, err)
	}
	return nil
}

func (s *stepRun) script(ctx context.Context, a plan.Script) error {
	_, err := s.host.Run(ctx, remote.Command{Script: a.Name.Text(), Argv: a.Args, Root: true, OnLine: s.output})
	if err != nil {
		return fmt.Errorf("%s: %w", a.Title, err)
	}
	return nil
}
