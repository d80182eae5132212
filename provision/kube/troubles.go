package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// troubleInterval is the pause between two looks at the pods of a workload.
	troubleInterval = 2 * time.Second
	// imagePatience is how long an error that looks permanent must last to be believed.
	imagePatience = 20 * time.Second
)

// ErrImage says that an image cannot be pulled, and that waiting will not help.
var ErrImage = errors.New("an image cannot be pulled")

// troubles looks at what ails the pods of a workload.
type troubles struct {
	client    *Client
	namespace string
	selector  string
	images    []string // of the form that is waited for
	note      func(string)
	interval  time.Duration

	mu    sync.Mutex
	found []string
	since map[string]time.Time // first seen, of errors that look permanent
}

// newTroubles looks for the pods of an object; it finds none for one that has no pods.
func newTroubles(c *Client, u *unstructured.Unstructured, note func(string)) *troubles {
	t := &troubles{client: c, namespace: u.GetNamespace(), note: note, interval: min(troubleInterval, c.retry*4), since: map[string]time.Time{}}
	if u.GetKind() == "Job" {
		t.selector = labels.Set{"batch.kubernetes.io/job-name": u.GetName()}.String()
	} else if match, ok, err := unstructured.NestedStringMap(u.Object, "spec", "selector", "matchLabels"); ok && err == nil {
		t.selector = labels.Set(match).String()
	}
	for _, field := range []string{"initContainers", "containers"} {
		containers, _, err := unstructured.NestedSlice(u.Object, "spec", "template", "spec", field)
		if err != nil {
			continue
		}
		for _, container := range containers {
			if fields, ok := container.(map[string]any); ok {
				t.images = append(t.images, object.TextOf(fields["image"]))
			}
		}
	}
	return t
}

// last is what was found at the last look.
func (t *troubles) last() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.found
}

// follow looks again and again until the context ends, and ends it when there is no hope.
func (t *troubles) follow(ctx context.Context, end context.CancelCauseFunc) {
	if t.selector == "" {
		return
	}
	for pause(ctx, t.interval) == nil {
		listCtx, cancel := context.WithTimeout(ctx, requestTimeout)
		pods, err := t.client.clientset.CoreV1().Pods(t.namespace).List(listCtx, metav1.ListOptions{LabelSelector: t.selector})
		cancel()
		if err != nil {
			continue // the wait for the object itself judges errors of the API server
		}
		if hopeless := t.look(pods.Items); hopeless != "" {
			end(fmt.Errorf("%w: %s", ErrImage, hopeless))
			return
		}
	}
}

// look notes what is new, and returns what will not pass by itself.
func (t *troubles) look(pods []corev1.Pod) (hopeless string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []string
	lasting := map[string]time.Time{}
	for _, pod := range pods {
		for _, trouble := range t.of(&pod) {
			found = append(found, trouble.text)
			if !trouble.permanent {
				continue
			}
			first, seen := t.since[trouble.key]
			if !seen {
				first = t.client.now()
			}
			lasting[trouble.key] = first
			if t.client.now().Sub(first) >= imagePatience {
				hopeless = trouble.text
			}
		}
	}
	for _, text := range found {
		if !slices.Contains(t.found, text) {
			t.note(text)
		}
	}
	t.found, t.since = found, lasting
	return hopeless
}

// trouble is what ails a pod or one of its containers.
type trouble struct {
	key, text string
	permanent bool
}

func (t *troubles) of(pod *corev1.Pod) []trouble {
	var all []trouble
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			all = append(all, trouble{text: "pod " + pod.Name + ": " + c.Message})
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		waits := status.State.Waiting
		if waits == nil || waits.Reason == "ContainerCreating" || waits.Reason == "PodInitializing" {
			continue
		}
		found := trouble{
			key:  pod.Name + "/" + status.Name,
			text: fmt.Sprintf("pod %s on %s: image %s: %s: %s", pod.Name, pod.Spec.NodeName, status.Image, waits.Reason, waits.Message),
		}
		// Pods of an older form are on their way out.
		found.permanent = permanentPull(waits) && slices.Contains(t.images, imageOf(pod, status.Name))
		all = append(all, found)
	}
	return all
}

func imageOf(pod *corev1.Pod, container string) string {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if c.Name == container {
			return c.Image
		}
	}
	return ""
}

// permanentPull judges a failed pull by the words of the runtime and the registry: the kubelet
// has no field for it. What is not known counts as transient.
func permanentPull(waits *corev1.ContainerStateWaiting) bool {
	switch waits.Reason {
	case "InvalidImageName", "ErrImageNeverPull":
		return true
	case "ErrImagePull", "ImagePullBackOff":
	default:
		return false
	}
	return slices.ContainsFunc([]string{
		": not found", "401 Unauthorized", "403 Forbidden", "insufficient_scope", "no basic auth credentials", "authorization failed",
		"x509: ", "server gave HTTP response to HTTPS client",
	}, func(words string) bool { return strings.Contains(waits.Message, words) })
}
