package bundle

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
)

// sources are this package's own files: a bundle that another builder assembled is
// another bundle.
//
//go:embed *.go
var sources embed.FS

// keyLength is how many hex digits of a hash name an entry of the cache.
const keyLength = 16

// keys are the names in the cache of everything that a recipe makes.
type keys struct {
	sets   map[string]string
	base   string
	bundle string
}

// keysOf computes the keys. goVersion is what "go env GOVERSION" says.
func keysOf(r recipe, modules, goVersion string) (keys, error) {
	k := keys{sets: map[string]string{}}
	all := sha256.New()
	for _, s := range r.Sets {
		h := sha256.New()
		if err := hashJSON(h, []any{s, r.Arch, goVersion}); err != nil {
			return keys{}, err
		}
		if err := hashSources(h, s, modules); err != nil {
			return keys{}, fmt.Errorf("hash module %s: %w", s.Name, err)
		}
		k.sets[s.Name] = keyOf(h)
	}
	h := sha256.New()
	root := r.Base
	root.Drop = nil // does its work when the bundle is assembled
	if err := hashJSON(h, []any{root, r.Arch}); err != nil {
		return keys{}, err
	}
	k.base = keyOf(h)
	if err := hashJSON(all, []any{r, k.sets, k.base, goVersion}); err != nil {
		return keys{}, err
	}
	if err := hashTree(all, sources, "."); err != nil {
		return keys{}, fmt.Errorf("hash builder: %w", err)
	}
	k.bundle = keyOf(all)
	return k, nil
}

// hashSources adds all that a set is built from, but for the modules that go.sum pins.
func hashSources(h hash.Hash, s set, modules string) error {
	if len(s.Product) == 0 {
		return hashTree(h, os.DirFS(modules), s.Name)
	}
	for _, source := range s.Product {
		if err := hashTree(h, os.DirFS(productFolder(modules)), source); err != nil {
			return err
		}
	}
	return nil
}

func keyOf(h hash.Hash) string {
	return hex.EncodeToString(h.Sum(nil))[:keyLength]
}

func hashJSON(h hash.Hash, v any) error {
	if err := json.NewEncoder(h).Encode(v); err != nil {
		return fmt.Errorf("hash recipe: %w", err)
	}
	return nil
}

// hashTree adds the path and content of every regular file below dir, but for tests.
func hashTree(h hash.Hash, files fs.FS, dir string) error {
	return fs.WalkDir(files, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(h, "%s %d\n", name, len(content))
		if err == nil {
			_, err = io.WriteString(h, string(content))
		}
		return err
	})
}
