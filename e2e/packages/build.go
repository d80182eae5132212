package packages

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fairlead/e2e/bundle"
)

// sources are what makes the repositories: those that another builder made are others.
//
//go:embed build.go debian.go index.go pack.go run.go table.go files
var sources embed.FS

// Options say where to build. The zero value is good.
type Options struct {
	Cache string    // folder for what is built; the default is bundle.Options' one
	Log   io.Writer // gets progress; the default is nowhere
}

// Repositories are apt repositories in a folder, which is shared and must not be changed.
type Repositories struct {
	Folder string

	fileserver string // program that serves it
}

// builder is one making of the repositories.
type builder struct {
	recipe recipe
	sets   map[string]string // folders of the programs
	work   string            // folder for what is needed for a while
	dir    string            // folder of the repositories
	log    io.Writer
}

// Build returns the repositories, and makes them first if they are not in the cache: the
// programs in them, too, as bundle.Build does, and that takes the better part of half an hour.
func Build(ctx context.Context, options Options) (*Repositories, error) {
	if options.Log == nil {
		options.Log = io.Discard
	}
	where := bundle.Options{Cache: options.Cache, Log: options.Log}
	if _, err := bundle.Build(ctx, where); err != nil {
		return nil, err
	}
	sets, err := programs(ctx, where)
	if err != nil {
		return nil, err
	}
	b := builder{recipe: defaultRecipe(), sets: sets, log: options.Log}
	dir, err := bundle.Keep(ctx, where, bundle.Entry{
		Kind: "packages", Name: b.recipe.Root.Suite, Recipe: b.identity(), Sources: sources,
		Needs: []string{"dpkg", "mmdebstrap"}, Fill: b.fill,
	})
	if err != nil {
		return nil, err
	}
	return &Repositories{Folder: dir, fileserver: filepath.Join(sets["fileserver"], "fileserver")}, nil
}

// programs finds the folders of the programs that are packed or that help. Each is named by one
// of its programs.
func programs(ctx context.Context, where bundle.Options) (map[string]string, error) {
	sets := map[string]string{}
	for set, program := range map[string]string{
		"kubernetes": "kubelet", "cniplugins": "bridge", "containerd": "containerd", "runc": "runc",
		"nfpm": "nfpm", "signer": "signer", "fileserver": "fileserver",
	} {
		path, err := bundle.Program(ctx, where, set, program)
		if err != nil {
			return nil, err
		}
		sets[set] = filepath.Dir(path)
	}
	return sets, nil
}

// identity is the recipe and the hashes of the programs, which are in their folders' names.
func (b *builder) identity() any {
	hashes := map[string]string{}
	for set, folder := range b.sets {
		if set != "fileserver" { // serves the repositories and is not in them
			hashes[set] = filepath.Base(folder)
		}
	}
	return []any{b.recipe, hashes}
}

// fill makes all repositories in dir.
func (b *builder) fill(ctx context.Context, dir string) (err error) {
	b.dir = dir
	if b.work, err = os.MkdirTemp(filepath.Dir(dir), "work-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	if err := os.CopyFS(b.work, sources); err != nil {
		return fmt.Errorf("copy files of packages: %w", err)
	}
	for _, r := range b.recipe.Repositories {
		if err := b.packages(ctx, r); err != nil {
			return err
		}
		if err := b.index(ctx, r); err != nil {
			return fmt.Errorf("index %s: %w", r.Folder, err)
		}
	}
	for _, k := range b.recipe.Keys {
		if err := b.sign(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// packages fills the pool of a repository.
func (b *builder) packages(ctx context.Context, r repository) error {
	pool := filepath.Join(b.dir, r.Folder, r.Pool)
	if err := os.MkdirAll(pool, 0o755); err != nil {
		return fmt.Errorf("make pool: %w", err)
	}
	for _, p := range r.Packages {
		if err := b.pack(ctx, p, pool); err != nil {
			return fmt.Errorf("pack %s: %w", p.Name, err)
		}
	}
	if len(r.Distribution) == 0 {
		return nil
	}
	if err := b.fetch(ctx, r.Distribution, pool); err != nil {
		return fmt.Errorf("fetch packages of Debian: %w", err)
	}
	return nil
}

// sign makes a key and signs repositories with it.
func (b *builder) sign(ctx context.Context, k key) error {
	argv := []string{filepath.Join(b.sets["signer"], "signer"), filepath.Join(b.dir, k.Public), k.Name}
	for _, r := range b.recipe.Repositories {
		for _, folder := range k.Signs {
			if folder == r.Folder {
				argv = append(argv, filepath.Join(b.dir, r.Folder, r.Release, "Release"))
			}
		}
	}
	_, err := run(ctx, b.work, b.log, argv...)
	return err
}
