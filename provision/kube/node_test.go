package kube

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

var nodeResource = schema.GroupResource{Resource: "nodes"}

func readyNode(name string, status corev1.ConditionStatus, message string) *corev1.Node {
	return &corev1.Node{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status, Message: message}}},
	}
}

func TestNodes(t *testing.T) {
	full := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "cp1", UID: "u-1", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}},
		Spec: corev1.NodeSpec{
			PodCIDR: "10.244.0.0/24", Unschedulable: true,
			Taints: []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule}},
		},
		Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Message: "kubelet is posting ready status"}},
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeHostName, Address: "cp1"}, {Type: corev1.NodeInternalIP, Address: "192.0.2.11"}, {Type: corev1.NodeInternalIP, Address: "2001:db8::1"},
			},
			NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.37.2", ContainerRuntimeVersion: "containerd://2.4.2"},
		},
	}
	unknown := readyNode("w2", corev1.ConditionUnknown, "")
	client, _ := fakeClient(unknown, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}, full)
	got, err := client.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []object.Node{
		{
			Name: "cp1", UID: "u-1", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
			Taints: []object.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}}, Ready: true, Unschedulable: true, KubeletVersion: "v1.37.2",
			PodCIDR: "10.244.0.0/24", InternalIP: "192.0.2.11", ContainerRuntime: "containerd://2.4.2",
		},
		{Name: "w1", ReadyMessage: "the kubelet has not reported its condition"},
		{Name: "w2", ReadyMessage: "the Ready condition is Unknown"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Nodes = %+v\nwant %+v", got, want)
	}
}

func TestDeleteNode(t *testing.T) {
	client, clientset := fakeClient(readyNode("w1", corev1.ConditionTrue, ""))
	for range 2 {
		if err := client.DeleteNode(t.Context(), "w1"); err != nil {
			t.Fatal(err)
		}
	}
	clientset.PrependReactor("delete", "nodes", refuseWith(apierrors.NewForbidden(nodeResource, "w1", nil)))
	if err := client.DeleteNode(t.Context(), "w1"); !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "delete node w1: ") {
		t.Errorf("DeleteNode = %v, want forbidden", err)
	}
	clientset.PrependReactor("list", "nodes", refuseWith(apierrors.NewForbidden(nodeResource, "", nil)))
	if nodes, err := client.Nodes(t.Context()); nodes != nil || !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "list nodes: ") {
		t.Errorf("Nodes = %v, %v, want forbidden", nodes, err)
	}
}

func refuseWith(err error) k8stesting.ReactionFunc {
	return func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, err }
}

// errorsFirst answers with each error once, then leaves the request to the next reactor.
func errorsFirst(errs ...error) k8stesting.ReactionFunc {
	return func(k8stesting.Action) (bool, runtime.Object, error) {
		if len(errs) == 0 {
			return false, nil, nil
		}
		err := errs[0]
		errs = errs[1:]
		return true, nil, err
	}
}

// watches serves one watch after the other; each sends its events and, unless it is the last
// one, ends.
func watches(clientset *fake.Clientset, resource string, sessions ...[]watch.Event) {
	clientset.PrependWatchReactor(resource, func(k8stesting.Action) (bool, watch.Interface, error) {
		w := watch.NewRaceFreeFake()
		if len(sessions) == 0 {
			return true, w, nil
		}
		for _, e := range sessions[0] {
			w.Action(e.Type, e.Object)
		}
		if sessions = sessions[1:]; len(sessions) > 0 {
			w.Stop()
		}
		return true, w, nil
	})
}

