package bundle

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func testCache(t *testing.T) cache {
	t.Helper()
	c, err := openCache(t.TempDir(), logger{w: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEntryIsFilledOnce(t *testing.T) {
	c := testCache(t)
	filled := 0
	fill := func(dir string) error {
		filled++
		return os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
	}
	for range 2 {
		dir, err := c.entry("set", "one", "key", fill)
		if err != nil || !exists(filepath.Join(dir, "file")) {
			t.Fatalf("entry is %s, %v", dir, err)
		}
	}
	if filled != 1 {
		t.Errorf("filled %d times", filled)
	}
}

func TestFailedEntryIsNotKept(t *testing.T) {
	c := testCache(t)
	cause := errors.New("no space left")
	if _, err := c.entry("set", "one", "key", func(string) error { return cause }); !errors.Is(err, cause) {
		t.Errorf("error is %v", err)
	}
	if exists(c.path("set", "one", "key")) {
		t.Error("entry is there")
	}
	checkLeftovers(t, c.dir)
}

// TestLock: one at a time, and the next one cleans up what a killed one left.
func TestLock(t *testing.T) {
	c := testCache(t)
	unlock, err := c.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.dir, "tmp", "set-1", "half"), "")
	waiting, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.lock(waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("second lock gave %v", err)
	}
	if !exists(filepath.Join(c.dir, "tmp", "set-1")) {
		t.Error("entry was removed by one that does not hold the lock")
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = c.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	checkLeftovers(t, c.dir)
}

func TestCacheFolder(t *testing.T) {
	named := t.TempDir()
	t.Setenv(cacheVariable, named)
	c, err := openCache("", logger{w: io.Discard})
	if err != nil || c.dir != named {
		t.Errorf("cache is %s, %v; want %s", c.dir, err, named)
	}
}
