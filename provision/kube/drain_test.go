package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

var podResource = schema.GroupResource{Resource: "pods"}

func pod(name, node string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: name, UID: types.UID("uid-" + name)}, Spec: corev1.PodSpec{NodeName: node}}
	if change != nil {
		change(p)
	}
	return p
}

func controlledBy(kind string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: "x", Controller: ptr(true)}}
	}
}

func budgetForbids() error {
	err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Message: "The disruption budget web needs 2 healthy pods and has 2 currently"}}
	return err
}

// evictions makes evicted pods go: answer decides by pod and by how often it was asked to.
func evictions(t *testing.T, clientset *fake.Clientset, answer func(name string, try int) error) *[]string {
	t.Helper()
	tries, log := map[string]int{}, &[]string{}
	clientset.PrependReactor("create", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
		if action.GetSubresource() != "eviction" {
			return false, nil, nil
		}
		e, ok := action.(k8stesting.CreateAction).GetObject().(*policyv1.Eviction)
		if !ok {
			t.Fatalf("evicted with %T", action.(k8stesting.CreateAction).GetObject())
		}
		grace := "own"
		if s := e.DeleteOptions.GracePeriodSeconds; s != nil {
			grace = fmt.Sprint(*s)
		}
		tries[e.Name]++
		*log = append(*log, fmt.Sprintf("%s/%s %s %s", e.Namespace, e.Name, *e.DeleteOptions.Preconditions.UID, grace))
		if err := answer(e.Name, tries[e.Name]); err != nil {
			return true, nil, err
		}
		return true, nil, clientset.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), e.Namespace, e.Name)
	})
	return log
}

func TestDrain(t *testing.T) {
	client, clientset := fakeClient(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}},
		pod("web", "w1", controlledBy("ReplicaSet")),
		pod("bare", "w1", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		}),
		pod("agent", "w1", controlledBy("DaemonSet")),
		pod("static", "w1", func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"} }),
		pod("elsewhere", "w2", controlledBy("ReplicaSet")),
	)
	log := evictions(t, clientset, func(name string, try int) error {
		switch {
		case name == "web" && try < 3:
			return budgetForbids()
		case name == "bare" && try == 1:
			return errors.New("connection reset")
		}
		return nil
	})
	var reasons []string
	opts := DrainOptions{GracePeriod: 30 * time.Second, Report: func(r string) { reasons = append(reasons, r) }}
	if err := client.Drain(t.Context(), "w1", opts); err != nil {
		t.Fatal(err)
	}
	wantLog := []string{"app/bare uid-bare 30", "app/bare uid-bare 30", "app/web uid-web 30", "app/web uid-web 30", "app/web uid-web 30"}
	slices.Sort(*log)
	if !slices.Equal(*log, wantLog) {
		t.Errorf("evictions %q\nwant %q", *log, wantLog)
	}
	if text := strings.Join(reasons, "; "); !strings.Contains(text, "evict pod app/web: Cannot evict pod") || !strings.Contains(text, "needs 2 healthy pods") {
		t.Errorf("reasons %q", reasons)
	}
	left, err := clientset.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range left.Items {
		names = append(names, p.Name)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"agent", "elsewhere", "static"}) {
		t.Errorf("left %q", names)
	}
	if node, err := clientset.CoreV1().Nodes().Get(t.Context(), "w1", metav1.GetOptions{}); err != nil || !node.Spec.Unschedulable {
		t.Errorf("node %v, %v: not cordoned", node, err)
	}
}

func TestDrainWaitsForEndingPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := metav1.Now()
		client, clientset := fakeClient(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}})
		client.retry = retryInterval
		for i := range 7 {
			ending := pod(fmt.Sprintf("web-%d", i), "w1", func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &now, []string{"x"} })
			if err := clientset.Tracker().Add(ending); err != nil {
				t.Fatal(err)
			}
		}
		log := evictions(t, clientset, func(string, int) error { return nil })
		var reasons []string
		began := time.Now()
		err := client.Drain(t.Context(), "w1", DrainOptions{Timeout: time.Minute, Report: func(r string) { reasons = append(reasons, r) }})
		want := "7 pods are ending: app/web-0, app/web-1, app/web-2, app/web-3, app/web-4, …"
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), "; last seen: "+want) || !slices.Equal(reasons, []string{want}) {
			t.Errorf("Drain = %v, reported %q", err, reasons)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v", took)
		}
		if len(*log) != 0 {
			t.Errorf("evicted again: %q", *log)
		}
	})
}

func TestDrainEnds(t *testing.T) {
	client, clientset := fakeClient(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}, pod("web", "w1", nil))
	if err := client.Drain(t.Context(), "absent", DrainOptions{}); err != nil {
		t.Errorf("absent node: %v", err)
	}
	var answer error
	evictions(t, clientset, func(string, int) error { return answer })
	answer = budgetForbids()
	ctx, cancel := context.WithCancelCause(t.Context())
	err := client.Drain(ctx, "w1", DrainOptions{Report: func(string) { cancel(errors.New("stopped by the user")) }})
	if err == nil || !strings.Contains(err.Error(), "stopped by the user") || !strings.Contains(err.Error(), "disruption budget web") {
		t.Errorf("Drain = %v", err)
	}
	answer = apierrors.NewForbidden(podResource, "web", nil)
	if err := client.Drain(t.Context(), "w1", DrainOptions{}); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "app/web") {
		t.Errorf("Drain = %v, want forbidden", err)
	}
	for name, gone := range map[string]error{
		"gone":     apierrors.NewNotFound(podResource, "web"),
		"replaced": apierrors.NewConflict(podResource, "web", nil),
		"its namespace ends": &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause, Message: "namespace app is being terminated"}}},
		}},
	} {
		if wait, err := evict(t.Context(), client, pod("other", "w1", nil), 0); wait != nil || !apierrors.IsForbidden(err) {
			t.Errorf("evict = %v, %v", wait, err)
		}
		answer = gone
		if wait, err := evict(t.Context(), client, pod("web", "w1", nil), 0); wait != nil || err != nil {
			t.Errorf("%s: evict = %v, %v", name, wait, err)
		}
		answer = apierrors.NewForbidden(podResource, "web", nil)
	}
}

