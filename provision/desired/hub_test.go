package desired

import (
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/templates"
	"fairlead/templates/images"
)

// containerd asks registry-1.docker.io for the images of docker.io, and looks for credentials by
// the host that it asks. So the file, the credentials and the copies say that, whichever of its
// names the inventory has.
func TestDockerHubIsOneRegistry(t *testing.T) {
	for _, name := range []string{"docker.io", "index.docker.io", "registry-1.docker.io"} {
		wish := State{
			Cluster: &inventory.Cluster{},
			Registries: []Registry{
				{Registry: inventory.Registry{Host: name, User: "u"}, Password: "p", CAPEM: []byte(testCA)},
				{Registry: inventory.Registry{Host: "mirror.lab", Mirrors: []inventory.Mirror{{Of: name}}}},
			},
			Needs: []ImageNeed{
				{Origin: "docker.io/library/nginx:1", Name: "docker.io/library/nginx:1", Pulled: true},
				{Origin: "registry-1.docker.io/library/redis:1", Name: "registry-1.docker.io/library/redis:1", Pulled: true},
			},
		}
		servers := map[string]string{}
		for _, file := range wish.RegistryFiles() {
			for line := range strings.Lines(string(file.Content)) {
				if strings.HasPrefix(line, "server = ") || strings.HasPrefix(line, "ca = ") || strings.HasPrefix(line, "[host.") {
					servers[strings.TrimPrefix(file.Path, templates.RegistryCertsFolder+"/")] += line
				}
			}
		}
		want := "server = \"https://registry-1.docker.io\"\nca = \"/etc/containerd/certs.d/docker.io/ca.crt\"\n[host.\"https://mirror.lab\"]\n"
		for _, file := range []string{"docker.io/hosts.toml", "registry-1.docker.io/hosts.toml"} {
			if got := servers[file]; got != want {
				t.Errorf("%s: %s says\n%s", name, file, got)
			}
		}
		if got := wish.Credentials(); len(got) != 1 || got[0].Host != "registry-1.docker.io" {
			t.Errorf("%s: credentials of %v", name, got)
		}
		for _, to := range []string{"docker.io", "index.docker.io", "registry-1.docker.io"} {
			if _, origins, elsewhere, err := wish.MirrorItems(to); err != nil || len(elsewhere) > 0 || len(origins) != 2 {
				t.Errorf("%s: to %s: %v, %v, %v", name, to, origins, elsewhere, err)
			}
			if at := wish.Origin(to); at.Host != "registry-1.docker.io" || at.User != "u" {
				t.Errorf("%s: %s is reached by %+v", name, to, at)
			}
		}
	}
}

func TestRulesKnowTheNamesOfDockerHub(t *testing.T) {
	rules, err := images.NewRules([]images.Rule{{From: "registry-1.docker.io", To: "registry.lab/hub"}, {From: "quay.io", To: "index.docker.io/mine"}})
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"nginx:1":                              "registry.lab/hub/library/nginx:1",
		"docker.io/library/nginx:1":            "registry.lab/hub/library/nginx:1",
		"index.docker.io/nginx:1":              "registry.lab/hub/library/nginx:1",
		"registry-1.docker.io/library/nginx:1": "registry.lab/hub/library/nginx:1",
		"quay.io/a/b:1":                        "docker.io/mine/a/b:1",
	} {
		if got, err := rules.Rewrite(ref); err != nil || got != want {
			t.Errorf("%s becomes %s, %v, want %s", ref, got, err, want)
		}
	}
}
