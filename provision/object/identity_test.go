package object

import (
	"strings"
	"testing"
)

func TestIdentifyTellsObjectsApart(t *testing.T) {
	object := func(apiVersion, kind, namespace, name string) map[string]any {
		return map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"namespace": namespace, "name": name}}
	}
	first := object("v1", "ConfigMap", "app", "x")
	a := Identify(first)
	if want := (Applied{APIVersion: "v1", Kind: "ConfigMap", Namespace: "app", Name: "x", SHA256: a.SHA256}); a != want {
		t.Errorf("identified as %+v", a)
	}
	for _, other := range []map[string]any{
		object("v2", "ConfigMap", "app", "x"), object("v1", "Config", "app", "x"), object("v1", "ConfigMap", "web", "x"), object("v1", "ConfigMap", "app", "y"),
	} {
		if b := Identify(other); a.Same(b) || b.Same(a) || a.SHA256 == b.SHA256 {
			t.Errorf("%+v and %+v are the same", a, b)
		}
	}
	if again := Identify(object("v1", "ConfigMap", "app", "x")); again != a {
		t.Errorf("%+v is identified as %+v the second time", a, again)
	}
	if got, want := strings.ToLower(a.SHA256), a.SHA256; got != want || strings.Trim(got, "0123456789abcdef") != "" {
		t.Errorf("the hash is %q", a.SHA256)
	}
	if empty := Identify(map[string]any{"kind": 7, "metadata": "x"}); empty.Kind+empty.Name+empty.Namespace+empty.APIVersion != "" {
		t.Errorf("an object without any is %+v", empty)
	}
	if unknown := Identify(map[string]any{"kind": "Line", "x": func() {}}); unknown.SHA256 != "" {
		t.Errorf("what is no JSON is %+v", unknown)
	}
}

func TestObjectOfAnApplied(t *testing.T) {
	for _, a := range []Applied{
		{APIVersion: "v1", Kind: "Namespace", Name: "app"}, {APIVersion: "apps/v1", Kind: "Deployment", Namespace: "app", Name: "web", SHA256: "x"},
	} {
		object := a.Object()
		if !Identify(object).Same(a) {
			t.Errorf("%+v became %v", a, object)
		}
		if _, has := object["metadata"].(map[string]any)["namespace"]; has != (a.Namespace != "") {
			t.Errorf("%+v became %v", a, object)
		}
	}
}