// Evictions that a budget forbids are tried again, at growing intervals.
func TestDrainAsksLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, clientset := fakeClient(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}, pod("api", "w1", nil), pod("web", "w1", nil))
		client.retry = retryInterval
		began := time.Now()
		var at []time.Duration
		log := evictions(t, clientset, func(name string, _ int) error {
			if name == "api" {
				at = append(at, time.Since(began))
				return budgetForbids()
			}
			return apierrors.NewTooManyRequests("later", 0)
		})
		err := client.Drain(t.Context(), "w1", DrainOptions{Timeout: 13 * time.Second})
		const want = "last seen: evict pod app/api: Cannot evict pod as it would violate the pod's disruption budget. " +
			"The disruption budget web needs 2 healthy pods and has 2 currently; evict pod app/web: later"
		if !errors.Is(err, ErrBudget) {
			t.Errorf("Drain = %v, want one about budgets", err)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Drain = %v", err)
		}
		ms := time.Millisecond
		if want := []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms, 7500 * ms, 12500 * ms}; !slices.Equal(at, want) {
			t.Errorf("evicted at %v, want %v", at, want)
		}
		if (*log)[0] != "app/api uid-api own" {
			t.Errorf("the first eviction is %q", (*log)[0])
		}
	})
}

// Pods that end on their own are looked at steadily, also after a budget was in the way.
func TestDrainLooksSteadilyAtEndingPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, clientset := fakeClient(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}, pod("web", "w1", nil))
		client.retry = retryInterval
		began := time.Now()
		var at []time.Duration
		clientset.PrependReactor("list", "pods", func(k8stesting.Action) (bool, runtime.Object, error) {
			at = append(at, time.Since(began))
			return false, nil, nil
		})
		gone := apierrors.NewNotFound(podResource, "web") // for the eviction; the pod itself stays for a while
		evictions(t, clientset, func(_ string, try int) error {
			if try <= 3 {
				return budgetForbids()
			}
			if try == 8 {
				return nil
			}
			return gone
		})
		if err := client.Drain(t.Context(), "w1", DrainOptions{}); err != nil {
			t.Error(err)
		}
		ms := time.Millisecond
		want := []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms, 4000 * ms, 4500 * ms, 5000 * ms, 5500 * ms, 6000 * ms}
		if !slices.Equal(at, want) {
			t.Errorf("listed at %v, want %v", at, want)
		}
	})
}

func TestDrainNamesWhatFails(t *testing.T) {
	forbidden := apierrors.NewForbidden(podResource, "", nil)
	for resource, want := range map[string]string{"nodes": "drain node w1: change node w1: ", "pods": "drain node w1: list pods: "} {
		client, clientset := fakeClient(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}, pod("web", "w1", nil))
		log := evictions(t, clientset, func(string, int) error { return nil })
		clientset.PrependReactor("*", resource, refuseWith(forbidden))
		if err := client.Drain(t.Context(), "w1", DrainOptions{}); !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: Drain = %v, want forbidden", resource, err)
		}
		if len(*log) > 0 {
			t.Errorf("%s: evicted %q", resource, *log)
		}
	}
	if got := drainReason([]string{"a/1", "a/2", "a/3", "a/4", "a/5"}, nil); got != "5 pods are ending: a/1, a/2, a/3, a/4, a/5" {
		t.Errorf("reason %q", got)
	}
}

// After a time pods are deleted past their budgets, and one that nobody ends is dropped.
func TestDrainPastBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		stuck := pod("stuck", "w1", func(p *corev1.Pod) {
			p.DeletionTimestamp = &metav1.Time{Time: began}
			p.Finalizers = []string{"x"} // the fake keeps no deleted object without one
		})
		client, clientset := fakeClient(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}, pod("web", "w1", nil), stuck)
		client.retry = retryInterval
		evictions(t, clientset, func(string, int) error { return budgetForbids() })
		deleted := map[string]time.Duration{}
		clientset.PrependReactor("delete", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
			name := action.(k8stesting.DeleteAction).GetName()
			deleted[name] = time.Since(began)
			if now := action.(k8stesting.DeleteActionImpl).DeleteOptions.GracePeriodSeconds; (now != nil && *now == 0) != (name == "stuck") {
				t.Errorf("%s is deleted with the grace period %v", name, now)
			}
			return true, nil, clientset.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), "app", name)
		})
		if err := client.Drain(t.Context(), "w1", DrainOptions{Force: time.Minute, Timeout: 10 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		if len(deleted) != 2 || deleted["web"] < time.Minute || deleted["stuck"] < time.Minute || deleted["web"] > 2*time.Minute {
			t.Errorf("deleted after %v", deleted)
		}
	})
}
