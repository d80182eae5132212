package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// cacheVariable names the environment variable that moves the cache folder.
const cacheVariable = "FAIRLEAD_CACHE"

// lockInterval is how often a builder looks whether another one has finished.
const lockInterval = 200 * time.Millisecond

// cache is a folder of entries. An entry is a folder that is made under another name
// and renamed when it is whole, and never changed after.
type cache struct {
	dir string
	log logger
}

// openCache makes the cache folder if need be. An empty dir means the folder that
// the environment names, or fairlead/lab below the user's cache folder.
func openCache(dir string, log logger) (cache, error) {
	if dir == "" {
		dir = os.Getenv(cacheVariable)
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return cache{}, fmt.Errorf("find cache folder: %w", err)
		}
		dir = filepath.Join(user, "fairlead", "lab")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return cache{}, fmt.Errorf("find cache folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return cache{}, fmt.Errorf("make cache folder: %w", err)
	}
	return cache{dir: dir, log: log}, nil
}

// path is where the entry of that kind, name and key lies, or will lie.
func (c cache) path(kind, name, key string) string {
	return filepath.Join(c.dir, kind, name+"-"+key)
}

// entry returns the folder of an entry, and fills it first if it is not there.
// The caller holds the lock.
func (c cache) entry(kind, name, key string, fill func(dir string) error) (string, error) {
	target := c.path(kind, name, key)
	if exists(target) {
		c.log.printf("%s %s: cached", kind, name)
		return target, nil
	}
	c.log.printf("%s %s: building", kind, name)
	start := time.Now()
	temporary, err := os.MkdirTemp(filepath.Join(c.dir, "tmp"), kind+"-")
	if err != nil {
		return "", fmt.Errorf("make cache entry: %w", err)
	}
	if err := fill(temporary); err != nil {
		return "", errors.Join(fmt.Errorf("build %s %s: %w", kind, name, err), os.RemoveAll(temporary))
	}
	if err := publish(temporary, target); err != nil {
		return "", errors.Join(fmt.Errorf("keep %s %s: %w", kind, name, err), os.RemoveAll(temporary))
	}
	c.log.printf("%s %s: built in %s", kind, name, time.Since(start).Round(time.Second/10))
	return target, nil
}

func publish(temporary, target string) error {
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.Rename(temporary, target)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lock waits until no other process builds into the cache, and removes what killed
// ones left. The returned function gives the lock back.
func (c cache) lock(ctx context.Context) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := c.wait(ctx, f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	if err := c.sweep(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

func (c cache) wait(ctx context.Context, f *os.File) error {
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if !told {
			c.log.printf("another process builds into %s: waiting", c.dir)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// sweep removes unfinished entries; whoever holds the lock knows that nobody fills them.
func (c cache) sweep() error {
	left, err := os.ReadDir(filepath.Join(c.dir, "tmp"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep cache: %w", err)
	}
	for _, entry := range left {
		if err := os.RemoveAll(filepath.Join(c.dir, "tmp", entry.Name())); err != nil {
			return fmt.Errorf("sweep cache: %w", err)
		}
	}
	return nil
}
