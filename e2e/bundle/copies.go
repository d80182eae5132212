package bundle

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// productFolder is the root of fairlead's own module.
func productFolder(modules string) string { return filepath.Dir(filepath.Dir(modules)) }

// copyModules makes a copy of a set's module in work, and in it those of its Copies.
func copyModules(ctx context.Context, s set, module, work string) error {
	if err := os.CopyFS(work, os.DirFS(module)); err != nil {
		return fmt.Errorf("copy module %s: %w", s.Name, err)
	}
	for _, c := range s.Copies {
		if err := copyModule(ctx, c, work); err != nil {
			return fmt.Errorf("copy module %s: %w", c.Module, err)
		}
	}
	return nil
}

func copyModule(ctx context.Context, c moduleCopy, work string) error {
	// In a folder without go.mod, so that no other module's requirements count.
	empty, err := os.MkdirTemp(work, "empty-")
	if err != nil {
		return err
	}
	env := []string{"GOFLAGS=-mod=mod", "GOWORK=off"}
	output, err := command{argv: []string{"go", "mod", "download", "-json", c.Module}, dir: empty, env: env}.run(ctx)
	if err != nil {
		return err
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal([]byte(output), &downloaded); err != nil {
		return fmt.Errorf("read what go mod download says: %w", err)
	}
	folder := filepath.Join(work, c.Folder)
	if err := os.CopyFS(folder, os.DirFS(downloaded.Dir)); err != nil {
		return err
	}
	for _, dropped := range c.Dropped {
		if err := os.RemoveAll(filepath.Join(folder, dropped)); err != nil {
			return err
		}
	}
	return os.CopyFS(folder, os.DirFS(folder+".files"))
}
