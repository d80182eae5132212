package kube

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const staticPod = `
apiVersion: v1
kind: Pod
metadata: {namespace: kube-system, name: kube-scheduler-cp1}
spec: {containers: [{name: kube-scheduler, command: [kube-scheduler, --v=2], image: x}], nodeName: cp1}
status:
  conditions: [{type: Ready, status: "True"}]
`

func TestWaitStaticPod(t *testing.T) {
	manifest := decoded(t, replaceAll(staticPod, "--v=2", "--v=4"))
	m, client := newMemory(t, decoded(t, staticPod))
	looks := []string{
		replaceAll(staticPod, "--v=2", "--v=4", `"True"`, `"False", message: starting`),
		replaceAll(staticPod, "--v=2", "--v=4", "  conditions:", "  containerStatuses: [{name: kube-scheduler, state: {waiting: {reason: CrashLoopBackOff}}}]\n  conditions:"),
		replaceAll(staticPod, "--v=2", "--v=4"),
	}
	first := true
	m.onList = func(string) {
		if first {
			first = false
			return
		}
		if len(looks) > 0 {
			m.put(decoded(t, looks[0]))
			looks = looks[1:]
		}
	}
	var reasons []string
	if err := client.WaitStaticPod(t.Context(), "kube-scheduler-cp1", manifest, func(r string) { reasons = append(reasons, r) }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"it still runs with another spec.containers[name=kube-scheduler].command[1]",
		"not Ready: starting", "container kube-scheduler: CrashLoopBackOff",
	}
	if !slices.Equal(reasons, want) {
		t.Errorf("reasons %q, want %q", reasons, want)
	}
}

func TestWaitStaticPodThatNeverComes(t *testing.T) {
	_, client := newMemory(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	err := client.WaitStaticPod(ctx, "kube-scheduler-cp1", decoded(t, staticPod), func(string) { cancel(context.DeadlineExceeded) })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), "; last seen: the kubelet has not shown it yet") {
		t.Errorf("WaitStaticPod = %v", err)
	}
}

func lease(renewed *metav1.MicroTime) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: "w1"}, Spec: coordinationv1.LeaseSpec{RenewTime: renewed}}
}

func TestWaitHeartbeat(t *testing.T) {
	at := func(second int) *metav1.MicroTime {
		return &metav1.MicroTime{Time: time.Date(2026, 11, 24, 12, 0, second, 0, time.UTC)}
	}
	client, clientset := fakeClient()
	watches(clientset, "leases", []watch.Event{
		{Type: watch.Added, Object: lease(nil)},
		{Type: watch.Modified, Object: lease(at(1))},
		{Type: watch.Modified, Object: lease(at(1))},
		{Type: watch.Modified, Object: lease(at(11))},
	})
	var reasons []string
	if err := client.WaitHeartbeat(t.Context(), "w1", func(r string) { reasons = append(reasons, r) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"it has not been heard of", "it was last heard of at 12:00:01"}; !slices.Equal(reasons, want) {
		t.Errorf("reasons %q, want %q", reasons, want)
	}
}
