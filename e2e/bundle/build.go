package bundle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Options say where to build. The zero value is good.
type Options struct {
	// Kubernetes is the version that the bundle is of. The default is what fairlead is developed against.
	Kubernetes string
	// Cache is the folder for what is built. The default is the folder that the
	// environment variable FAIRLEAD_CACHE names, or else fairlead/lab below the user's
	// cache folder.
	Cache string
	// Modules is the folder of the Go modules that pin what is built. The default is
	// e2e/modules of the Go module in which the process runs.
	Modules string
	// Log gets progress and the output of compilers. The default is nowhere.
	Log io.Writer
}

// Build returns the path of the bundle for this machine's architecture, and builds it
// first if it is not in the cache. The file is one tar of an OCI image layout; it is
// shared and must not be changed. A first build takes the better part of half an hour.
// Of several processes that build at once one builds and the others wait.
func Build(ctx context.Context, options Options) (path string, err error) {
	r, err := releaseOf(options.Kubernetes)
	if err != nil {
		return "", err
	}
	return build(ctx, r.recipe(), options)
}

// Program returns the path of a program that Build has made, such as "registry" of the set of
// that name. It is shared and must not be changed.
func Program(ctx context.Context, options Options, setName, name string) (string, error) {
	r, err := releaseOf(options.Kubernetes)
	if err != nil {
		return "", err
	}
	goVersion, modules, err := environment(ctx, options.Modules)
	if err != nil {
		return "", err
	}
	k, err := keysOf(r.recipe(), modules, goVersion)
	if err != nil {
		return "", err
	}
	c, err := openCache(options.Cache, logger{w: io.Discard})
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.path(kindSet, setName, k.sets[setName]), name)
	if !exists(path) {
		return "", fmt.Errorf("find program %s: no bundle was built with it", name)
	}
	return path, nil
}

// builder is one run of Build.
type builder struct {
	recipe  recipe
	keys    keys
	modules string
	cache   cache
	log     logger
}

func build(ctx context.Context, r recipe, options Options) (string, error) {
	if options.Log == nil {
		options.Log = io.Discard
	}
	log := logger{w: options.Log}
	goVersion, modules, err := environment(ctx, options.Modules)
	if err != nil {
		return "", err
	}
	k, err := keysOf(r, modules, goVersion)
	if err != nil {
		return "", err
	}
	c, err := openCache(options.Cache, log)
	if err != nil {
		return "", err
	}
	b := builder{recipe: r, keys: k, modules: modules, cache: c, log: log}
	if path := b.path(); exists(path) {
		return path, nil
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return "", err
	}
	if err := errors.Join(b.run(ctx), unlock()); err != nil {
		return "", err
	}
	return b.path(), nil
}

// environment asks the go command for its version and for the folder of the modules.
func environment(ctx context.Context, modules string) (goVersion, folder string, err error) {
	output, err := command{argv: []string{"go", "env", "GOVERSION", "GOMOD"}}.run(ctx)
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(output, "\n")
	if modules != "" {
		return lines[0], modules, nil
	}
	module := filepath.Dir(lines[1])
	for _, folder := range []string{filepath.Join(module, "modules"), filepath.Join(module, "e2e", "modules")} {
		if exists(folder) {
			return lines[0], folder, nil
		}
	}
	return "", "", fmt.Errorf("find folder of modules: %s holds none", module)
}

// kindBundle, kindSet and kindBase are the kinds of the cache's entries.
const (
	kindBundle = "bundle"
	kindSet    = "set"
	kindBase   = "base"
)

// path is where the bundle lies, or will lie.
func (b *builder) path() string {
	file := "fairlead-" + b.recipe.Kubernetes + "-" + b.recipe.Arch + ".oci.tar"
	return filepath.Join(b.cache.path(kindBundle, b.recipe.Kubernetes, b.keys.bundle), file)
}

// run builds everything that is missing. The caller holds the lock.
func (b *builder) run(ctx context.Context) error {
	p := parts{sets: map[string]string{}}
	var err error
	if b.recipe.Base.Suite != "" {
		p.base, err = b.cache.entry(kindBase, b.recipe.Base.Suite, b.keys.base, func(dir string) error {
			return b.buildBase(ctx, dir)
		})
		if err != nil {
			return err
		}
	}
	for _, s := range b.recipe.Sets {
		p.sets[s.Name], err = b.cache.entry(kindSet, s.Name, b.keys.sets[s.Name], func(dir string) error {
			return b.buildSet(ctx, s, dir)
		})
		if err != nil {
			return err
		}
	}
	if err := b.checkRequired(ctx, p); err != nil {
		return err
	}
	_, err = b.cache.entry(kindBundle, b.recipe.Kubernetes, b.keys.bundle, func(dir string) error {
		return b.assemble(ctx, p, dir)
	})
	return err
}

func (b *builder) buildBase(ctx context.Context, dir string) error {
	if err := ensurePackages(ctx, b.recipe.Base.Needs, b.log); err != nil {
		return err
	}
	return debianRoot(ctx, b.recipe.Base, b.recipe.Arch, dir, b.log)
}

func (b *builder) buildSet(ctx context.Context, s set, dir string) (err error) {
	if err := ensurePackages(ctx, s.Needs, b.log); err != nil {
		return err
	}
	module := filepath.Join(b.modules, s.Name)
	switch {
	case len(s.Product) > 0:
		module = productFolder(b.modules)
	case len(s.Copies) > 0:
		work, err := os.MkdirTemp(filepath.Dir(dir), "module-")
		if err != nil {
			return fmt.Errorf("make folder of a module: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
		if err := copyModules(ctx, s, module, work); err != nil {
			return err
		}
		module = work
	}
	return compile(ctx, s, module, dir, b.recipe.Arch, b.log)
}

// checkRequired fails when an image is missing that the required query prints.
func (b *builder) checkRequired(ctx context.Context, p parts) error {
	q := b.recipe.Required
	if q.Set == "" {
		return nil
	}
	argv := append([]string{filepath.Join(p.sets[q.Set], q.Binary)}, q.Args...)
	output, err := command{argv: argv}.run(ctx)
	if err != nil {
		return err
	}
	held := map[string]bool{}
	for _, i := range b.recipe.Images {
		held[i.Name] = true
	}
	var missing []string
	for _, name := range strings.Fields(output) {
		if !held[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("check images: %s needs %s, which the recipe lacks", q.Binary, strings.Join(missing, ", "))
	}
	return nil
}

// assemble writes the bundle into dir.
func (b *builder) assemble(ctx context.Context, p parts, dir string) (err error) {
	blobs, err := os.MkdirTemp(filepath.Dir(dir), "blobs-")
	if err != nil {
		return fmt.Errorf("make folder of blobs: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(blobs)) }()
	a := assembler{recipe: b.recipe, parts: p, store: &store{dir: blobs}}
	if err := a.manifest(ctx, b.log); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, filepath.Base(b.path())))
	if err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(a.store.writeTo(buffered), buffered.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}
