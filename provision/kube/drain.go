package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// drainBackoffLimit is how many times the retry interval the pause between two tries grows
	// to while a disruption budget holds an eviction up.
	drainBackoffLimit = 10
	// podsNamed is how many pods a report names at most.
	podsNamed = 5
)

// DrainOptions say how to drain. The zero value uses each pod's own grace period, ends with
// the context only, and reports nothing.
type DrainOptions struct {
	// GracePeriod is what each pod gets to end, in whole seconds; 0 is the pod's own.
	GracePeriod time.Duration
	// Timeout bounds the whole drain; 0 leaves it to the context.
	Timeout time.Duration
	// Report gets what the drain waits for whenever it changes.
	Report func(reason string)
}

// Drain cordons a node and evicts its pods, then waits until they are gone. Disruption budgets
// are respected: an eviction that one forbids is tried again until the end of the timeout or
// context, whose error holds the last reason. The node stays cordoned, also after an error.
//
// Pods of DaemonSets and static pods stay. All others go, with what they keep in emptyDir
// volumes; a pod without a controller does not come back. A node that does not exist counts as
// drained.
func (c *Client) Drain(ctx context.Context, node string, opts DrainOptions) error {
	ctx, cancel := limited(ctx, opts.Timeout)
	defer cancel()
	cordon := true
	err := c.ChangeNode(ctx, node, object.NodeChange{Unschedulable: &cordon})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("drain node %s: %w", node, err)
	}
	w := &waiting{what: "drain node " + node, report: opts.Report}
	for delay := c.retry; ; {
		left, blocked, err := c.drainOnce(undated{ctx}, node, opts)
		switch {
		case ctx.Err() != nil:
			return w.ended(ctx)
		case err != nil && !transient(err):
			return fmt.Errorf("%s: %w", w.what, err)
		case err != nil:
			w.failed(err)
		case len(left) == 0:
			return nil
		default:
			w.note(drainReason(left, blocked))
		}
		if blocked == nil {
			delay = c.retry
		}
		if pause(ctx, delay) != nil {
			return w.ended(ctx)
		}
		delay = min(2*delay, drainBackoffLimit*c.retry)
	}
}

// drainOnce evicts what is not yet on its way and returns the pods that are still there, and
// the first error that stands for "not yet".
func (c *Client) drainOnce(ctx context.Context, node string, opts DrainOptions) (left []string, blocked, err error) {
	listCtx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	pods, err := c.clientset.CoreV1().Pods(metav1.NamespaceAll).List(listCtx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		return nil, nil, fmt.Errorf("list pods: %w", err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Spec.NodeName != node || stays(pod) {
			continue
		}
		left = append(left, pod.Namespace+"/"+pod.Name)
		if pod.DeletionTimestamp != nil {
			continue
		}
		wait, err := c.evict(ctx, pod, opts.GracePeriod)
		if err != nil {
			return left, nil, err
		}
		if blocked == nil {
			blocked = wait
		}
	}
	slices.Sort(left)
	return left, blocked, nil
}

// evict asks for a pod's eviction. wait is an error that stands for "not yet".
func (c *Client) evict(ctx context.Context, pod *corev1.Pod, grace time.Duration) (wait, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	options := &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
	if grace > 0 {
		seconds := int64(grace / time.Second)
		options.GracePeriodSeconds = &seconds
	}
	err = c.clientset.PolicyV1().Evictions(pod.Namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: options,
	})
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return nil, nil // evicted, gone, or gone and replaced under the same name
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, nil // it goes with its namespace
	}
	err = fmt.Errorf("evict pod %s/%s: %w", pod.Namespace, pod.Name, err)
	if transient(err) {
		return err, nil
	}
	return nil, err
}

// stays tells whether a drain leaves a pod alone: a static pod's mirror, which only the
// kubelet can end, or a pod that its DaemonSet would put back at once.
func stays(pod *corev1.Pod) bool {
	if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return true
	}
	controller := metav1.GetControllerOf(pod)
	return controller != nil && controller.Kind == "DaemonSet"
}

// drainReason says what a drain waits for.
func drainReason(left []string, blocked error) string {
	if blocked == nil {
		names := left
		if len(left) > podsNamed {
			names = append(slices.Clone(left[:podsNamed]), "…")
		}
		return fmt.Sprintf("%d pods are ending: %s", len(left), strings.Join(names, ", "))
	}
	reason := blocked.Error()
	var status apierrors.APIStatus
	if errors.As(blocked, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			reason += " " + cause.Message
		}
	}
	return reason
}

// limited bounds a context by a timeout, unless that is 0.
func limited(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
