package manifests

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// elsewhere is a server that has what kustomize would fetch, and counts requests.
func elsewhere(t *testing.T) (address string, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = w.Write([]byte(configMap("a") + "data: {from: elsewhere}\n"))
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// plugin is a kustomization with the configuration of a plugin in it.
func plugin(list, kind, field string) string {
	return "resources: [a.yaml]\n" + list + ":\n- |-\n  apiVersion: builtin\n  kind: " + kind + "\n  metadata: {name: p}\n  name: x\n  " + field
}

func TestNothingIsFetchedForAKustomization(t *testing.T) {
	const generator = "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: p}\nname: x\nenvs: [ADDRESS/x.yaml]\n"
	address, requests := elsewhere(t)
	t.Setenv("PATH", t.TempDir()) // without git
	for what, text := range map[string]string{
		"a resource":               "resources: [ADDRESS/x.yaml]",
		"a resource in capitals":   "resources: ['HTTP:x.yaml']",
		"a resource that is there": "resources: [ADDRESS/there.yaml]",
		"a resource with a break":  "resources: [\"ADDRESS/a/b.git\\n\"]",
		"a key in capitals":        "Resources: [ADDRESS/x.yaml]",
		"a base":                   "bases: [ADDRESS/x]",
		"a component":              "components: [ADDRESS/x]",
		"definitions":              "resources: [a.yaml]\ncrds: [ADDRESS/x.yaml]",
		"a configuration":          "resources: [a.yaml]\nconfigurations: [ADDRESS/x.yaml]",
		"a schema":                 "resources: [a.yaml]\nopenapi: {path: ADDRESS/x.yaml}",
		"a patch":                  "resources: [a.yaml]\npatches: [{path: ADDRESS/x.yaml}]",
		"a patch, in capitals":     "resources: [a.yaml]\nPatches: [{Path: ADDRESS/x.yaml}]",
		"a merge patch":            "resources: [a.yaml]\npatchesStrategicMerge: [ADDRESS/x.yaml]",
		"operations":               "resources: [a.yaml]\npatchesJson6902: [{target: {kind: ConfigMap, name: a}, path: ADDRESS/x.yaml}]",
		"replacements":             "resources: [a.yaml]\nreplacements: [{path: ADDRESS/x.yaml}]",
		"content":                  "configMapGenerator: [{name: x, files: [ADDRESS/x.yaml]}]",
		"content with a key":       "secretGenerator: [{name: x, files: [key=ADDRESS/x.yaml]}]",
		"an environment":           "configMapGenerator: [{name: x, env: ADDRESS/x.yaml}]",
		"environments":             "secretGenerator: [{name: x, envs: [ADDRESS/x.yaml]}]",
		"a base that has one":      "resources: [base]",
		"a transformer":            "resources: [a.yaml]\ntransformers: [ADDRESS/x.yaml]",
		"a patch transformer":      plugin("transformers", "PatchTransformer", "path: ADDRESS/x.yaml"),
		"a merge transformer":      plugin("transformers", "PatchStrategicMergeTransformer", "paths: [ADDRESS/x.yaml]"),
		"a transformer of values":  plugin("transformers", "ValueAddTransformer", "targetFilePath: ADDRESS/x.yaml"),
		"replacing":                plugin("validators", "ReplacementTransformer", "replacements: [{path: ADDRESS/x.yaml}]"),
		"a generator":              plugin("generators", "ConfigMapGenerator", "files: [ADDRESS/x.yaml]"),
		"a generator in a file":    "generators: [generator.yaml]",
		"a generator in a folder":  "generators: [generators]",
		"a folder named as a host": "resources: [github.com/org/repo]",
		"git by ssh":               "resources: ['git@example.com:org/repo']",
		"git without a colon":      "resources: ['git@example.com/repo.git']",
		"git as a folder":          "resources: ['git@example.com/org/repo']",
		"git with a path":          "resources: ['git::ssh://example.com/org/repo//x?ref=main']",
		"git on the disk":          "resources: ['file:///org/repo.git']",
	} {
		files := map[string]string{}
		for name, text := range map[string]string{
			"kustomization.yaml": text, "a.yaml": configMap("a"), "ADDRESS/there.yaml": configMap("b"),
			"base/kustomization.yaml": "resources: [ADDRESS/x.yaml]\n", "github.com/org/repo/kustomization.yaml": "namePrefix: x-\n",
			"generator.yaml": generator, "generators/kustomization.yaml": "resources: [g.yaml]\n", "generators/g.yaml": generator,
		} {
			files[strings.ReplaceAll(name, "ADDRESS", address)] = strings.ReplaceAll(text, "ADDRESS", address)
		}
		got, err := load(t, write(t, files))
		if !errors.Is(err, ErrRemote) || got != "" || requests.Load() > 0 {
			t.Errorf("%s: got %q, %v after %d requests", what, got, err, requests.Swap(0))
			continue
		}
		if !strings.Contains(err.Error(), "kustomization.yaml: ") || strings.Contains(err.Error(), "no file or folder") {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
}

func TestAddressesThatAreNotFetched(t *testing.T) {
	address, requests := elsewhere(t)
	folder := write(t, map[string]string{
		"kustomization.yaml": strings.ReplaceAll(`resources: [a.yaml, custom.yaml, app@v1, app@v1/more, git.example.com]
commonAnnotations: {path: ADDRESS/a}
configMapGenerator:
- {name: g, literals: [url=ADDRESS/b], options: {disableNameSuffixHash: true, annotations: {path: ADDRESS/c}}}
patches:
- target: {kind: ConfigMap, name: a}
  patch: '[{"op": "add", "path": "/data", "value": {"path": "ADDRESS/d"}}]'
transformers:
- |-
  apiVersion: builtin
  kind: AnnotationsTransformer
  metadata: {name: t}
  annotations: {path: ADDRESS/e}
  fieldSpecs: [{path: metadata/annotations, create: true}]
`, "ADDRESS", address),
		"a.yaml":                             configMap("a"),
		"custom.yaml":                        "apiVersion: example.com/v1\nkind: Source\nmetadata: {name: s}\nspec: {path: " + address + "/f}\n",
		"app@v1/kustomization.yaml":          "resources: [b.yaml]\n",
		"app@v1/b.yaml":                      configMap("b"),
		"app@v1/more/kustomization.yaml":     "resources: [d.yaml]\n",
		"app@v1/more/d.yaml":                 configMap("d"),
		"git.example.com/kustomization.yaml": "resources: [c.yaml]\n",
		"git.example.com/c.yaml":             configMap("c"),
	})
	got, err := load(t, folder)
	if err != nil || requests.Load() > 0 {
		t.Fatalf("%v after %d requests", err, requests.Load())
	}
	if is, want := names(t, got), []string{"ConfigMap a", "Source s", "ConfigMap b", "ConfigMap d", "ConfigMap c", "ConfigMap g"}; !slices.Equal(is, want) {
		t.Errorf("got %q, want %q", is, want)
	}
	for _, last := range []string{"/b", "/d", "/e", "/f"} { // e takes the place of a and c
		if !strings.Contains(got, address+last+"\n") {
			t.Errorf("%s is not in\n%s", last, got)
		}
	}
}

func TestRemoteErrorsHoldNoSecrets(t *testing.T) {
	for _, entry := range []string{"https://ann:s3cret@example.com/x.yaml", "https://example.com/x.yaml?token=s3cret", "ssh://ann:s3cret@example.com/org/repo"} {
		_, err := load(t, write(t, map[string]string{"kustomization.yaml": "resources: ['" + entry + "']"}))
		if !errors.Is(err, ErrRemote) || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "example.com") {
			t.Errorf("%s: got %v", entry, err)
		}
	}
	// What is no URL holds no secret, and is shown as it was written.
	_, err := load(t, write(t, map[string]string{"kustomization.yaml": "resources: ['git@example.com:org/repo']"}))
	if !errors.Is(err, ErrRemote) || !strings.HasSuffix(err.Error(), `"git@example.com:org/repo" would be fetched; download it, and name the copy`) {
		t.Errorf("got %v", err)
	}
}

// kustomize looks for ../base where a link leads, and that must be what was looked through.
func TestLinksHideNothing(t *testing.T) {
	address, requests := elsewhere(t)
	folder := write(t, map[string]string{
		"app/kustomization.yaml":       "resources: [link]\n",
		"app/base/kustomization.yaml":  "resources: [a.yaml]\n",
		"app/base/a.yaml":              configMap("a"),
		"far/overlay/Kustomization":    "resources: [../base]\n",
		"far/base/kustomization.yaml":  "resources: [" + address + "/x.yaml]\n",
		"near/overlay/Kustomization":   "resources: [../base]\n",
		"near/base/kustomization.yaml": "resources: [a.yaml]\n",
		"near/base/a.yaml":             configMap("n"),
	})
	for _, c := range []struct {
		to   string
		want error
	}{{"../far/overlay", ErrRemote}, {"../near/overlay", nil}} {
		link := filepath.Join(folder, "app", "link")
		if err := os.Symlink(c.to, link); err != nil {
			t.Fatal(err)
		}
		_, err := load(t, filepath.Join(folder, "app"))
		if !errors.Is(err, c.want) || requests.Load() > 0 {
			t.Errorf("%s: got %v after %d requests", c.to, err, requests.Swap(0))
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}
