package apply_test

import (
	"strings"
	"testing"

	"fairlead/provision/object"
	"fairlead/provision/plan"
)

// configMaps is where the API has what the tests apply, record where it has what fairlead knows of that.
const (
	configMaps = "/api/v1/namespaces/app/configmaps/"
	record     = "/api/v1/namespaces/kube-system/configmaps/fairlead-addons"
)

// configMap is an object to be applied.
func configMap(name string) fields {
	return fields{"apiVersion": "v1", "kind": "ConfigMap", "metadata": fields{"namespace": "app", "name": name}, "data": fields{"key": "value"}}
}

// applied is how the record names a ConfigMap.
func applied(name string) object.Applied {
	return object.Applied{APIVersion: "v1", Kind: "ConfigMap", Namespace: "app", Name: name}
}

// owned is a live object of a set.
func owned(set string) fields {
	return fields{"metadata": fields{"labels": fields{object.LabelAddon: set}}}
}

// TestApplyObject applies an object over what is there, or deletes that first where the plan says so.
func TestApplyObject(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		path := configMaps + "x"
		w.well(w.doOn("", plan.ApplyObject{Object: configMap("x")}))
		w.well(w.doOn("", plan.ApplyObject{Object: configMap("x"), Replace: true}))
		w.did("api: PATCH "+path, "api: DELETE "+path, "api: PATCH "+path)
		if body := w.api.body("PATCH " + path); !strings.Contains(body, `"data":{"key":"value"}`) {
			t.Errorf("applied %s", body)
		}
		for request, replace := range map[string]bool{"PATCH " + path: false, "DELETE " + path: true} {
			w.api.refuse(request, 422)
			if said := w.doOn("", plan.ApplyObject{Object: configMap("x"), Replace: replace}); !strings.Contains(said, " ConfigMap app/x: ") {
				t.Errorf("%s refused: said %q", request, said)
			}
		}
	})
}

// TestRecordApplied writes which objects a set has; other sets stay.
func TestRecordApplied(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.api.put(record, fields{"data": fields{"ingress": "[]"}})
		w.well(w.doOn("", plan.RecordApplied{Set: "network", Objects: []object.Applied{applied("x")}}))
		w.did("api: PUT " + record)
		want := `"data":{"ingress":"[]","network":"[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"namespace\":\"app\",\"name\":\"x\"}]"}`
		if body := w.api.body("PUT " + record); !strings.Contains(body, want) {
			t.Errorf("recorded %s", body)
		}
		w.api.refuse("PUT "+record, 422)
		if said := w.doOn("", plan.RecordApplied{Set: "network"}); !strings.HasPrefix(said, "write ConfigMap kube-system/fairlead-addons: ") {
			t.Errorf("said %q", said)
		}
	})
}

// TestPruneObjects deletes the objects of a set in the plan's order; what bears another set's label stays, which is told.
func TestPruneObjects(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.api.put(configMaps+"a", owned("network"))
		w.api.put(configMaps+"b", owned("ingress"))
		w.api.put(configMaps+"c", owned("network"))
		action := plan.PruneObjects{Set: "network", Objects: []object.Applied{applied("c"), applied("gone"), applied("b"), applied("a")}}
		w.well(w.doOn("", action))
		w.did("api: DELETE "+configMaps+"c", "api: DELETE "+configMaps+"a")
		w.told("output " + object.Key(configMap("b")) + " stays: it does not bear the label " + object.LabelAddon + "=network")

		w.api.put(configMaps+"c", owned("network"))
		w.api.refuse("DELETE "+configMaps+"c", 422)
		if said := w.doOn("", action); !strings.HasPrefix(said, "delete ConfigMap app/c: ") {
			t.Errorf("said %q", said)
		}
		w.told() // what comes after is not looked at
	})
}
