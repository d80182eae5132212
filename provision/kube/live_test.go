package kube

import (
	"reflect"
	"strings"
	"testing"
)

// scaled is a Deployment that fairlead applied and an autoscaler has scaled.
const scaled = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: app
  managedFields:
  - {manager: fairlead, operation: Apply, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {"f:image": {}}}}}}}}
  - {manager: MANAGER, operation: Update, apiVersion: apps/v1, subresource: SUBRESOURCE, fieldsType: FieldsV1, fieldsV1: {"f:spec": {"f:replicas": {}}}}
  - {manager: kube-controller-manager, operation: Update, apiVersion: apps/v1, subresource: status, fieldsType: FieldsV1, fieldsV1: {"f:status": {"f:replicas": {}}}}
spec: {replicas: 3}
`

func TestLookYields(t *testing.T) {
	for _, c := range []struct {
		manager, subresource string
		want                 [][]string
	}{
		{"kube-controller-manager", "scale", [][]string{{"spec", "replicas"}}},
		{"keda-operator", "scale", [][]string{{"spec", "replicas"}}},
		{"kubectl", "scale", nil},
		{"kubectl-edit", "\"\"", nil},
		{"kube-controller-manager", "\"\"", nil},
	} {
		text := replaceAll(scaled, "MANAGER", c.manager, "SUBRESOURCE", c.subresource)
		_, client := newMemory(t, decoded(t, text))
		live, exists, err := client.Look(t.Context(), named("apps/v1", "Deployment", "app", "web"))
		if err != nil || !exists {
			t.Fatalf("%+v: %v, %v", c, exists, err)
		}
		if !reflect.DeepEqual(live.Yielded, c.want) {
			t.Errorf("%+v: yielded %v", c, live.Yielded)
		}
	}
}

// Items of lists are not yielded, and what is no set of fields is an error.
func TestLookReadsManagedFields(t *testing.T) {
	for _, c := range []struct {
		fields  string
		want    [][]string
		problem string
	}{
		{`{"f:spec": {"f:replicas": {}, "f:paused": {}}, "f:status": {".": {}, "f:replicas": {}}}`, [][]string{{"spec", "paused"}, {"spec", "replicas"}, {"status", "replicas"}}, ""},
		{`{"f:spec": {"f:list": {"k:{\"name\":\"a\"}": {"f:image": {}}}}}`, nil, ""},
		{`[]`, nil, "read the managed fields of Deployment app/web: "},
	} {
		_, client := newMemory(t, decoded(t, replaceAll(scaled, "MANAGER", "keda", "SUBRESOURCE", "scale", `{"f:spec": {"f:replicas": {}}}`, c.fields)))
		live, exists, err := client.Look(t.Context(), named("apps/v1", "Deployment", "app", "web"))
		if !exists || !reflect.DeepEqual(live.Yielded, c.want) || (err != nil) != (c.problem != "") || err != nil && !strings.HasPrefix(err.Error(), c.problem) {
			t.Errorf("%s: yielded %v, %v, %v", c.fields, live.Yielded, exists, err)
		}
	}
}
