package bundle

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/opencontainers/go-digest"
)

// check says what in a manifest cannot be what it is for. What uses a manifest relies on it: digests are taken apart, and paths
// are written to as root.
func (m *Manifest) check() error {
	for _, c := range m.Components {
		for i, layer := range c.Layers {
			where := fmt.Sprintf("component %q, layer %d", c.Name, i+1)
			if err := checkBlob(where, layer.Digest, layer.Size); err != nil {
				return err
			}
			for _, f := range layer.Files {
				if err := f.check(where); err != nil {
					return err
				}
			}
		}
	}
	for _, image := range m.Images {
		if err := checkBlob(fmt.Sprintf("image %q", image.Name), image.Digest, image.Size); err != nil {
			return err
		}
	}
	return nil
}

func (f File) check(where string) error {
	where = fmt.Sprintf("%s, file %q", where, f.Path)
	if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" || strings.ContainsFunc(f.Path, unicode.IsControl) {
		return fmt.Errorf("%s: its path must be absolute, without . and .. and control characters", where)
	}
	if f.Mode > 0o7777 {
		return fmt.Errorf("%s: its mode %#o has more than permission bits", where, f.Mode)
	}
	return checkBlob(where, f.Digest, f.Size)
}

func checkBlob(where string, d digest.Digest, size int64) error {
	if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
		return fmt.Errorf("%s: its digest %q is no SHA-256 digest, sha256: and 64 hexadecimal digits", where, d)
	}
	if size < 0 {
		return fmt.Errorf("%s: its size is %d", where, size)
	}
	return nil
}
