package kube

import (
	"encoding/json"
	"maps"
	"testing"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Each change is worked out from a node with the labels a=1 and c="", and the taints k=v:NoSchedule
// and k=v:NoExecute.
func TestNodePatch(t *testing.T) {
	text := func(s string) *string { return &s }
	yes, no := true, false
	for title, c := range map[string]struct {
		cordoned bool
		change   object.NodeChange
		want     string
	}{
		"nothing":                   {false, object.NodeChange{}, ""},
		"label as it is":            {false, object.NodeChange{Labels: map[string]*string{"a": text("1")}}, ""},
		"empty label as it is":      {false, object.NodeChange{Labels: map[string]*string{"c": text("")}}, ""},
		"absent label stays absent": {false, object.NodeChange{Labels: map[string]*string{"b": nil}}, ""},
		"label that becomes empty":  {false, object.NodeChange{Labels: map[string]*string{"a": text("")}}, `{"metadata":{"labels":{"a":""},"resourceVersion":"41"},"spec":{}}`},
		"empty label that is new":   {false, object.NodeChange{Labels: map[string]*string{"b": text("")}}, `{"metadata":{"labels":{"b":""},"resourceVersion":"41"},"spec":{}}`},
		"empty label that goes":     {false, object.NodeChange{Labels: map[string]*string{"c": nil}}, `{"metadata":{"labels":{"c":null},"resourceVersion":"41"},"spec":{}}`},
		"an annotation":             {false, object.NodeChange{Annotations: map[string]*string{"a": text("1")}}, `{"metadata":{"annotations":{"a":"1"},"resourceVersion":"41"},"spec":{}}`},
		"cordoned already":          {true, object.NodeChange{Unschedulable: &yes}, ""},
		"to be uncordoned":          {true, object.NodeChange{Unschedulable: &no}, `{"metadata":{"resourceVersion":"41"},"spec":{"unschedulable":false}}`},
		"cordon is left":            {true, object.NodeChange{Labels: map[string]*string{"a": nil}}, `{"metadata":{"labels":{"a":null},"resourceVersion":"41"},"spec":{}}`},
		"taint as it is":            {false, object.NodeChange{AddTaints: []object.Taint{{Key: "k", Value: "v", Effect: "NoExecute"}}}, ""},
		"taint removed and added":   {false, object.NodeChange{RemoveTaints: []object.Taint{{Key: "k", Value: "", Effect: "NoExecute"}}, AddTaints: []object.Taint{{Key: "k", Value: "v", Effect: "NoExecute"}}}, ""},
		"another key is removed":    {false, object.NodeChange{RemoveTaints: []object.Taint{{Key: "l", Value: "", Effect: ""}, {Key: "k", Value: "v", Effect: "PreferNoSchedule"}}}, ""},
		"another value": {false, object.NodeChange{AddTaints: []object.Taint{{Key: "k", Value: "", Effect: "NoSchedule"}}},
			`{"metadata":{"resourceVersion":"41"},"spec":{"taints":[{"effect":"NoSchedule","key":"k"},{"effect":"NoExecute","key":"k","value":"v"}]}}`},
		"another effect": {false, object.NodeChange{AddTaints: []object.Taint{{Key: "k", Value: "v", Effect: "PreferNoSchedule"}}},
			`{"metadata":{"resourceVersion":"41"},"spec":{"taints":[{"effect":"NoSchedule","key":"k","value":"v"},{"effect":"NoExecute","key":"k","value":"v"},{"effect":"PreferNoSchedule","key":"k","value":"v"}]}}`},
		"one effect is removed": {false, object.NodeChange{RemoveTaints: []object.Taint{{Key: "k", Value: "", Effect: "NoExecute"}}},
			`{"metadata":{"resourceVersion":"41"},"spec":{"taints":[{"effect":"NoSchedule","key":"k","value":"v"}]}}`},
	} {
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "w1", ResourceVersion: "41", Labels: map[string]string{"a": "1", "c": ""}},
			Spec: corev1.NodeSpec{Unschedulable: c.cordoned, Taints: []corev1.Taint{
				{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule}, {Key: "k", Value: "v", Effect: corev1.TaintEffectNoExecute},
			}},
		}
		before, labels := node.DeepCopy(), maps.Clone(c.change.Labels)
		patch, err := nodePatch(node, c.change)
		if err != nil {
			t.Fatal(err)
		}
		if got := sortedJSON(t, patch); got != c.want {
			t.Errorf("%s: %s\nwant %s", title, got, c.want)
		}
		if len(node.Spec.Taints) != 2 || node.Spec.Taints[0] != before.Spec.Taints[0] || node.Spec.Taints[1] != before.Spec.Taints[1] || !maps.Equal(labels, c.change.Labels) {
			t.Errorf("%s: node or change were changed", title)
		}
	}
}

func sortedJSON(t *testing.T, text []byte) string {
	t.Helper()
	if text == nil {
		return ""
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}

func TestReadiness(t *testing.T) {
	for _, c := range []struct {
		conditions []corev1.NodeCondition
		ready      bool
		why        string
	}{
		{nil, false, "the kubelet has not reported its condition"},
		{[]corev1.NodeCondition{{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue, Message: "m"}}, false, "the kubelet has not reported its condition"},
		{[]corev1.NodeCondition{{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Message: "m"}, {Type: corev1.NodeReady, Status: corev1.ConditionTrue, Message: "m"}}, true, ""},
		{[]corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "R", Message: "m"}}, false, "m"},
		{[]corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "R"}}, false, "R"},
		{[]corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}, false, "the Ready condition is Unknown"},
	} {
		node := nodeOf(&corev1.Node{Status: corev1.NodeStatus{Conditions: c.conditions}})
		if node.Ready != c.ready || node.ReadyMessage != c.why {
			t.Errorf("%+v: %v, %q", c.conditions, node.Ready, node.ReadyMessage)
		}
	}
}
