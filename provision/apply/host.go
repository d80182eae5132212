package apply

import (
	"context"
	"fmt"
	"io/fs"

	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

// Modes of files: for root alone, and for everybody to read.
const (
	secret fs.FileMode = 0o600
	public fs.FileMode = 0o644
)

func (s *stepRun) putFile(ctx context.Context, a plan.PutFile) error {
	return s.write(ctx, a.Path, fs.FileMode(a.Mode), a.Content)
}

// write makes a file of root's on the step's host.
func (s *stepRun) write(ctx context.Context, path string, mode fs.FileMode, content []byte) error {
	_, err := s.host.WriteFile(ctx, remote.File{Path: path, Mode: mode, Content: content})
	return err
}

// readOn reads a file on a host that need not be the step's.
func readOn(ctx context.Context, host *remote.Host, path string) ([]byte, error) {
	content, err := host.ReadFile(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("on %s: %w", host.Name(), err)
	}
	return content, nil
}

func (s *stepRun) script(ctx context.Context, a plan.Script) error {
	_, err := s.host.Run(ctx, remote.Command{Script: a.Name.Text(), Argv: a.Args, Root: true, OnLine: s.output})
	if err != nil {
		return fmt.Errorf("%s: %w", a.Title, err)
	}
	return nil
}
