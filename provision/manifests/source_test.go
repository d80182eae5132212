package manifests

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"
)

// write makes a folder with files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// load reads a file or a folder.
func load(t *testing.T, path string, patches ...inventory.Patch) (string, error) {
	t.Helper()
	text, err := Source{}.Load(t.Context(), inventory.Manifest{Path: path, Patches: patches})
	if text.Origin != path {
		t.Errorf("the origin of %s is %q", path, text.Origin)
	}
	return string(text.Content), err
}

// names are the objects of a stream, as "Kind name" with what else tells them apart.
func names(t *testing.T, stream string) []string {
	t.Helper()
	objects, err := Objects("f", []byte(stream))
	if err != nil {
		t.Fatalf("%v in\n%s", err, stream)
	}
	return called(objects)
}

func called(objects []map[string]any) []string {
	var all []string
	for _, object := range objects {
		metadata, _ := object["metadata"].(map[string]any)
		kind, _ := object["kind"].(string)
		name, _ := metadata["name"].(string)
		all = append(all, kind+" "+name)
	}
	return all
}

func configMap(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n"
}

func TestFilesStayAsTheyAre(t *testing.T) {
	folder := write(t, map[string]string{
		"a.yaml":     "# first\r\n" + configMap("a") + "---\n" + configMap("b"),
		"no YAML":    "\x00[",
		"empty.yaml": "",
	})
	for name, want := range map[string]string{"a.yaml": "# first\r\n" + configMap("a") + "---\n" + configMap("b"), "no YAML": "\x00[", "empty.yaml": ""} {
		if got, err := load(t, filepath.Join(folder, name)); err != nil || got != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	folder := write(t, map[string]string{
		"app.yaml":                         configMap("a"),
		"plain/b.yaml":                     configMap("b"),
		"plain/a.yml":                      configMap("a"),
		"plain/notes.txt":                  "",
		"bare/notes.txt":                   "",
		"below/base/kustomization.yaml":    "resources: []",
		"broken/kustomization.yaml":        "resources: [a.yaml\n",
		"unknown/kustomization.yaml":       "resource: [a.yaml]\n",
		"two/kustomization.yaml":           "namePrefix: a-\n",
		"two/kustomization.yml":            "namePrefix: b-\n",
		"typo/kustomization.yaml":          "resources: [aap.yaml]\n",
		"inner/kustomization.yaml":         "resources: [plain]\n",
		"inner/plain/a.yaml":               configMap("a"),
		"chart/kustomization.yaml":         "helmCharts: [{name: x, repo: https://charts.example.com}]\n",
		"oldchart/kustomization.yaml":      "helmChartInflationGenerator: [{chartName: x}]\n",
		"file/kustomization.yaml/empty.md": "",
	})
	for name, want := range map[string][]string{
		"app.yml":          {"read the manifest", "app.yml"},
		"app.yaml/b":       {"read the manifest", "not a directory"},
		"plain":            {"has no kustomization.yaml", "one by one", "a.yml, b.yaml"},
		"bare":             {"has no kustomization.yaml", "name a file instead"},
		"below":            {"has no kustomization.yaml"},
		"broken":           {"read ", "broken/kustomization.yaml", "line 1"},
		"unknown":          {"kustomize ", "unknown", `"resource"`},
		"two":              {"kustomize ", "multiple kustomization files"},
		"typo":             {"typo/kustomization.yaml", `"aap.yaml" is no file or folder there`},
		"inner":            {"inner/plain has no kustomization.yaml", "a.yaml"},
		"chart":            {"chart/kustomization.yaml", "helm charts are not built"},
		"oldchart":         {"helm charts are not built"},
		"file":             {"is a directory"},
		"file/nothing":     {"read the manifest"},
		"bare/notes.txt/x": {"not a directory"},
	} {
		got, err := load(t, filepath.Join(folder, name))
		if err == nil || got != "" {
			t.Errorf("%s: got %q, %v", name, got, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error is %q, want %q in it", name, err, part)
			}
		}
	}
	for _, patches := range [][]inventory.Patch{nil, {{Inline: configMap("a")}}} {
		if got, err := load(t, filepath.Join(folder, "app.yml"), patches...); !errors.Is(err, fs.ErrNotExist) || got != "" {
			t.Errorf("a missing file with %d patches: %q, %v", len(patches), got, err)
		}
	}
	if _, err := load(t, filepath.Join(folder, "plain")); err == nil || strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("what is no manifest is proposed: %v", err)
	}
}

func TestLargestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		size int64
		want error
	}{{maxSize, nil}, {maxSize + 1, ErrTooLarge}} {
		if err := os.Truncate(path, c.size); err != nil {
			t.Fatal(err)
		}
		got, err := load(t, path)
		if !errors.Is(err, c.want) || err == nil && int64(len(got)) != c.size {
			t.Errorf("%d bytes: got %d, %v", c.size, len(got), err)
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
	}
}
