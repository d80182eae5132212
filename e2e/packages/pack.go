package packages

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// config is what is used of nfpm's configuration. JSON is YAML.
type config struct {
	Name        string            `json:"name"`
	Arch        string            `json:"arch"`
	Version     string            `json:"version"`
	Release     string            `json:"release"`
	Section     string            `json:"section"`
	Priority    string            `json:"priority"`
	Maintainer  string            `json:"maintainer"`
	Description string            `json:"description"`
	Depends     []string          `json:"depends,omitempty"`
	Conflicts   []string          `json:"conflicts,omitempty"`
	Replaces    []string          `json:"replaces,omitempty"`
	Provides    []string          `json:"provides,omitempty"`
	Plain       bool              `json:"disable_globbing"`
	Contents    []content         `json:"contents,omitempty"`
	Scripts     map[string]string `json:"scripts,omitempty"`
	Deb         map[string]string `json:"deb"`
}

// content is a file, or a folder with all that is in it.
type content struct {
	Source      string `json:"src"`
	Destination string `json:"dst"`
	Type        string `json:"type,omitempty"`
}

// pack makes a package in the folder pool.
func (b *builder) pack(ctx context.Context, p pkg, pool string) error {
	text, err := json.Marshal(b.config(p))
	if err != nil {
		return err
	}
	file := filepath.Join(b.work, "nfpm.yaml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	_, err = run(ctx, b.work, b.log, filepath.Join(b.sets["nfpm"], "nfpm"),
		"package", "--packager", "deb", "--config", file, "--target", pool)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(b.log, "packed %s %s-%s\n", p.Name, p.Version, p.Revision)
	return err
}

func (b *builder) config(p pkg) config {
	c := config{
		Name: p.Name, Arch: b.recipe.Arch, Version: p.Version, Release: p.Revision,
		Section: p.Section, Priority: "optional", Maintainer: "Lab <lab@lab.fairlead.example>", Description: p.Description,
		Depends: p.Depends, Conflicts: p.Conflicts, Replaces: p.Replaces, Provides: p.Offers,
		Plain: true,
		Deb:   map[string]string{"compression": "zstd"}, // speed: a package is made once and installed often
	}
	files := filepath.Join(b.work, "files")
	for _, f := range p.Files {
		one := content{Source: filepath.Join(files, f.From), Destination: f.To}
		if f.Set != "" {
			one.Source = filepath.Join(b.sets[f.Set], f.From)
		}
		switch {
		case f.From == "":
			one.Type = "tree"
		case f.Kept:
			one.Type = "config"
		}
		c.Contents = append(c.Contents, one)
	}
	if p.Unit {
		c.Scripts = map[string]string{
			"postinstall": filepath.Join(files, "postinst"),
			"preremove":   filepath.Join(files, "prerm"),
			"postremove":  filepath.Join(files, "postrm"),
		}
	}
	return c
}
