package kube

import (
	"context"
	"errors"
	"net/http"
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

// A container that the kubelet has started again three times is given up, one that it has
// started again twice is not; nor is one of an older form, which is on its way out.
func TestWaitStaticPodThatCrashes(t *testing.T) {
	const log = "/api/v1/namespaces/kube-system/pods/kube-scheduler-cp1/log?container=kube-scheduler&previous=true&tailLines=5"
	waits := func(restarts string) []string {
		return []string{"status:\n", "status:\n  containerStatuses: [{name: kube-scheduler, restartCount: " + restarts + ", state: {waiting: {reason: CrashLoopBackOff, message: back-off 20s}}}]\n", `"True"`, `"False"`}
	}
	for _, c := range []struct {
		title   string
		first   string
		texts   map[string]string
		want    string // of the error; empty: none
		reasons []string
	}{
		{"three times", replaceAll(staticPod, waits("3")...), map[string]string{log: "Error: unknown flag: --v2\n"},
			"wait for static pod kube-scheduler-cp1: it ends again and again: Error: unknown flag: --v2", nil},
		{"without a log", replaceAll(staticPod, waits("4")...), nil,
			"wait for static pod kube-scheduler-cp1: it ends again and again: its log cannot be read: ", nil},
		{"twice", replaceAll(staticPod, waits("2")...), map[string]string{log: "no"}, "",
			[]string{"container kube-scheduler: CrashLoopBackOff back-off 20s"}},
		{"of an older form", replaceAll(staticPod, append(waits("9"), "--v=2", "--v=9")...), map[string]string{log: "no"}, "",
			[]string{"it still runs with another spec.containers[name=kube-scheduler].command[1]"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			m, client := newMemory(t, decoded(t, c.first))
			m.texts = c.texts
			first := true
			m.onList = func(string) {
				if !first {
					m.put(decoded(t, staticPod))
				}
				first = false
			}
			var reasons []string
			err := client.WaitStaticPod(t.Context(), "kube-scheduler-cp1", decoded(t, staticPod), func(r string) { reasons = append(reasons, r) })
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrCrash) || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("WaitStaticPod = %v, want %q", err, c.want)
			}
			if err != nil && strings.HasSuffix(err.Error(), "\n") {
				t.Errorf("the error ends its line: %q", err)
			}
			if !slices.Equal(reasons, c.reasons) {
				t.Errorf("reasons %q, want %q", reasons, c.reasons)
			}
		})
	}
}

// The pod that is awaited may be the API server's own.
func TestWaitStaticPodOutlivesTheAPIServer(t *testing.T) {
	m, client := newMemory(t, decoded(t, staticPod))
	const pods = "GET /api/v1/namespaces/kube-system/pods"
	m.refused = map[string]int{"GET /api/v1": http.StatusServiceUnavailable, pods: http.StatusServiceUnavailable}
	var reasons []string
	if err := client.WaitStaticPod(t.Context(), "kube-scheduler-cp1", decoded(t, staticPod), func(r string) {
		reasons = append(reasons, r)
		m.mu.Lock()
		delete(m.refused, pods)
		m.mu.Unlock()
	}); err != nil || len(reasons) != 1 || !strings.Contains(reasons[0], "not for you") {
		t.Errorf("WaitStaticPod = %v, reasons %q", err, reasons)
	}
}

func TestWaitStaticPodComparesVolumes(t *testing.T) {
	live := replaceAll(staticPod, "nodeName: cp1", "nodeName: cp1, volumes: [{name: certs, hostPath: {path: /old}}]")
	m, client := newMemory(t, decoded(t, live))
	var reasons []string
	manifest := decoded(t, replaceAll(live, "/old", "/new", "nodeName: cp1", "nodeName: elsewhere"))
	if err := client.WaitStaticPod(t.Context(), "kube-scheduler-cp1", manifest, func(r string) {
		reasons = append(reasons, r)
		m.put(decoded(t, replaceAll(live, "/old", "/new")))
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"it still runs with another spec.volumes[name=certs].hostPath.path"}; !slices.Equal(reasons, want) {
		t.Errorf("reasons %q, want %q", reasons, want)
	}
}

func TestPodUnready(t *testing.T) {
	for _, c := range []struct{ pod, reason, crashed string }{
		{"{status: {conditions: [{type: Ready, status: 'True'}]}}", "", ""},
		{"{status: {conditions: [{type: Ready, status: 'False', message: m}]}}", "not Ready: m", ""},
		{"{status: {containerStatuses: [{name: a, restartCount: 9, state: {running: {}}}], conditions: [{type: Ready, status: 'True'}]}}", "", ""},
		{"{status: {containerStatuses: [{name: a, state: {waiting: {}}}, {name: b, restartCount: 3, state: {waiting: {reason: R, message: m}}}]}}", "container b: R m", "b"},
		{"{status: {containerStatuses: [{name: a, restartCount: 2, state: {waiting: {reason: R}}}]}}", "container a: R", ""},
		{"{status: {containerStatuses: x}}", "it cannot be read: ", ""},
	} {
		reason, crashed := podUnready(decoded(t, c.pod))
		if !strings.HasPrefix(reason, c.reason) || c.reason == "" && reason != "" || crashed != c.crashed {
			t.Errorf("%s: %q, %q, want %q, %q", c.pod, reason, crashed, c.reason, c.crashed)
		}
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
