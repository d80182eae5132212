package manifests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"fairlead/inventory"
)

// maxSize bounds a manifest, in bytes: far more than an API server takes of one.
const maxSize = 32 << 20

// ErrTooLarge says that a manifest has more bytes than a manifest can have.
var ErrTooLarge = errors.New("it is larger than 32 MiB")

// Source reads manifests.
type Source struct {
	// Client fetches URLs; nil refuses them.
	Client *http.Client
	// CacheDir keeps what was fetched, by its hash; empty for no cache.
	CacheDir string
}

// Text is a manifest as it was read, with its patches applied: a stream of YAML documents, or
// JSON.
type Text struct {
	Origin  string // the file, the folder or the URL, for messages
	Content []byte
}

// Load reads a manifest. Without patches a file's bytes are returned as they are.
func (s Source) Load(ctx context.Context, m inventory.Manifest) (Text, error) {
	text, err := s.read(ctx, m)
	if err != nil || len(m.Patches) == 0 {
		return text, err
	}
	if text.Content, err = patch(text.Content, m.Patches); err != nil {
		return text, fmt.Errorf("patch %s: %w", text.Origin, err)
	}
	return text, nil
}

func (s Source) read(ctx context.Context, m inventory.Manifest) (Text, error) {
	if m.URL != "" {
		text := Text{Origin: redacted(m.URL)}
		var err error
		text.Content, err = s.fetch(ctx, m.URL, m.SHA256)
		return text, err
	}
	text := Text{Origin: m.Path}
	info, err := os.Stat(m.Path)
	switch {
	case err != nil:
		return text, fmt.Errorf("read the manifest: %w", err)
	case info.IsDir():
		text.Content, err = build(m.Path)
	default:
		text.Content, err = readFile(m.Path)
	}
	return text, err
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	content, err := readBounded(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
}

func readBounded(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(content) > maxSize {
		err = ErrTooLarge
	}
	return content, err
}

// kustomizationIn returns the name of the folder's kustomization, by the names that kustomize
// knows.
func kustomizationIn(folder string) (string, error) {
	names := []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return name, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	found, err := filepath.Glob(filepath.Join(folder, "*.y*ml"))
	if err != nil {
		return "", err
	}
	for i, file := range found {
		found[i] = filepath.Base(file)
	}
	hint := "name a file instead"
	if len(found) > 0 {
		hint = "name its files one by one, or list them as resources of a kustomization.yaml: " + strings.Join(found, ", ")
	}
	return "", fmt.Errorf("the folder %s has no %s; %s", folder, names[0], hint)
}
