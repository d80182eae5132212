package plan

import (
	"slices"
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// What the inventory does not want any more is taken away where fairlead has written it, and only there: a file that nobody
// has recorded, and one that is back as it was, are the user's.
func TestWithdrawnFiles(t *testing.T) {
	wish := world.State(t, nil)
	for _, path := range []string{
		templates.RegistryCertsFolder + "/docker.io/hosts.toml", templates.ProxyFile, templates.ProxyDropInPath(templates.ContainerdService),
		templates.ProxyDropInPath(templates.KubeletService), templates.RegistryCredentials(nil, templates.Containerd{}).Path,
	} {
		for name, c := range map[string]struct {
			was  string // how the ledger says that it was; empty: it says nothing
			want bool
		}{
			"nobody has recorded it":             {"", false},
			"it was absent":                      {"absent", true},
			"it was another one":                 {"saved 0123456789abcdef 5 cafe", true},
			"it was another one, once":           {"saved 0123456789abcdef", true},
			"it was another one, and is so back": {"saved 0123456789abcdef 5 beef", false},
		} {
			seen := world.Converged(t, wish)
			world.ChangeHost(seen, "w1", func(h *facts.Host) {
				h.Files[path] = facts.File{Mode: 0o644, SHA256: "beef"}
				if c.was != "" {
					h.Ledger = append(h.Ledger, ledger.Entry{Kind: ledger.File, Key: path, Was: c.was})
				}
			})
			removed := false
			for _, step := range Make(wish, seen).Steps {
				for _, action := range step.Actions {
					script, ok := action.(Script)
					removed = removed || ok && script.Name == templates.ScriptRemoveFiles && slices.Contains(script.Args, path)
				}
			}
			if removed != c.want {
				t.Errorf("%s, %s: it is taken away: %v", path, name, removed)
			}
		}
	}
}
