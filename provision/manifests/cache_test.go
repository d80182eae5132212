package manifests

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCacheIsAskedFirst(t *testing.T) {
	text := configMap("a")
	s := newSite(t, says(text))
	cached := s.source()
	cached.CacheDir = filepath.Join(t.TempDir(), "below", "cache")
	hash := sum([]byte(text))
	for i := range 3 {
		if i == 2 {
			cached.Client = nil // a run without a network
		}
		got, err := fetched(t.Context(), cached, s.URL, hash)
		if err != nil || got != text || s.requests.Load() != 1 {
			t.Errorf("run %d: got %q, %v after %d requests", i, got, err, s.requests.Load())
		}
	}
	files, err := os.ReadDir(cached.CacheDir)
	if err != nil || len(files) != 1 || files[0].Name() != hash {
		t.Errorf("the cache holds %v, %v", files, err)
	}
	if info, err := os.Stat(cached.CacheDir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache has %v, %v", info.Mode(), err)
	}
}

func TestCacheThatIsBroken(t *testing.T) {
	text := configMap("a")
	s := newSite(t, says(text))
	hash := sum([]byte(text))
	folder := write(t, map[string]string{hash: configMap("another")})
	cached := Source{Client: s.Client(), CacheDir: folder}
	for range 2 {
		if got, err := fetched(t.Context(), cached, s.URL, hash); err != nil || got != text || s.requests.Load() != 1 {
			t.Errorf("got %q, %v after %d requests", got, err, s.requests.Load())
		}
	}
	if err := os.WriteFile(filepath.Join(folder, hash), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	cached.Client = nil
	if got, err := fetched(t.Context(), cached, s.URL, hash); !errors.Is(err, ErrDownload) || got != "" {
		t.Errorf("without a network: got %q, %v", got, err)
	}
}

func TestCacheTakesNothingElse(t *testing.T) {
	s := newSite(t, says("x"))
	missing := newSite(t, http.NotFound)
	folder := t.TempDir()
	for address, client := range map[string]*http.Client{s.URL: s.Client(), missing.URL: missing.Client()} {
		if _, err := fetched(t.Context(), Source{Client: client, CacheDir: folder}, address, sum([]byte("y"))); err == nil {
			t.Errorf("%s has the wrong content", address)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("the cache holds %v, %v", files, err)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	s := newSite(t, says("x"))
	hash := sum([]byte("x"))
	file := filepath.Join(write(t, map[string]string{"file": ""}), "file")
	taken := write(t, map[string]string{hash + "/below": ""})
	for what, folder := range map[string]string{"a file in place of the folder": file, "a folder in place of the file": taken} {
		got, err := fetched(t.Context(), Source{Client: s.Client(), CacheDir: folder}, s.URL, hash)
		if err == nil || !strings.HasPrefix(err.Error(), "keep the manifest: ") || got != "" {
			t.Errorf("%s: got %q, %v", what, got, err)
		}
	}
	if files, err := os.ReadDir(taken); err != nil || len(files) != 1 {
		t.Errorf("something is left: %v, %v", files, err)
	}
}
