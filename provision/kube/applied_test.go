package kube

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
	clientset.ClearActions()
	if err := client.RecordApplied(t.Context(), "none", nil); err != nil || len(clientset.Actions()) != 1 {
		t.Errorf("nothing is recorded as nothing: %v, %v", err, clientset.Actions())
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

func TestRecordAppliedNamesWhatFails(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", nil)
	one := []object.Applied{object.Identify(named("v1", "ConfigMap", "app", "one"))}
	for verb, want := range map[string]string{
		"get": "read ConfigMap kube-system/fairlead-addons: ", "create": "write ConfigMap kube-system/fairlead-addons: ",
	} {
		client, clientset := fakeClient()
		clientset.PrependReactor(verb, "configmaps", refuseWith(forbidden))
		if err := client.RecordApplied(t.Context(), "one", one); !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: RecordApplied = %v", verb, err)
		}
		sets, err := client.Applied(t.Context())
		if verb == "get" && (!apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), want)) || verb != "get" && err != nil || len(sets) > 0 {
			t.Errorf("%s: Applied = %v, %v", verb, sets, err)
		}
	}
}

// Another run makes the record, writes it or takes it away at the same moment.
func TestRecordAppliedMeetsOthers(t *testing.T) {
	resource := schema.GroupResource{Resource: "configmaps"}
	record := func(data map[string]string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: recordName, ResourceVersion: "7"}, Data: data}
	}
	one := []object.Applied{object.Identify(named("v1", "ConfigMap", "app", "one"))}
	for _, c := range []struct {
		verb    string
		err     error
		record  *corev1.ConfigMap
		objects []object.Applied
		want    int // sets
	}{
		{"create", apierrors.NewAlreadyExists(resource, recordName), nil, one, 1},
		{"update", apierrors.NewConflict(resource, recordName, nil), record(map[string]string{"two": "[]"}), one, 2},
		{"update", apierrors.NewNotFound(resource, recordName), record(nil), one, 1},
		{"delete", apierrors.NewConflict(resource, recordName, nil), record(map[string]string{"one": "[]"}), nil, 0},
	} {
		client, clientset := fakeClient()
		if c.record != nil {
			if err := clientset.Tracker().Add(c.record); err != nil {
				t.Fatal(err)
			}
		}
		clientset.PrependReactor(c.verb, "configmaps", errorsFirst(c.err, c.err))
		if err := client.RecordApplied(t.Context(), "one", c.objects); err != nil {
			t.Errorf("%s: %v", c.verb, err)
		}
		tries := 0
		for _, action := range clientset.Actions() {
			if action.GetVerb() != c.verb {
				continue
			}
			tries++
			if d, ok := action.(clienttesting.DeleteActionImpl); ok {
				if held := d.DeleteOptions.Preconditions; held == nil || *held.ResourceVersion != "7" {
					t.Errorf("deleted with %+v: what others have written since is lost", held)
				}
			}
		}
		if sets, err := client.Applied(t.Context()); err != nil || len(sets) != c.want || tries != 3 {
			t.Errorf("%s: sets %v, %v after %d tries", c.verb, sets, err, tries)
		}
	}
}

// With others in the way all the time, it ends, and says so.
func TestRecordAppliedGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		client, clientset := fakeClient()
		client.retry = retryInterval
		clientset.PrependReactor("create", "configmaps", refuseWith(apierrors.NewAlreadyExists(schema.GroupResource{}, recordName)))
		err := client.RecordApplied(t.Context(), "one", []object.Applied{{Kind: "Namespace", Name: "app"}})
		if !apierrors.IsAlreadyExists(err) || time.Since(began) != requestTimeout {
			t.Errorf("RecordApplied = %v after %v", err, time.Since(began))
		}
	})
}

func TestPodImages(t *testing.T) {
	client, clientset := fakeClient(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "web"},
		Spec: corev1.PodSpec{
			NodeName: "w1", InitContainers: []corev1.Container{{Name: "a", Image: "a:1"}}, Containers: []corev1.Container{{Name: "b", Image: "b:1"}},
		},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "b", ImageID: "b@sha256:1"}}},
	}, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "x"},
		Spec: corev1.PodSpec{
			NodeName: "w2", InitContainers: []corev1.Container{{Name: "a", Image: "a:1"}}, Containers: []corev1.Container{{Name: "b", Image: "b:1"}},
			EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "c", Image: "c:1"}}},
		},
		Status: corev1.PodStatus{
			InitContainerStatuses:      []corev1.ContainerStatus{{Name: "a", ImageID: "a@sha256:1"}},
			EphemeralContainerStatuses: []corev1.ContainerStatus{{Name: "c", ImageID: "c@sha256:1"}},
		},
	})
	images, err := client.PodImages(t.Context())
	want := []PodImage{
		{"app/web", "w1", "a:1", ""}, {"app/web", "w1", "b:1", "b@sha256:1"},
		{"web/x", "w2", "a:1", "a@sha256:1"}, {"web/x", "w2", "b:1", ""}, {"web/x", "w2", "c:1", "c@sha256:1"},
	}
	if err != nil || !slices.Equal(images, want) {
		t.Errorf("images %+v, %v", images, err)
	}
	clientset.PrependReactor("list", "pods", refuseWith(apierrors.NewForbidden(podResource, "", nil)))
	if images, err := client.PodImages(t.Context()); images != nil || !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "list pods: ") {
		t.Errorf("images %+v, %v", images, err)
	}
}
