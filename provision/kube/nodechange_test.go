package kube

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"
)

func ptr[T any](v T) *T { return &v }

const (
	noSchedule = corev1.TaintEffectNoSchedule
	noExecute  = corev1.TaintEffectNoExecute
)

func changeableNode() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: "w1", ResourceVersion: "41",
			Labels:      map[string]string{"keep": "1", "disk": "ssd", "gone": "x"},
			Annotations: map[string]string{"note": "a"},
		},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{
			{Key: "gpu", Value: "true", Effect: noSchedule}, {Key: "gpu", Value: "true", Effect: noExecute}, {Key: "foreign", Effect: noSchedule},
		}},
	}
}

func TestChangeNode(t *testing.T) {
	change := object.NodeChange{
		Labels:        map[string]*string{"disk": ptr("hdd"), "gone": nil, "never": nil, "keep": ptr("1"), "new": ptr("")},
		Annotations:   map[string]*string{"note": nil, "other": ptr("b")},
		AddTaints:     []object.Taint{{Key: "gpu", Value: "false", Effect: "NoExecute"}, {Key: "role", Value: "", Effect: "NoSchedule"}},
		RemoveTaints:  []object.Taint{{Key: "gpu", Value: "", Effect: ""}, {Key: "absent", Value: "", Effect: "NoSchedule"}},
		Unschedulable: ptr(true),
	}
	client, clientset := fakeClient(changeableNode())
	if err := client.ChangeNode(t.Context(), "w1", change); err != nil {
		t.Fatal(err)
	}
	got, err := clientset.CoreV1().Nodes().Get(t.Context(), "w1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"keep": "1", "disk": "hdd", "new": ""}; !reflect.DeepEqual(got.Labels, want) {
		t.Errorf("labels %v, want %v", got.Labels, want)
	}
	if want := map[string]string{"other": "b"}; !reflect.DeepEqual(got.Annotations, want) {
		t.Errorf("annotations %v, want %v", got.Annotations, want)
	}
	wantTaints := []corev1.Taint{{Key: "gpu", Value: "false", Effect: noExecute}, {Key: "foreign", Effect: noSchedule}, {Key: "role", Effect: noSchedule}}
	if !reflect.DeepEqual(got.Spec.Taints, wantTaints) || !got.Spec.Unschedulable {
		t.Errorf("taints %v, want %v; unschedulable %v", got.Spec.Taints, wantTaints, got.Spec.Unschedulable)
	}
	clientset.ClearActions()
	if err := client.ChangeNode(t.Context(), "w1", change); err != nil {
		t.Fatal(err)
	}
	if actions := clientset.Actions(); len(actions) != 1 || actions[0].GetVerb() != "get" {
		t.Errorf("the second time: %v", actions)
	}
}

func TestChangeNodePatch(t *testing.T) {
	for name, c := range map[string]struct {
		change object.NodeChange
		want   string
	}{
		"nothing":        {object.NodeChange{}, ""},
		"as it is":       {object.NodeChange{Labels: map[string]*string{"disk": ptr("ssd")}, Unschedulable: ptr(false), AddTaints: []object.Taint{{Key: "foreign", Value: "", Effect: "NoSchedule"}}}, ""},
		"a label":        {object.NodeChange{Labels: map[string]*string{"gone": nil, "keep": ptr("1")}}, `{"metadata":{"labels":{"gone":null},"resourceVersion":"41"},"spec":{}}`},
		"cordon":         {object.NodeChange{Unschedulable: ptr(true)}, `{"metadata":{"resourceVersion":"41"},"spec":{"unschedulable":true}}`},
		"one effect":     {object.NodeChange{RemoveTaints: []object.Taint{{Key: "gpu", Value: "other", Effect: "NoSchedule"}, {Key: "foreign", Value: "", Effect: ""}}}, `{"metadata":{"resourceVersion":"41"},"spec":{"taints":[{"effect":"NoExecute","key":"gpu","value":"true"}]}}`},
		"the last taint": {object.NodeChange{RemoveTaints: []object.Taint{{Key: "gpu", Value: "", Effect: ""}, {Key: "foreign", Value: "", Effect: ""}}}, `{"metadata":{"resourceVersion":"41"},"spec":{"taints":[]}}`},
	} {
		got, err := nodePatch(changeableNode(), c.change)
		if err != nil {
			t.Fatal(err)
		}
		var sorted any
		if len(got) > 0 {
			if err := json.Unmarshal(got, &sorted); err != nil {
				t.Fatal(err)
			}
			if got, err = json.Marshal(sorted); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != c.want {
			t.Errorf("%s: patch %s, want %s", name, got, c.want)
		}
	}
}

func TestChangeNodeConflict(t *testing.T) {
	conflict := apierrors.NewConflict(nodeResource, "w1", nil)
	client, clientset := fakeClient(changeableNode())
	clientset.PrependReactor("patch", "nodes", errorsFirst(conflict, conflict))
	change := object.NodeChange{Labels: map[string]*string{"disk": ptr("hdd")}}
	if err := client.ChangeNode(t.Context(), "w1", change); err != nil {
		t.Fatal(err)
	}
	var verbs []string
	for _, a := range clientset.Actions() {
		verbs = append(verbs, a.GetVerb())
		if p, ok := a.(k8stesting.PatchAction); ok && !strings.Contains(string(p.GetPatch()), `"resourceVersion":"`) {
			t.Errorf("patch without resource version: %s", p.GetPatch())
		}
	}
	if got := strings.Join(verbs, " "); got != "get patch get patch get patch" {
		t.Errorf("requests %s", got)
	}
	tries := 0
	clientset.PrependReactor("patch", "nodes", func(k8stesting.Action) (bool, runtime.Object, error) {
		tries++
		return true, nil, conflict
	})
	if err := client.ChangeNode(t.Context(), "w1", object.NodeChange{Unschedulable: ptr(true)}); !apierrors.IsConflict(err) || tries != conflictTries {
		t.Errorf("ChangeNode = %v after %d tries, want conflict", err, tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tries = 0
	if err := client.ChangeNode(ctx, "w1", object.NodeChange{Unschedulable: ptr(true)}); err == nil || tries > 1 {
		t.Errorf("ChangeNode = %v after %d tries and its end", err, tries)
	}
	if err := client.ChangeNode(t.Context(), "absent", change); !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("ChangeNode = %v, want not found", err)
	}
}
