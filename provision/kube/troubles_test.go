package kube

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestPermanentPull(t *testing.T) {
	for _, c := range []struct {
		reason, message string
		want            bool
	}{
		{"InvalidImageName", "", true},
		{"ErrImageNeverPull", "", true},
		{"ErrImagePull", "failed to resolve reference: web:1: not found", true},
		{"ImagePullBackOff", "Back-off pulling image: web:1: not found", true},
		{"ErrImagePull", "unexpected status: 401 Unauthorized", true},
		{"ErrImagePull", "unexpected status: 403 Forbidden", true},
		{"ErrImagePull", "insufficient_scope: authorization failed", true},
		{"ErrImagePull", "pull access denied: authorization failed", true},
		{"ErrImagePull", "no basic auth credentials", true},
		{"ErrImagePull", "tls: failed to verify certificate: x509: certificate signed by unknown authority", true},
		{"ErrImagePull", "http: server gave HTTP response to HTTPS client", true},
		{"ErrImagePull", "dial tcp: i/o timeout", false},
		{"ErrImagePull", "unexpected status: 503 Service Unavailable", false},
		{"ImagePullBackOff", "", false},
		{"CrashLoopBackOff", "the file is: not found", false},
		{"CreateContainerConfigError", "secret: not found", false},
	} {
		if got := permanentPull(&corev1.ContainerStateWaiting{Reason: c.reason, Message: c.message}); got != c.want {
			t.Errorf("%s: %s: %v", c.reason, c.message, got)
		}
	}
}

func TestTroublesOfAPod(t *testing.T) {
	look := &troubles{images: []string{"web:2", "init:1"}}
	status := func(name, image, reason, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, Image: image, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
	}
	p := pod("web-x", "w1", func(p *corev1.Pod) {
		p.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "init:1"}}
		p.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:2"}, {Name: "old", Image: "web:1"}, {Name: "side", Image: "side:1"}, {Name: "late", Image: "web:2"}}
		p.Status.Conditions = []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady", Message: "no"},
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available"},
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, Reason: corev1.PodReasonUnschedulable, Message: "no"},
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "SchedulingGated", Message: "no"},
		}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{status("init", "init:1", "ErrImagePull", "init:1: not found")}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{
			status("web", "docker.io/library/web:2", "ImagePullBackOff", "web:2: not found"),
			status("old", "web:1", "ImagePullBackOff", "web:1: not found"),
			status("side", "side:1", "CrashLoopBackOff", "back-off 20s"),
			status("late", "web:2", "ContainerCreating", ""),
			status("later", "web:2", "PodInitializing", ""),
			{Name: "runs", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
		}
	})
	want := []trouble{
		{text: "pod web-x: 0/3 nodes are available"},
		{key: "web-x/init", text: "pod web-x on w1: image init:1: ErrImagePull: init:1: not found", permanent: true},
		{key: "web-x/web", text: "pod web-x on w1: image docker.io/library/web:2: ImagePullBackOff: web:2: not found", permanent: true},
		{key: "web-x/old", text: "pod web-x on w1: image web:1: ImagePullBackOff: web:1: not found"},
		{key: "web-x/side", text: "pod web-x on w1: image side:1: CrashLoopBackOff: back-off 20s"},
	}
	if got := look.of(p); !slices.Equal(got, want) {
		t.Errorf("troubles %+v\nwant %+v", got, want)
	}
	if got := imageOf(p, "absent"); got != "" {
		t.Errorf("the image of a container that is not there is %q", got)
	}
}

func TestTroublesLast(t *testing.T) {
	failing := func(message string) []corev1.Pod {
		return []corev1.Pod{*pod("web-x", "w1", func(p *corev1.Pod) {
			p.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:2"}}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", Image: "web:2", State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: message},
			}}}
		})}
	}
	missing, slow := failing("web:2: not found"), failing("i/o timeout")
	client, _ := fakeClient()
	now := time.Unix(0, 0)
	client.now = func() time.Time { return now }
	var notes []string
	look := &troubles{client: client, images: []string{"web:2"}, note: func(r string) { notes = append(notes, r) }, since: map[string]time.Time{}}
	const text = "pod web-x on w1: image web:2: ErrImagePull: "
	for i, step := range []struct {
		after time.Duration
		pods  []corev1.Pod
		want  string
	}{
		{0, missing, ""},
		{imagePatience - 1, missing, ""},
		{imagePatience / 2, slow, ""}, // so the time begins anew
		{imagePatience / 2, missing, ""},
		{imagePatience - 1, missing, ""},
		{1, missing, text + "web:2: not found"},
	} {
		now = now.Add(step.after)
		if got := look.look(step.pods); got != step.want {
			t.Errorf("look %d: %q, want %q", i, got, step.want)
		}
	}
	if want := []string{text + "web:2: not found", text + "i/o timeout", text + "web:2: not found"}; !slices.Equal(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	if got := look.last(); !slices.Equal(got, []string{text + "web:2: not found"}) {
		t.Errorf("last %q", got)
	}
	if look.look(nil); len(look.last()) > 0 || len(look.since) > 0 {
		t.Errorf("without pods: last %q, since %v", look.last(), look.since)
	}
}

