package manifests

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func objectsOf(keys ...string) []map[string]any {
	var objects []map[string]any
	for _, key := range keys {
		kind, name, _ := strings.Cut(key, " ")
		objects = append(objects, map[string]any{"kind": kind, "metadata": map[string]any{"name": name}})
	}
	return objects
}

func TestOrderOfKinds(t *testing.T) {
	want := []string{
		"Namespace", "CustomResourceDefinition", "StorageClass", "NetworkPolicy", "ServiceAccount", "ClusterRole", "RoleBinding",
		"ConfigMap", "PersistentVolumeClaim", "Service", "Deployment", "MutatingWebhookConfiguration",
	}
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	for _, in := range [][]string{want, backwards, append(slices.Clone(want[6:]), want[:6]...)} {
		var got []string
		for _, key := range called(Order(objectsOf(in...))) {
			got = append(got, strings.TrimSpace(key))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestOrderIsStable(t *testing.T) {
	in := []string{
		"APIService z", "Deployment b", "ValidatingWebhookConfiguration y", "ConfigMap b", "Namespace b", "Ingress a", "Secret a", "Thing z", "CustomResourceDefinition b",
		"ValidatingAdmissionPolicyBinding x", "ConfigMap a", "Role b", "ClusterRole a", "Namespace a", "DaemonSet a", "CustomResourceDefinition a", "PriorityClass b", "IngressClass a",
		"ResourceQuota b", "LimitRange a", "PodDisruptionBudget a", "PersistentVolumeClaim b", "PersistentVolume a", "ClusterRoleBinding b", "RoleBinding a", " nothing",
		"RuntimeClass a", "GatewayClass a", "ValidatingAdmissionPolicy a",
	}
	want := []string{
		"Namespace b", "Namespace a", "CustomResourceDefinition b", "CustomResourceDefinition a", "PriorityClass b", "IngressClass a", "RuntimeClass a", "GatewayClass a",
		"ResourceQuota b", "LimitRange a", "PodDisruptionBudget a", "Role b", "ClusterRole a", "ClusterRoleBinding b", "RoleBinding a", "ConfigMap b", "Secret a", "ConfigMap a",
		"PersistentVolumeClaim b", "PersistentVolume a", "Deployment b", "Ingress a", "Thing z", "DaemonSet a", " nothing", "ValidatingAdmissionPolicy a",
		"APIService z", "ValidatingWebhookConfiguration y", "ValidatingAdmissionPolicyBinding x",
	}
	objects := objectsOf(in...)
	got := Order(objects)
	if !slices.Equal(called(got), want) {
		t.Errorf("got %q, want %q", called(got), want)
	}
	if !slices.Equal(called(objects), in) {
		t.Errorf("the objects that were given are now %q", called(objects))
	}
	if again := Order(got); !reflect.DeepEqual(again, got) {
		t.Errorf("a second time: %q", called(again))
	}
	for _, empty := range [][]map[string]any{nil, {}} {
		if got := Order(empty); len(got) != 0 {
			t.Errorf("nothing became %v", got)
		}
	}
}
