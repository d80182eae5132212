package object

import (
	"reflect"
	"testing"
)

func TestYield(t *testing.T) {
	want := parsed(t, "{kind: Deployment, spec: {replicas: 1, paused: false}}")
	if got := Yield(want, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("nothing is yielded: %v", got)
	}
	got := Yield(want, [][]string{{"spec", "replicas"}, {"spec", "absent", "too"}})
	if !reflect.DeepEqual(got, parsed(t, "{kind: Deployment, spec: {paused: false}}")) {
		t.Errorf("got %v", got)
	}
	if !reflect.DeepEqual(want, parsed(t, "{kind: Deployment, spec: {replicas: 1, paused: false}}")) {
		t.Error("what was wanted has changed")
	}
}

func TestImmutable(t *testing.T) {
	job, deployment := map[string]any{"kind": "Job"}, map[string]any{"kind": "Deployment"}
	for _, c := range []struct {
		object map[string]any
		path   string
		want   bool
	}{
		{job, "spec.template.spec.containers[name=x].image", true}, {job, "spec.completions", true}, {job, "specs", false},
		{job, "spec.parallelism", false}, {job, "spec.suspend", false}, {job, "spec.activeDeadlineSeconds", false},
		{job, "spec.backoffLimit", false}, {job, "spec.ttlSecondsAfterFinished", false},
		{job, "metadata.labels.x", false}, {deployment, "spec.template.spec.containers[name=x].image", false},
	} {
		if got := Immutable(c.object, []string{"metadata.name", c.path}); got != c.want {
			t.Errorf("%v %s: %v", c.object, c.path, got)
		}
	}
	for object, want := range map[string]bool{
		"{kind: Job, spec: {ttlSecondsAfterFinished: 0}}": true, "{kind: Job, spec: {}}": false, "{kind: Job, spec: x}": false,
		"{kind: Deployment, spec: {ttlSecondsAfterFinished: 0}}": false,
	} {
		if got := DeletesItself(parsed(t, object)); got != want {
			t.Errorf("%s deletes itself: %v", object, got)
		}
	}
}
