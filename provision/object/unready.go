package object

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// unreadyByKind says for each kind that has one how its readiness is read.
func unreadyByKind() map[string]func(live map[string]any) string {
	return map[string]func(map[string]any) string{
		"Deployment":               typed(deploymentUnready),
		"DaemonSet":                typed(daemonSetUnready),
		"StatefulSet":              typed(statefulSetUnready),
		"Job":                      typed(jobUnready),
		"CustomResourceDefinition": Condition("Established"),
		"APIService":               Condition("Available"),
	}
}

// Awaitable says that objects of this kind become ready some time after they were applied.
func Awaitable(object map[string]any) bool {
	kind, _ := object["kind"].(string)
	return unreadyByKind()[kind] != nil
}

// Unready says why a live object is not as it should be yet: rolled out, complete, established,
// available. It is empty when it is, and for kinds that are ready from the start.
func Unready(live map[string]any) string {
	kind, _ := live["kind"].(string)
	if read := unreadyByKind()[kind]; read != nil {
		return read(live)
	}
	return ""
}

// typed reads an object as T first.
func typed[T any](unready func(*T) string) func(map[string]any) string {
	return func(live map[string]any) string {
		var object T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live, &object); err != nil {
			return fmt.Sprintf("it cannot be read: %v", err)
		}
		return unready(&object)
	}
}

// Condition wants a condition to be true.
func Condition(name string) func(map[string]any) string {
	return func(live map[string]any) string {
		status, _ := live["status"].(map[string]any)
		conditions, _ := status["conditions"].([]any)
		for _, c := range conditions {
			fields, _ := c.(map[string]any)
			switch {
			case fields["type"] != name:
			case fields["status"] == "True":
				return ""
			default:
				return fmt.Sprintf("not %s: %v", name, fields["message"])
			}
		}
		return "not " + name
	}
}

const unseen = "the controller has not seen the newest form"

// deploymentUnready follows `kubectl rollout status`, as the two after it.
func deploymentUnready(d *appsv1.Deployment) string {
	want, status := replicas(d.Spec.Replicas), d.Status
	switch {
	case status.ObservedGeneration < d.Generation:
		return unseen
	case status.UpdatedReplicas < want:
		return fmt.Sprintf("%d of %d pods are of the newest form", status.UpdatedReplicas, want)
	case status.Replicas > status.UpdatedReplicas:
		return fmt.Sprintf("%d pods of an older form still run", status.Replicas-status.UpdatedReplicas)
	case status.AvailableReplicas < want:
		return fmt.Sprintf("%d of %d pods are available", status.AvailableReplicas, want)
	}
	return ""
}

func daemonSetUnready(d *appsv1.DaemonSet) string {
	status := d.Status
	switch want := status.DesiredNumberScheduled; {
	case status.ObservedGeneration < d.Generation:
		return unseen
	case status.UpdatedNumberScheduled < want:
		return fmt.Sprintf("%d of %d pods are of the newest form", status.UpdatedNumberScheduled, want)
	case status.NumberAvailable < want:
		return fmt.Sprintf("%d of %d pods are available", status.NumberAvailable, want)
	}
	return ""
}

func statefulSetUnready(s *appsv1.StatefulSet) string {
	want, status := replicas(s.Spec.Replicas), s.Status
	switch {
	case status.ObservedGeneration < s.Generation:
		return unseen
	case s.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType && status.UpdatedReplicas < want:
		return fmt.Sprintf("%d of %d pods are of the newest form", status.UpdatedReplicas, want)
	case status.ReadyReplicas < want:
		return fmt.Sprintf("%d of %d pods are ready", status.ReadyReplicas, want)
	}
	return ""
}

func jobUnready(j *batchv1.Job) string {
	if j.Spec.Suspend != nil && *j.Spec.Suspend {
		return ""
	}
	for _, c := range j.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete:
			return ""
		case batchv1.JobFailed:
			return "it has failed: " + c.Message
		}
	}
	return fmt.Sprintf("%d of %d pods have succeeded", j.Status.Succeeded, replicas(j.Spec.Completions))
}

// replicas is a number of pods, of which 1 is the API server's default.
func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}
