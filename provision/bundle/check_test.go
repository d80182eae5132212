package bundle

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestManifestsThatCannotBe has a manifest with one wrong thing in each place.
func TestManifestsThatCannotBe(t *testing.T) {
	sum := digest.FromString("x")
	for name, c := range map[string]struct {
		change func(*Manifest)
		want   string
	}{
		"good":               {func(*Manifest) {}, ""},
		"layer":              {func(m *Manifest) { m.Components[0].Layers[0].Digest = "bad" }, `component "runc", layer 1: its digest "bad" is no SHA-256 digest`},
		"no layer digest":    {func(m *Manifest) { m.Components[0].Layers[0].Digest = "" }, `layer 1: its digest ""`},
		"layer of minus one": {func(m *Manifest) { m.Components[0].Layers[0].Size = -1 }, "layer 1: its size is -1"},
		"file":               {func(m *Manifest) { m.Components[0].Layers[0].Files[0].Digest = "sha256:" }, `file "/usr/bin/runc": its digest "sha256:" is no`},
		"another algorithm":  {func(m *Manifest) { m.Images[0].Digest = digest.Digest("sha512:" + strings.Repeat("a", 128)) }, `image "a": its digest "sha512:`},
		"relative":           {func(m *Manifest) { m.Components[0].Layers[0].Files[0].Path = "usr/bin/runc" }, "its path must be absolute"},
		"dots":               {func(m *Manifest) { m.Components[0].Layers[0].Files[0].Path = "/usr/../etc/shadow" }, "its path must be absolute"},
		"root":               {func(m *Manifest) { m.Components[0].Layers[0].Files[0].Path = "/" }, "its path must be absolute"},
		"new line":           {func(m *Manifest) { m.Components[0].Layers[0].Files[0].Path = "/a\nb" }, "its path must be absolute"},
		"mode":               {func(m *Manifest) { m.Components[0].Layers[0].Files[0].Mode = 0o100755 }, "its mode 0100755 has more"},
	} {
		m := Manifest{
			Components: []Component{{Name: "runc", Layers: []Layer{{Digest: sum, Files: []File{{Path: "/usr/bin/runc", Mode: 0o755, Digest: sum}}}}}},
			Images:     []Image{{Name: "a", Digest: sum}},
		}
		c.change(&m)
		if err := m.check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}
