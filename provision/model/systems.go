package model

import (
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// OnSystem makes a host one of another operating system, as packages are got there.
func OnSystem(id, like string, packages ...string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.OS = facts.OS{ID: id, Like: like, Name: id, Codename: "bookworm"}
		h.Candidates["containerd"] = ""
		if id == "debian" {
			h.Candidates["containerd"] = packageModels()[templates.PackageContainerd].version
		}
		for _, name := range packages { // the user's, from before
			for _, repository := range []string{"docker", "kubernetes"} {
				world.Written(h, index(repository), 0o644, []byte("of the user, /v1.37/ and /v1.36/"))
			}
			name, version, _ := strings.Cut(name, " ")
			if err := installPackage(h, name, version); err != nil {
				panic(err)
			}
			delete(h.Files, index("docker"))
			delete(h.Files, index("kubernetes"))
			delete(h.Contents, index("docker"))
			delete(h.Contents, index("kubernetes"))
		}
	}
}
