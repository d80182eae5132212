package manifests

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {team: a}}
spec:
  replicas: 1
  template: {spec: {containers: [{name: web, image: web:1}, {name: log, image: log:1}]}}
`

const role = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: web}
rules: []
`

// patched applies patches to a manifest, and returns its objects.
func patched(t *testing.T, manifest string, patches ...inventory.Patch) ([]map[string]any, error) {
	t.Helper()
	path := filepath.Join(write(t, map[string]string{"app.yaml": manifest}), "app.yaml")
	text, err := load(t, path, patches...)
	if err != nil {
		if text != "" || !strings.HasPrefix(err.Error(), "patch "+path+": ") {
			t.Errorf("got %q, and the error %v", text, err)
		}
		return nil, err
	}
	return Objects("f", []byte(text))
}

// at is what stands in an object below keys; a list is entered by the name of an item.
func at(value any, keys ...string) any {
	for _, key := range keys {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			i := slices.IndexFunc(v, func(item any) bool { return at(item, "name") == key })
			if i < 0 {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

var (
	toDeployment = inventory.PatchTarget{Kind: "Deployment", Name: "web"}
	replicas     = []string{"spec", "replicas"}
	image        = []string{"spec", "template", "spec", "containers", "web", "image"}
)

func TestPatchesOfAllForms(t *testing.T) {
	const self = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	for what, c := range map[string]struct {
		target inventory.PatchTarget
		patch  string
		keys   []string
		want   any
	}{
		"merge in block style":          {inventory.PatchTarget{}, self + "spec:\n  replicas: 2\n", replicas, int64(2)},
		"merge in flow style":           {inventory.PatchTarget{}, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2}}", replicas, int64(2)},
		"merge in JSON":                 {inventory.PatchTarget{}, `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2}}`, replicas, int64(2)},
		"merge into a list":             {inventory.PatchTarget{}, self + "spec: {template: {spec: {containers: [{name: web, image: web:2}]}}}\n", image, "web:2"},
		"merge keeps the rest":          {inventory.PatchTarget{}, self + "spec: {template: {spec: {containers: [{name: log, image: log:2}]}}}\n", image, "web:1"},
		"merge takes away":              {inventory.PatchTarget{}, self + "spec: {replicas: null}\n", replicas, nil},
		"merge with a target":           {toDeployment, strings.Replace(self, "web", "another", 1) + "spec: {replicas: 2}\n", replicas, int64(2)},
		"operations in block style":     {toDeployment, "- op: replace\n  path: /spec/replicas\n  value: 2\n", replicas, int64(2)},
		"operations in flow style":      {toDeployment, "[{op: replace, path: /spec/replicas, value: 2}]", replicas, int64(2)},
		"operations on lines, indented": {toDeployment, "\n  [\n    {op: replace, path: /spec/replicas, value: 2},\n  ]\n", replicas, int64(2)},
		"operations, mixed":             {toDeployment, "- {op: test, path: /spec/replicas, value: 1}\n- {op: remove, path: /spec/replicas}\n", replicas, nil},
		"operations after a comment":    {toDeployment, "# more\n[{op: replace, path: /spec/replicas, value: 2}]", replicas, int64(2)},
		"operations in JSON":            {toDeployment, `[{"op": "replace", "path": "/spec/replicas", "value": 2}]`, replicas, int64(2)},
		"a string stays one":            {toDeployment, `[{op: add, path: /metadata/annotations/x, value: "yes"}]`, []string{"metadata", "annotations", "x"}, "yes"},
	} {
		for _, inFile := range []bool{false, true} {
			p := inventory.Patch{Target: c.target, Inline: c.patch}
			if inFile {
				p = inventory.Patch{Target: c.target, File: filepath.Join(write(t, map[string]string{"p.yaml": c.patch}), "p.yaml")}
			}
			objects, err := patched(t, role+"---\n"+deployment, p)
			if err != nil || !slices.Equal(called(objects), []string{"ClusterRole web", "Deployment web"}) {
				t.Errorf("%s, in a file %v: got %q, %v", what, inFile, called(objects), err)
				continue
			}
			if got := at(objects[1], c.keys...); got != c.want {
				t.Errorf("%s, in a file %v: got %v, want %v", what, inFile, got, c.want)
			}
			if at(objects[1], "spec", "template", "spec", "containers", "log", "name") == nil || at(objects[0], "rules") == nil {
				t.Errorf("%s: something else is gone from %v", what, objects)
			}
		}
	}
}

func TestPatchesComeOneAfterTheOther(t *testing.T) {
	replace := func(value string) inventory.Patch {
		return inventory.Patch{Target: toDeployment, Inline: "[{op: test, path: /spec/replicas, value: " + value + "}, {op: replace, path: /spec/replicas, value: 1" + value + "}]"}
	}
	objects, err := patched(t, deployment, replace("1"), replace("11"), replace("111"))
	if err != nil || at(objects[0], replicas...) != int64(1111) {
		t.Errorf("got %v, %v", objects, err)
	}
	objects, err = patched(t, deployment+"---\n"+role, inventory.Patch{Inline: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n$patch: delete\n"})
	if err != nil || !slices.Equal(called(objects), []string{"ClusterRole web"}) {
		t.Errorf("got %v, %v", objects, err)
	}
}

func TestPatchTargets(t *testing.T) {
	stream := deployment + "---\n" + strings.Replace(deployment, "name: web,", "name: web2, namespace: kube-system,", 1) + "---\n" + role
	for _, c := range []struct {
		target inventory.PatchTarget
		want   []string
	}{
		{inventory.PatchTarget{Kind: "Deployment"}, []string{"Deployment web", "Deployment web2"}},
		{inventory.PatchTarget{Kind: "Deploy.*|ClusterRole"}, []string{"Deployment web", "Deployment web2", "ClusterRole web"}},
		{inventory.PatchTarget{Kind: "Deploy"}, nil}, // the whole of the kind
		{inventory.PatchTarget{Kind: "ployment"}, nil},
		{inventory.PatchTarget{Name: "we|x"}, nil},
		{inventory.PatchTarget{Name: "web"}, []string{"Deployment web", "ClusterRole web"}},
		{inventory.PatchTarget{Name: "web|x"}, []string{"Deployment web", "ClusterRole web"}},
		{inventory.PatchTarget{Group: "apps"}, []string{"Deployment web", "Deployment web2"}},
		{inventory.PatchTarget{Group: "batch"}, nil},
		{inventory.PatchTarget{Group: "apps", Version: "v1beta1"}, nil},
		{inventory.PatchTarget{Version: "v1"}, []string{"Deployment web", "Deployment web2", "ClusterRole web"}},
		{inventory.PatchTarget{Namespace: "kube-.*"}, []string{"Deployment web2"}},
		{inventory.PatchTarget{Namespace: "default"}, []string{"Deployment web"}}, // as kustomize has it
		{inventory.PatchTarget{Namespace: "default", Kind: "ClusterRole"}, nil},
		{inventory.PatchTarget{Namespace: "(none|)"}, nil},
		{inventory.PatchTarget{LabelSelector: "app in (web, shop)"}, []string{"Deployment web", "Deployment web2"}},
		{inventory.PatchTarget{LabelSelector: "!app"}, []string{"ClusterRole web"}},
		{inventory.PatchTarget{LabelSelector: "app=shop"}, nil},
		{inventory.PatchTarget{AnnotationSelector: "team=a", Name: "web2"}, []string{"Deployment web2"}},
		{inventory.PatchTarget{AnnotationSelector: "team=a", Kind: "ClusterRole"}, nil},
	} {
		p := inventory.Patch{Target: c.target, Inline: "[{op: add, path: /patched, value: true}]"}
		objects, err := patched(t, stream, p)
		if c.want == nil {
			if err == nil || !strings.Contains(err.Error(), "patch 1: no object is the target "+describeTarget(c.target)) {
				t.Errorf("%+v: got %v", c.target, err)
			}
			continue
		}
		changed := slices.DeleteFunc(objects, func(o map[string]any) bool { return o["patched"] != true })
		if err != nil || !slices.Equal(called(changed), c.want) {
			t.Errorf("%+v: got %q, %v, want %q", c.target, called(changed), err, c.want)
		}
	}
	all := inventory.PatchTarget{Group: "a", Version: "b", Kind: "c", Name: "d", Namespace: "e", LabelSelector: "f=f", AnnotationSelector: "g=g"}
	if got, want := describeTarget(all), "group a, version b, kind c, name d, namespace e, labelSelector f=f, annotationSelector g=g"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCoreObjectsAsTargets(t *testing.T) {
	for group, want := range map[string]bool{"": true, "v1": false} {
		_, err := patched(t, configMap("a"), inventory.Patch{Target: inventory.PatchTarget{Group: group, Version: "v1"}, Inline: "[{op: add, path: /data, value: {}}]"})
		if (err == nil) != want {
			t.Errorf("group %q: %v", group, err)
		}
	}
}

func TestPatchesThatFail(t *testing.T) {
	folder := write(t, map[string]string{"empty.yaml": ""})
	for what, c := range map[string]struct {
		manifest string
		patch    inventory.Patch
		want     string
	}{
		"no such object":        {deployment, inventory.Patch{Inline: strings.Replace(deployment, "web", "shop", 1)}, "no resource matches"},
		"no such field":         {deployment, inventory.Patch{Target: toDeployment, Inline: "[{op: replace, path: /none/x, value: 1}]"}, "/none/x"},
		"a test that fails":     {deployment, inventory.Patch{Target: toDeployment, Inline: "[{op: test, path: /spec/replicas, value: 7}]"}, "test"},
		"operations alone":      {deployment, inventory.Patch{Inline: "[{op: remove, path: /spec/replicas}]"}, "must specify a target"},
		"broken flow style":     {deployment, inventory.Patch{Target: toDeployment, Inline: "[{op: remove"}, "unable to parse"},
		"no patch":              {deployment, inventory.Patch{Target: toDeployment, Inline: "replicas: 2"}, "unable to parse"},
		"an empty file":         {deployment, inventory.Patch{Target: toDeployment, File: filepath.Join(folder, "empty.yaml")}, "must specify one of patch and path"},
		"a missing file":        {deployment, inventory.Patch{Target: toDeployment, File: filepath.Join(folder, "none.yaml")}, "none.yaml: no such file"},
		"a bad expression":      {deployment, inventory.Patch{Target: inventory.PatchTarget{Kind: "("}, Inline: "[{op: remove, path: /spec}]"}, "error parsing regexp"},
		"a bad selector":        {deployment, inventory.Patch{Target: inventory.PatchTarget{LabelSelector: "a=b=c"}, Inline: "[{op: remove, path: /spec}]"}, "found '='"},
		"a manifest of words":   {"hello", inventory.Patch{Target: toDeployment, Inline: "[]"}, "manifest.yaml: document 1: it is no object"},
		"a manifest with twins": {deployment + "---\n" + deployment, inventory.Patch{Target: toDeployment, Inline: "[]"}, "stands there twice"},
	} {
		objects, err := patched(t, c.manifest, c.patch)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want %q", what, objects, err, c.want)
		}
	}
	path := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(path, make([]byte, maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := patched(t, deployment, inventory.Patch{Target: toDeployment, File: path}); err == nil || !strings.Contains(err.Error(), ErrTooLarge.Error()) {
		t.Errorf("a large patch: %v", err)
	}
}

// A patch of one object must leave the others as they are decoded without it.
func TestPatchesKeepAllObjects(t *testing.T) {
	// kustomize rounds whole numbers beyond 2^53 in the object that operations change.
	custom := `{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"NAME"},"yes":"yes","n":9007199254740991,"f":0.5,"big":1e+30,"day":"2026-01-01","text":"a\n# b\n\ud83d\ude00\/","list":[null,true,"0x10"]}`
	one, two := strings.Replace(custom, "NAME", "a", 1), strings.Replace(custom, "NAME", "b", 1)
	for what, manifest := range map[string]string{
		"JSON objects in a row":  one + two,
		"JSON objects on lines":  one + "\n" + two + "\n",
		"a list in JSON":         `{"apiVersion":"v1","kind":"List","items":[` + one + "," + two + "]}",
		"JSON between lines":     one + "\n---\n" + two,
		"YAML with three dots":   strings.ReplaceAll("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nyes: 'yes'\n...\n---\nX", "X", two),
		"a list of its own kind": "apiVersion: example.com/v1\nkind: ThingList\nitems:\n- " + strings.ReplaceAll(one, `\ud83d\ude00\/`, "x") + "\n- " + strings.ReplaceAll(two, `\ud83d\ude00\/`, "x") + "\n",
	} {
		want, err := Objects("f", []byte(manifest))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		want[0]["patched"] = true
		got, err := patched(t, manifest, inventory.Patch{Target: inventory.PatchTarget{Name: "a"}, Inline: "[{op: add, path: /patched, value: true}]"})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
		}
	}
}
