package bundle

import (
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	format "fairlead/provision/bundle"
)

// TestKeys: what changes decides what is built anew.
func TestKeys(t *testing.T) {
	tests := []struct {
		name    string
		change  func(t *testing.T, r *recipe, modules string)
		changed []string // of the names one, two, base, bundle
	}{
		{"nothing", func(*testing.T, *recipe, string) {}, nil},
		{"source", func(t *testing.T, _ *recipe, m string) { write(t, filepath.Join(m, "one", "main.go"), "package other") }, []string{"bundle", "one"}},
		{"new file", func(t *testing.T, _ *recipe, m string) { write(t, filepath.Join(m, "one", "go.sum"), "") }, []string{"bundle", "one"}},
		{"test", func(t *testing.T, _ *recipe, m string) {
			write(t, filepath.Join(m, "one", "main_test.go"), "package main")
		}, nil},
		{"flags", func(_ *testing.T, r *recipe, _ string) { r.Sets[1].LDFlags = []string{"-X a=b"} }, []string{"bundle", "two"}},
		{"architecture", func(_ *testing.T, r *recipe, _ string) { r.Arch = "riscv64" }, []string{"base", "bundle", "one", "two"}},
		{"base", func(_ *testing.T, r *recipe, _ string) { r.Base.Packages = []string{"kmod"} }, []string{"base", "bundle"}},
		{"image", func(_ *testing.T, r *recipe, _ string) { r.Images = []image{{Name: "new"}} }, []string{"bundle"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			modules := t.TempDir()
			for _, name := range []string{"one", "two"} {
				write(t, filepath.Join(modules, name, "main.go"), "package main")
			}
			r := recipe{Arch: "amd64", Sets: []set{{Name: "one"}, {Name: "two"}}}
			before := flatKeys(t, r, modules)
			test.change(t, &r, modules)
			after := flatKeys(t, r, modules)
			var changed []string
			for _, name := range slices.Sorted(maps.Keys(before)) {
				if before[name] != after[name] {
					changed = append(changed, name)
				}
			}
			if !slices.Equal(changed, test.changed) {
				t.Errorf("changed are %v, want %v", changed, test.changed)
			}
		})
	}
}

func flatKeys(t *testing.T, r recipe, modules string) map[string]string {
	t.Helper()
	k, err := keysOf(r, modules, "go1.26.0")
	if err != nil {
		t.Fatal(err)
	}
	flat := maps.Clone(k.sets)
	flat["base"], flat["bundle"] = k.base, k.bundle
	return flat
}

// TestRecipes finds slips in the table before a long build does.
func TestRecipes(t *testing.T) {
	for _, release := range releases() {
		t.Run(release.Kubernetes, func(t *testing.T) { wantSound(t, release.recipe()) })
	}
}

func wantSound(t *testing.T, r recipe) {
	built := map[string]bool{}
	for _, s := range r.Sets {
		folder, sources := filepath.Join("..", "modules", s.Name), []string{"go.mod"}
		if len(s.Product) > 0 {
			folder, sources = filepath.Join("..", ".."), s.Product
		}
		for _, source := range sources {
			if _, err := os.Stat(filepath.Join(folder, source)); err != nil {
				t.Error(err)
			}
		}
		for _, b := range s.Binaries {
			built[s.Name+"/"+b.Name] = true
		}
		for _, c := range s.Checks {
			if !built[s.Name+"/"+c.Binary] {
				t.Errorf("set %s checks %s, which it does not build", s.Name, c.Binary)
			}
		}
	}
	checkFiles := func(owner string, files []file) {
		for _, f := range files {
			if !built[f.Set+"/"+path.Base(f.Path)] || !strings.HasPrefix(f.Path, "/") {
				t.Errorf("%s holds %+v, which no set builds", owner, f)
			}
		}
	}
	var names []string
	for _, c := range r.Components {
		names = append(names, c.Name)
		checkFiles(c.Name, slices.Concat(c.Layers...))
	}
	if want := []string{format.Kubernetes, format.Containerd, format.Runc, format.Registry, format.CNIPlugins}; !slices.Equal(names, want) {
		t.Errorf("components are %v, want %v", names, want)
	}
	for _, i := range r.Images {
		checkFiles(i.Name, i.Files)
		if slices.Contains(i.Roles, format.RoleControlPlane) == (i.Addon != "") {
			t.Errorf("image %s is for the roles %v and the add-on %q", i.Name, i.Roles, i.Addon)
		}
	}
}

// TestModulesPinVersions: the version of a component is the one that its module pins.
func TestModulesPinVersions(t *testing.T) {
	pins := map[string]string{
		"containerd": "github.com/containerd/containerd/v2 v" + containerdVersion,
		"runc":       "github.com/opencontainers/runc v" + runcVersion,
		"cniplugins": "github.com/containernetworking/plugins v" + cniVersion,
		"cniflannel": "github.com/containernetworking/plugins v0.9.1",
		"flannel":    "github.com/flannel-io/flannel v" + flannelVersion,

		"metricsserver": "sigs.k8s.io/metrics-server v" + metricsServerVersion,
		"registry":      "github.com/distribution/distribution/v3 v" + registryVersion,
		"traefik":       "github.com/traefik/traefik/v3 v" + traefikVersion,
		"nfpm":          "github.com/goreleaser/nfpm/v2 v" + nfpmVersion,
	}
	for _, r := range releases() {
		pins[r.folder("kubernetes")] = "k8s.io/kubernetes v" + r.Kubernetes
		pins[r.folder("etcd")] = "go.etcd.io/etcd/server/v3 v" + r.Etcd
		pins[r.folder("coredns")] = "github.com/coredns/coredns v" + r.CoreDNS
	}
	for name, pin := range pins {
		content, err := os.ReadFile(filepath.Join("..", "modules", name, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), pin) {
			t.Errorf("module %s does not pin %s", name, pin)
		}
	}
}

// TestProductSources: the sources of a set of fairlead's own module are all that it is built
// from, else a change would not build it anew.
func TestProductSources(t *testing.T) {
	for _, s := range releases()[0].recipe().Sets {
		if len(s.Product) == 0 {
			continue
		}
		for _, b := range s.Binaries {
			list := exec.CommandContext(t.Context(), "go", "list", "-deps", b.Package)
			list.Dir = filepath.Join("..", "..")
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, used := range strings.Fields(string(out)) {
				folder, own := strings.CutPrefix(used, "fairlead/")
				if own && !slices.Contains(s.Product, folder) {
					t.Errorf("set %s is built from %s, which is not among its sources", s.Name, folder)
				}
			}
		}
	}
}

// TestCopyModules: what is dropped from a copy is replaced by the files beside it.
func TestCopyModules(t *testing.T) {
	work := t.TempDir()
	s := traefikSet()
	if err := copyModules(t.Context(), s, filepath.Join("..", "modules", s.Name), work); err != nil {
		t.Fatal(err)
	}
	var providers []string
	entries, err := os.ReadDir(filepath.Join(work, "lego", "providers", "dns"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		providers = append(providers, entry.Name())
	}
	if !slices.Equal(providers, []string{"zz_gen_dns_providers.go"}) {
		t.Errorf("providers are %v", providers)
	}
	if _, err := os.Stat(filepath.Join(work, "lego", "go.mod")); err != nil {
		t.Error(err)
	}
}