func TestTroublesFindPods(t *testing.T) {
	const template = "template: {spec: {initContainers: [{image: 'init:1'}], containers: [{image: 'web:1'}, {image: 'side:1'}]}}"
	for _, c := range []struct {
		object, selector string
		images           []string
	}{
		{"{kind: Deployment, metadata: {namespace: app, name: web}, spec: {selector: {matchLabels: {app: web, tier: front}}, " + template + "}}", "app=web,tier=front", []string{"init:1", "web:1", "side:1"}},
		{"{kind: Job, metadata: {namespace: app, name: once}, spec: {selector: {matchLabels: {uid: x}}, " + template + "}}", "batch.kubernetes.io/job-name=once", []string{"init:1", "web:1", "side:1"}},
		{"{kind: ConfigMap, metadata: {namespace: app, name: x}}", "", nil},
		{"{kind: Line, metadata: {namespace: app, name: x}, spec: {selector: {matchLabels: 7}, template: {spec: {containers: 7}}}}", "", nil},
	} {
		client, _ := fakeClient()
		look := newTroubles(client, &unstructured.Unstructured{Object: decoded(t, c.object)}, nil)
		if look.namespace != "app" || look.selector != c.selector || !slices.Equal(look.images, c.images) {
			t.Errorf("%s: %+v", c.object, look)
		}
	}
	client, _ := fakeClient()
	client.retry = retryInterval
	if look := newTroubles(client, &unstructured.Unstructured{}, nil); look.interval != troubleInterval {
		t.Errorf("looks every %v", look.interval)
	}
}

func TestTroublesFollow(t *testing.T) {
	for title, c := range map[string]struct {
		object string
		ends   bool
	}{
		"its own pods":            {"{kind: Job, metadata: {namespace: app, name: web}, spec: {template: {spec: {containers: [{image: 'web:1'}]}}}}", true},
		"pods of another":         {"{kind: Job, metadata: {namespace: app, name: other}, spec: {template: {spec: {containers: [{image: 'web:1'}]}}}}", false},
		"pods in another place":   {"{kind: Job, metadata: {namespace: x, name: web}, spec: {template: {spec: {containers: [{image: 'web:1'}]}}}}", false},
		"something without a pod": {"{kind: ConfigMap, metadata: {namespace: app, name: web}}", false},
	} {
		client, clientset := fakeClient(pod("web-x", "w1", func(p *corev1.Pod) {
			p.Labels = map[string]string{"batch.kubernetes.io/job-name": "web"}
			p.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1"}}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", Image: "web:1", State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "InvalidImageName"},
			}}}
		}))
		clientset.PrependReactor("list", "pods", errorsFirst(apierrors.NewServiceUnavailable("starting")))
		ctx, cancel := context.WithCancelCause(t.Context())
		looks := 0
		client.now = func() time.Time { // for the first sight, then once for each look
			looks++
			return time.Unix(0, 0).Add(time.Duration(looks) * imagePatience / 4)
		}
		if !c.ends {
			stop := errors.New("stopped")
			lists := 0
			clientset.PrependReactor("list", "pods", lookOn(func() {
				if lists++; lists == 10 {
					cancel(stop)
				}
			}))
			if title == "something without a pod" {
				cancel(stop)
			}
		}
		newTroubles(client, &unstructured.Unstructured{Object: decoded(t, c.object)}, func(string) {}).follow(ctx, cancel)
		if err := context.Cause(ctx); errors.Is(err, ErrImage) != c.ends || c.ends && !strings.HasSuffix(err.Error(), "pod web-x on w1: image web:1: InvalidImageName: ") {
			t.Errorf("%s: ended with %v", title, err)
		}
		if !c.ends && looks > 0 {
			t.Errorf("%s: looked at %d pods", title, looks)
		}
		cancel(nil)
	}
}

func TestWaitObjectNamesTroubles(t *testing.T) {
	deployment := decoded(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web}, spec: {selector: {matchLabels: {app: web}}, template: {spec: {containers: [{name: web, image: 'web:1'}]}}}}")
	crashing := decoded(t, `{apiVersion: v1, kind: Pod, metadata: {namespace: app, name: web-x, labels: {app: web}}, spec: {nodeName: w1, containers: [{name: web, image: 'web:1'}]},
		status: {containerStatuses: [{name: web, image: 'web:1', state: {waiting: {reason: CrashLoopBackOff, message: back-off}}}]}}`)
	_, client := newMemory(t, deployment, crashing)
	ctx, cancel := context.WithCancelCause(t.Context())
	const trouble = "pod web-x on w1: image web:1: CrashLoopBackOff: back-off"
	var reasons []string
	err := client.WaitObject(ctx, deployment, func(r string) {
		if reasons = append(reasons, r); len(reasons) == 2 {
			cancel(errors.New("stopped by the user"))
		}
	})
	if want := "wait for Deployment app/web: stopped by the user; last seen: 0 of 1 pods are of the newest form; " + trouble; err == nil || err.Error() != want {
		t.Errorf("WaitObject = %v\nwant %s", err, want)
	}
	for title, object := range map[string]map[string]any{
		"wait for object: it lacks":              {"kind": "Deployment"},
		"wait for object: Line app/x: no matche": named("example.com/v2", "Line", "app", "x"),
	} {
		if err := client.WaitObject(t.Context(), object, nil); err == nil || !strings.HasPrefix(err.Error(), title) {
			t.Errorf("WaitObject = %v, want %s", err, title)
		}
	}
}
