package kube

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
)

func TestIdentify(t *testing.T) {
	a := object.Identify(named("v1", "ConfigMap", "app", "x"))
	if a.Kind != "ConfigMap" || a.Namespace != "app" || a.Name != "x" || len(a.SHA256) != 64 {
		t.Errorf("identified as %+v", a)
	}
	other := named("v1", "ConfigMap", "app", "x")
	other["data"] = map[string]any{"a": "b"}
	if b := object.Identify(other); a == b || !a.Same(b) {
		t.Errorf("%+v and %+v", a, b)
	}
	if s := object.Identify(named("v1", "Secret", "app", "x")); s.SHA256 != "" || a.Same(s) {
		t.Errorf("Secret is %+v", s)
	}
	if got := object.Identify(a.Object()); !got.Same(a) {
		t.Errorf("its object is %+v", a.Object())
	}
}

func TestRecordApplied(t *testing.T) {
	client, clientset := fakeClient()
	var conflicts atomic.Int32
	clientset.PrependReactor("update", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		if conflicts.Add(1) == 1 {
			return true, nil, apierrors.NewConflict(schema.GroupResource{}, recordName, nil)
		}
		return false, nil, nil
	})
	one := []object.Applied{object.Identify(named("v1", "ConfigMap", "app", "one"))}
	two := []object.Applied{object.Identify(named("v1", "ConfigMap", "app", "two")), object.Identify(named("v1", "Namespace", "", "app"))}
	var group sync.WaitGroup
	for set, objects := range map[string][]object.Applied{"one": one, "two": two} {
		group.Go(func() {
			if err := client.RecordApplied(t.Context(), set, objects); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	sets, err := client.Applied(t.Context())
	if err != nil || len(sets) != 2 || sets["one"][0] != one[0] || len(sets["two"]) != 2 {
		t.Fatalf("sets %+v, %v", sets, err)
	}
	for _, set := range []string{"one", "none", "two"} {
		if err := client.RecordApplied(t.Context(), set, nil); err != nil {
			t.Fatal(err)
		}
	}
	maps, err := clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(maps.Items) != 0 {
		t.Errorf("an empty record stays: %v, %v", maps.Items, err)
	}
	if sets, err := client.Applied(t.Context()); err != nil || len(sets) != 0 {
		t.Errorf("sets %+v, %v", sets, err)
	}
}

func TestAppliedRefusesDamage(t *testing.T) {
	client, _ := fakeClient(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: recordName}, Data: map[string]string{"web": "[{"},
	})
	if _, err := client.Applied(t.Context()); err == nil || !strings.Contains(err.Error(), "read web of ConfigMap kube-system/fairlead-addons") {
		t.Errorf("error is %v", err)
	}
}

func TestPodImages(t *testing.T) {
	client, _ := fakeClient(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "web"},
		Spec: corev1.PodSpec{
			NodeName: "w1", InitContainers: []corev1.Container{{Name: "a", Image: "a:1"}}, Containers: []corev1.Container{{Name: "b", Image: "b:1"}},
		},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "b", ImageID: "b@sha256:1"}}},
	})
	images, err := client.PodImages(t.Context())
	want := []PodImage{{"app/web", "w1", "a:1", ""}, {"app/web", "w1", "b:1", "b@sha256:1"}}
	if err != nil || len(images) != 2 || images[0] != want[0] || images[1] != want[1] {
		t.Errorf("images %+v, %v", images, err)
	}
}
