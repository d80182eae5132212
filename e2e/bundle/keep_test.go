package bundle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// TestKeep: an entry is made once, again when its recipe or its sources change, and never half.
func TestKeep(t *testing.T) {
	cache := t.TempDir()
	filled := 0
	e := Entry{Kind: "kind", Name: "name", Recipe: "one", Sources: fstest.MapFS{"a.go": {Data: []byte("a")}}}
	e.Fill = func(_ context.Context, dir string) error {
		filled++
		write(t, filepath.Join(dir, "file"), "content")
		return nil
	}
	keep := func(want int) string {
		t.Helper()
		dir, err := Keep(t.Context(), Options{Cache: cache}, e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
			t.Error(err)
		}
		if filled != want {
			t.Errorf("filled %d times, want %d", filled, want)
		}
		return dir
	}
	first := keep(1)
	if second := keep(1); second != first {
		t.Errorf("entry is %s, then %s", first, second)
	}
	e.Recipe = "two"
	keep(2)
	e.Sources = fstest.MapFS{"a.go": {Data: []byte("b")}}
	keep(3)

	broken := errors.New("broken")
	e.Recipe, e.Fill = "three", func(context.Context, string) error { return broken }
	if _, err := Keep(t.Context(), Options{Cache: cache}, e); !errors.Is(err, broken) {
		t.Errorf("error is %v, want %v", err, broken)
	}
	checkLeftovers(t, cache)
}
