package bundle

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/content/oci"

	format "fairlead/provision/bundle"
)

// program is a module of one program that says its version and which images it needs.
const program = `package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Fprintln(os.Stderr, "tool v1.2.3")
		return
	}
	fmt.Println("registry.example/tool:v1.2.3")
}
`

// smallRecipe is a bundle of the one program and the modules folder that makes it.
func smallRecipe(t *testing.T) (recipe, string) {
	t.Helper()
	modules := t.TempDir()
	write(t, filepath.Join(modules, "tool", "go.mod"), "module example/tool\n\ngo 1.26.0\n")
	write(t, filepath.Join(modules, "tool", "main.go"), program)
	return recipe{
		Kubernetes: "1.2.3",
		Arch:       runtime.GOARCH,
		Sets: []set{{
			Name:     "tool",
			Binaries: []binary{{"renamed", "example/tool"}},
			Checks:   []check{{"renamed", []string{"version"}, "v1.2.3"}},
		}},
		Components: []component{{"kubernetes", "1.2.3", layerPerFile(at("tool", "/usr/local/bin", "renamed"))}},
		Images: []image{{
			Name: "registry.example/tool:v1.2.3", Files: at("tool", "", "renamed"),
			Entrypoint: []string{"/renamed"}, User: "65535:65535", Roles: []string{format.RoleWorker},
		}},
		Required: query{Set: "tool", Binary: "renamed"},
	}, modules
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBuild reads a built bundle back with a reader that is not ours.
func TestBuild(t *testing.T) {
	r, modules := smallRecipe(t)
	options := Options{Cache: t.TempDir(), Modules: modules, Log: t.Output()}
	path, err := build(t.Context(), r, options)
	if err != nil {
		t.Fatal(err)
	}
	store, err := oci.NewFromTar(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var m format.Manifest
	list := manifestOf(t, store, format.ManifestRef)
	if list.ArtifactType != format.ManifestArtifactType || list.Layers[0].MediaType != format.ManifestMediaType {
		t.Errorf("manifest artifact is %+v", list)
	}
	fetch(t, store, list.Layers[0], &m)
	if m.SchemaVersion != 1 || m.KubernetesVersion != "1.2.3" || m.Architecture != runtime.GOARCH {
		t.Errorf("manifest is %+v", m)
	}
	checkComponent(t, store, m)
	checkImage(t, store, m.Images[0])
	checkLeftovers(t, options.Cache)

	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := build(t.Context(), r, options)
	if err != nil || again != path {
		t.Fatalf("second build gave %q, %v", again, err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("second build made the bundle anew (%v)", err)
	}
}

// TestBuildIsReproducible builds twice into different caches.
func TestBuildIsReproducible(t *testing.T) {
	r, modules := smallRecipe(t)
	var digests []digest.Digest
	for range 2 {
		path, err := build(t.Context(), r, Options{Cache: t.TempDir(), Modules: modules})
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.FromBytes(content))
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds differ: %v", digests)
	}
}

// TestBuildFailures: what is wrong is said, and nothing of it stays in the cache.
func TestBuildFailures(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *recipe, modules string)
		want   string
	}{
		{"wrong version", func(r *recipe, _ string) { r.Sets[0].Checks[0].Want = "v9" }, `want "v9"`},
		{"image missing", func(r *recipe, _ string) { r.Images = nil }, "renamed needs registry.example/tool:v1.2.3"},
		{"does not compile", func(_ *recipe, modules string) {
			write(t, filepath.Join(modules, "tool", "main.go"), "package main\n\nfunc main() { undefined() }\n")
		}, "undefined: undefined"},
		{"no such module", func(r *recipe, _ string) { r.Sets[0].Name = "other" }, "hash module other"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, modules := smallRecipe(t)
			test.change(&r, modules)
			cache := t.TempDir()
			path, err := build(t.Context(), r, Options{Cache: cache, Modules: modules})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, want one with %q", err, test.want)
			}
			if path != "" {
				t.Errorf("path is %s", path)
			}
			checkLeftovers(t, cache)
		})
	}
}
