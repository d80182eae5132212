package packages

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRecipe finds slips in the table before a lab does.
func TestRecipe(t *testing.T) {
	r := defaultRecipe()
	signed := map[string]int{}
	for _, k := range r.Keys {
		for _, folder := range k.Signs {
			signed[folder]++
		}
	}
	for _, repository := range r.Repositories {
		if signed[repository.Folder] != 1 {
			t.Errorf("%s is signed %d times, want once", repository.Folder, signed[repository.Folder])
		}
		if !strings.HasPrefix(repository.Index, repository.Release) {
			t.Errorf("%s: index %s is not below the Release file's folder %s", repository.Folder, repository.Index, repository.Release)
		}
		for _, p := range repository.Packages {
			checkPackage(t, p)
		}
	}
	if len(signed) != len(r.Repositories) {
		t.Errorf("%d folders are signed, there are %d repositories", len(signed), len(r.Repositories))
	}
	if signs := r.Keys[len(r.Keys)-1].Signs; len(signs) > 0 {
		t.Errorf("the other key signs %v", signs)
	}
}

func checkPackage(t *testing.T, p pkg) {
	t.Helper()
	if p.Version == "" || p.Revision == "" || p.Section == "" || p.Description == "" {
		t.Errorf("package %s lacks a field: %+v", p.Name, p)
	}
	unit := false
	for _, f := range p.Files {
		if _, err := fs.Stat(sources, "files/"+f.From); f.Set == "" && err != nil {
			t.Error(err)
		}
		unit = unit || strings.HasSuffix(f.To, "/"+strings.TrimSuffix(p.Name, ".io")+".service")
	}
	if unit != p.Unit {
		t.Errorf("package %s holds its unit: %t, starts it: %t", p.Name, unit, p.Unit)
	}
}

// TestFolders: the folders are those of pkgs.k8s.io and download.docker.com.
func TestFolders(t *testing.T) {
	if got := kubernetesFolder(); got != "kubernetes/core:/stable:/v1.37/deb" {
		t.Errorf("Kubernetes is in %s", got)
	}
	r := dockerRepository("bookworm", "amd64")
	if r.Release != "dists/bookworm" || r.Index != "dists/bookworm/stable/binary-amd64" || r.Pool != "dists/bookworm/pool/stable/amd64" {
		t.Errorf("Docker's repository is %+v", r)
	}
}

// TestDecoys: they are newer than what the lab installs, and nothing is in them.
func TestDecoys(t *testing.T) {
	var names []string
	for _, p := range decoys() {
		names = append(names, p.Name)
		if p.Version <= kubernetesVersion || len(p.Files) > 0 || p.Unit {
			t.Errorf("decoy is %+v", p)
		}
	}
	if want := []string{"kubelet", "kubeadm", "kubectl"}; !slices.Equal(names, want) {
		t.Errorf("decoys are %v, want %v", names, want)
	}
}

// TestVersions: the version of a package is the one that the module of its programs pins.
func TestVersions(t *testing.T) {
	for name, pin := range map[string]string{
		"kubernetes": "k8s.io/kubernetes v" + kubernetesVersion,
		"containerd": "github.com/containerd/containerd/v2 v" + containerdVersion,
		"cniplugins": "github.com/containernetworking/plugins v" + cniVersion,
	} {
		content, err := os.ReadFile(filepath.Join("..", "modules", name, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), pin) {
			t.Errorf("module %s does not pin %s", name, pin)
		}
	}
}

// TestIdentity: other programs make other repositories, but for the one that serves them.
func TestIdentity(t *testing.T) {
	sets := func(kubernetes, fileserver string) []any {
		b := builder{sets: map[string]string{"kubernetes": "/cache/kubernetes-" + kubernetes, "fileserver": "/cache/fileserver-" + fileserver}}
		return b.identity().([]any)
	}
	hashes := func(identity []any) string { return identity[1].(map[string]string)["kubernetes"] }
	if hashes(sets("1", "1")) == hashes(sets("2", "1")) {
		t.Error("another kubelet makes the same repositories")
	}
	if len(sets("1", "1")[1].(map[string]string)) != 1 {
		t.Error("the file server counts")
	}
}
