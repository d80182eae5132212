package templates

import (
	"fmt"
	"path"
	"strings"
	"testing"
)

// Every family has a golden file with all that hosts of it get told of repositories.
func TestFamilies(t *testing.T) {
	key := []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmirror\n-----END PGP PUBLIC KEY BLOCK-----\n")
	official := RepositorySource{URL: "https://pkgs.k8s.io/core:/stable:"}
	mirror := RepositorySource{URL: "http://mirror.lab:8080/k8s", Key: key}
	docker := RepositorySource{URL: "https://download.docker.com/linux"}
	dockerMirror := RepositorySource{URL: "http://mirror.lab:8080/docker", Key: key}
	seen := map[string]bool{}
	for _, family := range Families() {
		t.Run(family.ID, func(t *testing.T) {
			if seen[family.ID] {
				t.Error("stands twice")
			}
			seen[family.ID] = true
			var b strings.Builder
			fmt.Fprintf(&b, "%s: %s, containerd %q, Docker %q\n", family.Name, family.Manager, family.Containerd, family.Docker)
			for _, name := range []string{"kubelet", "kubeadm", "kubectl"} {
				fmt.Fprintln(&b, "pinned:", family.Pinned(name, "1.37.2"))
			}
			showRepository(&b, "Kubernetes", family.KubernetesRepository(official, "1.37"))
			showRepository(&b, "Kubernetes of a mirror with its key", family.KubernetesRepository(mirror, "1.34"))
			if family.DockerPath != "" {
				showRepository(&b, "Docker", family.DockerRepository(docker, "bookworm"))
				showRepository(&b, "Docker of a mirror with its key", family.DockerRepository(dockerMirror, "bookworm"))
			}
			golden(t, path.Join("packages", family.ID+".txt"), []byte(b.String()))
		})
	}
}

func showRepository(b *strings.Builder, title string, r PackageRepository) {
	fmt.Fprintf(b, "\n%s is called %s\n", title, r.Name)
	if r.KeyURL != "" {
		fmt.Fprintf(b, "its key comes from %s to %s\n", r.KeyURL, r.KeyPath)
	}
	for _, file := range r.Files {
		fmt.Fprintf(b, "--- %s, mode %04o\n%s", file.Path, file.Mode, file.Content)
	}
}

// What is said of a key is consistent: it is a file that is given or one that is fetched, and
// the definition, which comes last, names it.
func TestRepositoryKeys(t *testing.T) {
	for _, family := range Families() {
		for _, key := range [][]byte{nil, []byte("key")} {
			for _, r := range []PackageRepository{
				family.KubernetesRepository(RepositorySource{URL: "https://a.lab", Key: key}, "1.37"),
				family.DockerRepository(RepositorySource{URL: "https://a.lab", Key: key}, "bookworm"),
			} {
				files := 1
				if key != nil {
					files = 2
				}
				if len(r.Files) != files || r.Files[0].Secret {
					t.Fatalf("%s: %d files, want %d", r.Name, len(r.Files), files)
				}
				definition := string(r.Files[files-1].Content)
				if key != nil && (string(r.Files[0].Content) != "key" || !strings.Contains(definition, r.Files[0].Path)) {
					t.Errorf("%s does not name the key %s:\n%s", r.Name, r.Files[0].Path, definition)
				}
				fetched := key == nil && family.Manager == Apt
				if (r.KeyURL != "") != fetched || fetched && !strings.Contains(definition, "[signed-by="+r.KeyPath+"]") {
					t.Errorf("%s: its key is fetched from %q to %q:\n%s", r.Name, r.KeyURL, r.KeyPath, definition)
				}
				if family.Manager == Apt && r.Name != r.Files[files-1].Path || family.Manager == Dnf && !strings.Contains(definition, "["+r.Name+"]\n") {
					t.Errorf("%s is not the name of\n%s", r.Name, definition)
				}
				if strings.Contains(definition, "@") {
					t.Errorf("%s has marks left:\n%s", r.Name, definition)
				}
			}
		}
	}
}

func TestFamilyOf(t *testing.T) {
	for _, c := range []struct{ id, like, want string }{
		{"debian", "", "debian"},
		{"ubuntu", "debian", "ubuntu"},
		{"linuxmint", "ubuntu debian", "ubuntu"},
		{"raspbian", "debian", "debian"},
		{"rhel", "fedora", "rhel"},
		{"rocky", "rhel centos fedora", "rocky"},
		{"almalinux", "rhel centos fedora", "almalinux"},
		{"cloudlinux", "rhel fedora centos", "rhel"},
		{"amzn", "fedora", "amzn"},
		{"nobara", "unheard fedora", "fedora"},
		{"", "", ""}, {"alpine", "", ""}, {"opensuse-leap", "suse opensuse", ""}, {"Debian", "", ""},
	} {
		family, known := FamilyOf(c.id, c.like)
		if family.ID != c.want || known != (c.want != "") {
			t.Errorf("%q like %q is of the family %q, known: %v, want %q", c.id, c.like, family.ID, known, c.want)
		}
	}
}
