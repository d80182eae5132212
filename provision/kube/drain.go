package kube

import (
	"context"
	"errors"
	"fmt"
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
	// overdue is how long after the end of its grace period a pod counts as one that nobody ends.
	overdue = 30 * time.Second
)

// ErrBudget says that a drain came to its end because disruption budgets allowed no more.
var ErrBudget = errors.New("disruption budgets do not allow it")

// DrainOptions say how to drain. The zero value uses each pod's own grace period, ends with
// the context only, and reports nothing.
type DrainOptions struct {
	// GracePeriod is what each pod gets to end, in whole seconds; 0 is the pod's own.
	GracePeriod time.Duration
	// Timeout bounds the whole drain; 0 leaves it to the context.
	Timeout time.Duration
	// Force is the time after which budgets are passed by: pods are deleted, and those that nobody ends are dropped. 0 is never.
	Force time.Duration
	// Report gets what the drain waits for whenever it changes.
	Report func(reason string)
}

// Drain cordons a node and evicts its pods, then waits until they are gone. Disruption budgets
// are respected: an eviction that one forbids is tried again until the end of the timeout or
// context, whose error holds the last reason and wraps ErrBudget. The node stays cordoned, also after an error.
//
// Pods of DaemonSets and static pods stay. All others go, with what they keep in emptyDir
// volumes; a pod without a controller does not come back. A node that does not exist counts as
// drained.
func (c *Client) Drain(ctx context.Context, node string, opts DrainOptions) error {
	ctx, cancel := limited(ctx, opts.Timeout)
	defer cancel()
	cordon := true
	if err := c.ChangeNode(ctx, node, object.NodeChange{Unschedulable: &cordon}); err != nil {
		return absentIsFine(err, "drain node "+node)
	}
	w := &waiting{what: "drain node " + node, report: opts.Report}
	var held []error // by budgets, when it was looked last
	for delay, begin := c.retry, c.now(); ; {
		left, blocked, err := c.drainOnce(undated{ctx}, node, opts.GracePeriod, opts.ending(c.now().Sub(begin)))
		switch {
		case ctx.Err() != nil:
			return drainEnded(w.ended(ctx), held)
		case err != nil && !transient(err):
			return fmt.Errorf("%s: %w", w.what, err)
		case err != nil:
			w.failed(err)
		case len(left) == 0:
			return nil
		default:
			w.note(drainReason(left, blocked))
		}
		if held = blocked; len(blocked) == 0 {
			delay = c.retry
		}
		if pause(ctx, delay) != nil {
			return drainEnded(w.ended(ctx), held)
		}
		delay = min(2*delay, drainBackoffLimit*c.retry)
	}
}

// drainEnded is the error of a drain that has run out of time.
func drainEnded(err error, held []error) error {
	if len(held) == 0 {
		return err
	}
	return &heldUp{err}
}

// heldUp is the error of a drain that budgets kept from its end; its text has them and their pods.
type heldUp struct{ error }

// Unwrap implements error wrapping.
func (e *heldUp) Unwrap() error { return e.error }

// Is says that it is an ErrBudget.
func (e *heldUp) Is(target error) bool { return target == ErrBudget } //nolint:errorlint // that is what Is is for

// ending has a pod end. wait is an error that stands for "not yet".
type ending func(ctx context.Context, c *Client, pod *corev1.Pod, grace time.Duration) (wait, err error)

// ending is how pods end after some time of a drain.
func (o DrainOptions) ending(after time.Duration) ending {
	if o.Force > 0 && after >= o.Force {
		return terminate
	}
	return evict
}

// drainOnce ends what is not yet on its way and returns the pods that are still there, and
// the errors that stand for "not yet".
func (c *Client) drainOnce(ctx context.Context, node string, grace time.Duration, end ending) (left []string, blocked []error, err error) {
	pods, err := c.podsOn(ctx, node)
	if err != nil {
		return nil, nil, err
	}
	for i := range pods {
		pod := &pods[i]
		if stays(pod) {
			continue
		}
		left = append(left, pod.Namespace+"/"+pod.Name)
		wait, err := end(ctx, c, pod, grace)
		if err != nil {
			return left, nil, err
		}
		if wait != nil {
			blocked = append(blocked, wait)
		}
	}
	return left, blocked, nil
}

// terminate deletes a pod whatever budgets say, and drops one that is overdue: its kubelet does not end it.
func terminate(ctx context.Context, c *Client, pod *corev1.Pod, grace time.Duration) (wait, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if pod.DeletionTimestamp != nil {
		if c.now().Sub(pod.DeletionTimestamp.Time) < overdue { // which is at the end of its grace period
			return nil, nil
		}
		return nil, c.drop(ctx, pod)
	}
	err = c.clientset.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *graceful(pod, grace))
	if apierrors.IsConflict(err) {
		return nil, nil
	}
	if err = absentIsFine(err, fmt.Sprintf("delete pod %s/%s", pod.Namespace, pod.Name)); err != nil && transient(err) {
		return err, nil
	}
	return nil, err
}

// graceful are the options with which a pod goes: this very one, within a time.
func graceful(pod *corev1.Pod, grace time.Duration) *metav1.DeleteOptions {
	options := &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
	if grace > 0 {
		seconds := int64(grace / time.Second)
		options.GracePeriodSeconds = &seconds
	}
	return options
}

// evict asks for a pod's eviction. wait is an error that stands for "not yet".
func evict(ctx context.Context, c *Client, pod *corev1.Pod, grace time.Duration) (wait, err error) {
	if pod.DeletionTimestamp != nil {
		return nil, nil // it is on its way
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err = c.clientset.PolicyV1().Evictions(pod.Namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: graceful(pod, grace),
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

// drainReason says what a drain waits for: every pod that is held up with what holds it, or who is still ending.
func drainReason(left []string, blocked []error) string {
	if len(blocked) == 0 {
		return fmt.Sprintf("%d pods are ending: %s", len(left), several(left))
	}
	var reasons []string
	for _, each := range blocked[:min(len(blocked), podsNamed)] {
		reason := each.Error()
		var status apierrors.APIStatus
		if errors.As(each, &status) && status.Status().Details != nil {
			for _, cause := range status.Status().Details.Causes {
				reason += " " + cause.Message
			}
		}
		reasons = append(reasons, reason)
	}
	if more := len(blocked) - len(reasons); more > 0 {
		reasons = append(reasons, fmt.Sprintf("and %d more pods", more))
	}
	return strings.Join(reasons, "; ")
}

// limited bounds a context by a timeout, unless that is 0.
func limited(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