func TestWaitNode(t *testing.T) {
	const noCNI = "container runtime network not ready: cni plugin not initialized"
	client, clientset := fakeClient()
	expired := apierrors.NewResourceExpired("too old resource version")
	clientset.PrependReactor("list", "nodes", errorsFirst(errors.New("connection refused"), apierrors.NewServiceUnavailable("starting")))
	watches(clientset, "nodes",
		[]watch.Event{
			{Type: watch.Added, Object: readyNode("other", corev1.ConditionTrue, "")},
			{Type: watch.Added, Object: readyNode("w1", corev1.ConditionFalse, noCNI)},
			{Type: watch.Modified, Object: readyNode("w1", corev1.ConditionFalse, noCNI)},
			{Type: watch.Error, Object: &expired.ErrStatus},
		},
		[]watch.Event{},
		[]watch.Event{
			{Type: watch.Bookmark, Object: readyNode("w1", corev1.ConditionTrue, "")},
			{Type: watch.Deleted, Object: readyNode("w1", corev1.ConditionTrue, "")},
			{Type: watch.Added, Object: readyNode("w1", corev1.ConditionUnknown, "kubelet stopped posting node status")},
			{Type: watch.Modified, Object: readyNode("w1", corev1.ConditionTrue, "")},
		})
	var reasons []string
	if err := client.WaitNode(t.Context(), "w1", true, func(r string) { reasons = append(reasons, r) }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"connection refused", "starting", "the node is not registered", noCNI, "too old resource version",
		"the node is not registered", "kubelet stopped posting node status",
	}
	if !slices.Equal(reasons, want) {
		t.Errorf("reasons %q\nwant %q", reasons, want)
	}
}

func TestWaitNodeSeesWhatIsThere(t *testing.T) {
	client, clientset := fakeClient(readyNode("w1", corev1.ConditionFalse, "no network"), readyNode("w2", corev1.ConditionTrue, ""))
	clientset.PrependWatchReactor("*", func(k8stesting.Action) (bool, watch.Interface, error) {
		t.Error("a watch where the list says enough")
		return true, watch.NewFake(), nil
	})
	if err := client.WaitNode(t.Context(), "w1", false, nil); err != nil {
		t.Error(err)
	}
	if err := client.WaitNode(t.Context(), "w2", true, nil); err != nil {
		t.Error(err)
	}
}

func TestWaitNodeEnds(t *testing.T) {
	client, clientset := fakeClient(readyNode("w1", corev1.ConditionFalse, "no network"))
	ctx, cancel := context.WithCancelCause(t.Context())
	err := client.WaitNode(ctx, "w1", true, func(string) { cancel(context.DeadlineExceeded) })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no network") || !strings.Contains(err.Error(), "node w1") {
		t.Errorf("WaitNode = %v", err)
	}
	clientset.PrependReactor("list", "nodes", refuseWith(apierrors.NewForbidden(nodeResource, "", nil)))
	if err := client.WaitNode(t.Context(), "w1", true, nil); !apierrors.IsForbidden(err) {
		t.Errorf("WaitNode = %v, want forbidden", err)
	}
}

func TestWaitNodeAsksForOneNode(t *testing.T) {
	var selectors []string
	server := apiServer(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		selectors = append(selectors, query.Get("fieldSelector"))
		if query.Get("watch") == "" {
			answerJSON(t, w, http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "NodeList", "metadata": map[string]any{"resourceVersion": "7"}, "items": []any{}})
			return
		}
		if query.Get("resourceVersion") != "7" {
			t.Errorf("watch from %q, want 7", query.Get("resourceVersion"))
		}
		answerJSON(t, w, http.StatusOK, map[string]any{"type": "ADDED", "object": readyNode("w1", corev1.ConditionTrue, "")})
	})
	if err := connect(t, server).WaitNode(t.Context(), "w1", true, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"metadata.name=w1", "metadata.name=w1"}; !slices.Equal(selectors, want) {
		t.Errorf("field selectors %q, want %q", selectors, want)
	}
}

// lookOn calls look and leaves requests to the next reactor.
func lookOn(look func()) k8stesting.ReactionFunc {
	return func(k8stesting.Action) (bool, runtime.Object, error) {
		look()
		return false, nil, nil
	}
}
