package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFolders(t *testing.T) {
	folder := write(t, map[string]string{
		"Kustomization":                "resources: [apps, one.yaml]\nnamePrefix: x-\n",
		"one.yaml":                     configMap("one"),
		"apps/kustomization.yml":       "resources: [two.yaml]\ncomponents: [more]\nnameSuffix: -y\n",
		"apps/two.yaml":                configMap("two"),
		"apps/more/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [three.yaml]\n",
		"apps/more/three.yaml":         configMap("three"),
		"generated/kustomization.yaml": "configMapGenerator:\n- {name: g, files: [k=file], literals: ['home=https://example.com'], options: {disableNameSuffixHash: true}}\n",
		"generated/file":               "content",
	})
	for name, want := range map[string][]string{
		"":          {"ConfigMap x-two-y", "ConfigMap x-three-y", "ConfigMap x-one"},
		"apps":      {"ConfigMap two-y", "ConfigMap three-y"},
		"generated": {"ConfigMap g"},
	} {
		got, err := load(t, filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if is := names(t, got); !slices.Equal(is, want) {
			t.Errorf("%q: got %q, want %q", name, is, want)
		}
	}
	if got, err := load(t, filepath.Join(folder, "generated")); err != nil || !strings.Contains(got, "home: https://example.com\n  k: content\n") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFoldersBelowAndBeside(t *testing.T) {
	folder := write(t, map[string]string{
		"v2/base/kustomization.yaml":     "resources: [a.yaml]\n",
		"v2/base/a.yaml":                 configMap("a"),
		"v2/overlay/kustomization.yaml":  "resources: [../base]\nnamePrefix: x-\n",
		"v2/diamond/kustomization.yaml":  "resources: [one, two]\n",
		"v2/diamond/one/kustomization":   "",
		"v2/diamond/one/Kustomization":   "resources: [../../base]\nnamePrefix: one-\n",
		"v2/diamond/two/Kustomization":   "resources: [../../base]\nnamePrefix: two-\n",
		"cycle/kustomization.yaml":       "resources: [below]\n",
		"cycle/below/kustomization.yaml": "resources: [../../cycle]\n",
	})
	if err := os.Symlink("v2/overlay", filepath.Join(folder, "current")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"v2/overlay": {"ConfigMap x-a"},
		"current":    {"ConfigMap x-a"}, // ../base counts from where the link leads
		"v2/diamond": {"ConfigMap one-a", "ConfigMap two-a"},
	} {
		got, err := load(t, filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if is := names(t, got); !slices.Equal(is, want) {
			t.Errorf("%s: got %q, want %q", name, is, want)
		}
	}
	if _, err := load(t, filepath.Join(folder, "cycle")); err == nil || !strings.Contains(err.Error(), "cycle detected") {
		t.Errorf("a cycle: %v", err)
	}
}

func TestFilesOutsideOfTheFolder(t *testing.T) {
	folder := write(t, map[string]string{
		"out.yaml":                        configMap("out"),
		"app/a.yaml":                      configMap("a"),
		"beside/base/kustomization.yaml":  "resources: [../out.yaml]\n",
		"beside/out.yaml":                 configMap("out"),
		"beside/below/kustomization.yaml": "resources: [../base]\n",
	})
	if err := os.Symlink("../out.yaml", filepath.Join(folder, "app", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	absolute := filepath.Join(folder, "out.yaml")
	for what, text := range map[string]string{
		"a file above":            "resources: [a.yaml, ../out.yaml]",
		"a link to a file above":  "resources: [link.yaml]",
		"an absolute path":        "resources: [" + absolute + "]",
		"a patch above":           "resources: [a.yaml]\npatches: [{path: ../out.yaml}]",
		"an absolute patch":       "resources: [a.yaml]\npatches: [{path: " + absolute + "}]",
		"content above":           "configMapGenerator: [{name: x, files: [../out.yaml]}]",
		"content behind a link":   "configMapGenerator: [{name: x, files: [k=link.yaml]}]",
		"an environment above":    "secretGenerator: [{name: x, envs: [../out.yaml]}]",
		"definitions above":       "resources: [a.yaml]\ncrds: [../out.yaml]",
		"a transformer above":     "resources: [a.yaml]\ntransformers: [../out.yaml]",
		"a file above a base":     "resources: [../beside/below]",
		"the folder itself":       "resources: [.]",
		"what is above the other": "resources: [../app]",
	} {
		if err := os.WriteFile(filepath.Join(folder, "app", "kustomization.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := load(t, filepath.Join(folder, "app")); err == nil || got != "" {
			t.Errorf("%s: got %q, %v", what, got, err)
		}
	}
}
