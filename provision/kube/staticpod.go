package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fairlead/provision/object"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// ErrCrash says that a container ends again and again, and that waiting will not help.
var ErrCrash = errors.New("it ends again and again")

// crashes is how often a container must have been started again to be given up. The kubelet
// waits for 10 s before the second time and for 20 s before the third.
const crashes = 3

// WaitStaticPod waits until the pod in kube-system that stands for a static pod is as its
// manifest says, and Ready. A container that ends again and again ends the wait with ErrCrash
// and the last lines that it wrote.
func (c *Client) WaitStaticPod(ctx context.Context, name string, manifest map[string]any, report func(reason string)) error {
	// The API server is not asked for the kind: it may be the one whose pod is awaited.
	pods := c.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(metav1.NamespaceSystem)
	want := map[string]any{"spec": map[string]any{}}
	if spec, ok := manifest["spec"].(map[string]any); ok {
		want["spec"] = map[string]any{"containers": spec["containers"], "volumes": spec["volumes"]}
	}
	w := &waiting{what: "wait for static pod " + name, report: report}
	crashed := ""
	err := waitObject(ctx, c, w, name, sourceOf(pods), func(live *unstructured.Unstructured) (bool, string) {
		if live == nil {
			return false, "the kubelet has not shown it yet"
		}
		if paths := object.Differences(want, live.Object); len(paths) > 0 {
			return false, "it still runs with another " + strings.Join(paths, ", ")
		}
		var reason string
		reason, crashed = podUnready(live.Object)
		return reason == "" || crashed != "", reason
	})
	if err == nil && crashed != "" {
		return fmt.Errorf("%s: %w: %s", w.what, ErrCrash, c.lastWords(ctx, name, crashed))
	}
	return err
}

// lastWords are the last lines that a container wrote before it ended.
func (c *Client) lastWords(ctx context.Context, pod, container string) string {
	lines := int64(5)
	options := &corev1.PodLogOptions{Container: container, Previous: true, TailLines: &lines}
	text, err := c.clientset.CoreV1().Pods(metav1.NamespaceSystem).GetLogs(pod, options).DoRaw(ctx)
	if err != nil {
		return fmt.Sprintf("its log cannot be read: %v", err)
	}
	return strings.TrimSpace(string(text))
}

// podUnready says why a pod is not Ready, in the kubelet's words, and which container of it
// ends again and again.
func podUnready(live map[string]any) (reason, crashed string) {
	var pod corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live, &pod); err != nil {
		return fmt.Sprintf("it cannot be read: %v", err), ""
	}
	for _, c := range pod.Status.ContainerStatuses {
		waits := c.State.Waiting
		if waits == nil || waits.Reason == "" {
			continue
		}
		if c.RestartCount >= crashes {
			crashed = c.Name
		}
		return strings.TrimSpace(fmt.Sprintf("container %s: %s %s", c.Name, waits.Reason, waits.Message)), crashed
	}
	return object.Condition("Ready")(live), ""
}

// WaitHeartbeat waits until the kubelet of a node renews its lease once more than it has.
func (c *Client) WaitHeartbeat(ctx context.Context, node string, report func(reason string)) error {
	leases := c.clientset.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	from := source{
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return leases.List(ctx, o) },
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return leases.Watch(ctx, o)
		},
	}
	w := &waiting{what: "wait for the kubelet of " + node, report: report}
	var first *metav1.MicroTime
	return waitObject(ctx, c, w, node, from, func(lease *coordinationv1.Lease) (bool, string) {
		if lease == nil || lease.Spec.RenewTime == nil {
			return false, "it has not been heard of"
		}
		if first == nil {
			first = lease.Spec.RenewTime
		}
		return first.Before(lease.Spec.RenewTime), "it was last heard of at " + lease.Spec.RenewTime.UTC().Format("15:04:05")
	})
}
