package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
)

// Entry is something other than a bundle that is made of its programs once and kept in the
// cache, in a folder.
type Entry struct {
	Kind, Name string   // it is kept under
	Recipe     any      // all that decides what Fill makes, as JSON
	Sources    fs.FS    // files that do so, too: those of the package that makes it
	Needs      []string // Debian packages that Fill needs
	Fill       func(ctx context.Context, dir string) error
}

// Keep returns the folder of the entry, and has it filled first if it is not in the cache. The
// folder is shared and must not be changed. Of several processes one fills it and the others wait.
func Keep(ctx context.Context, options Options, e Entry) (dir string, err error) {
	if options.Log == nil {
		options.Log = io.Discard
	}
	h := sha256.New()
	if err := errors.Join(hashJSON(h, e.Recipe), hashTree(h, e.Sources, ".")); err != nil {
		return "", err
	}
	log := logger{w: options.Log}
	c, err := openCache(options.Cache, log)
	if err != nil {
		return "", err
	}
	key := keyOf(h)
	if dir := c.path(e.Kind, e.Name, key); exists(dir) {
		return dir, nil
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return c.entry(e.Kind, e.Name, key, func(dir string) error {
		if err := ensurePackages(ctx, e.Needs, log); err != nil {
			return err
		}
		return e.Fill(ctx, dir)
	})
}
