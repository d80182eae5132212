package kube

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// DaemonSetReady tells whether a DaemonSet is rolled out: its newest form runs and is available
// on all nodes that it is meant for. If not, the reason says how far it is; an absent one is
// not ready.
func (c *Client) DaemonSetReady(ctx context.Context, namespace, name string) (ready bool, reason string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	set, err := c.clientset.AppsV1().DaemonSets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		set, err = nil, nil
	}
	if err != nil {
		return false, "", fmt.Errorf("get DaemonSet %s/%s: %w", namespace, name, err)
	}
	ready, reason = rolledOut(set)
	return ready, reason, nil
}

// WaitDaemonSet waits until DaemonSetReady. report, which may be nil, gets the reason whenever
// it changes; the error at the context's end holds the last one.
func (c *Client) WaitDaemonSet(ctx context.Context, namespace, name string, report func(reason string)) error {
	w := &waiting{what: "wait for DaemonSet " + namespace + "/" + name, report: report}
	sets := c.clientset.AppsV1().DaemonSets(namespace)
	from := source{
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return sets.List(ctx, o) },
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) { return sets.Watch(ctx, o) },
	}
	return waitObject(ctx, c, w, name, from, rolledOut)
}

// rolledOut follows `kubectl rollout status`.
func rolledOut(set *appsv1.DaemonSet) (bool, string) {
	if set == nil {
		return false, "the DaemonSet does not exist"
	}
	status := set.Status
	switch want := status.DesiredNumberScheduled; {
	case status.ObservedGeneration < set.Generation:
		return false, "the controller has not seen the newest form"
	case status.UpdatedNumberScheduled < want:
		return false, fmt.Sprintf("%d of %d pods are of the newest form", status.UpdatedNumberScheduled, want)
	case status.NumberAvailable < want:
		return false, fmt.Sprintf("%d of %d pods are available", status.NumberAvailable, want)
	}
	return true, ""
}
