package object

import (
	"testing"

	"sigs.k8s.io/yaml"
)

func TestUnready(t *testing.T) {
	for _, c := range []struct{ object, want string }{
		{"kind: ConfigMap", ""},
		{"{kind: DaemonSet, metadata: {generation: 2}, status: {observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}}", ""},
		{"{kind: DaemonSet, metadata: {generation: 2}, status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}}", unseen},
		{"{kind: DaemonSet, status: {desiredNumberScheduled: 3, updatedNumberScheduled: 2, numberAvailable: 3}}", "2 of 3 pods are of the newest form"},
		{"{kind: DaemonSet, status: {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 1}}", "1 of 3 pods are available"},
		{"{kind: Deployment, metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2}}", ""},
		{"{kind: Deployment, metadata: {generation: 1}}", unseen},
		{"{kind: Deployment, status: {replicas: 1}}", "0 of 1 pods are of the newest form"},
		{"{kind: Deployment, status: {replicas: 2, updatedReplicas: 1}}", "1 pods of an older form still run"},
		{"{kind: Deployment, status: {replicas: 1, updatedReplicas: 1}}", "0 of 1 pods are available"},
		{"{kind: Deployment, spec: {replicas: 0}}", ""},
		{"{kind: Deployment, spec: {replicas: x}}", "it cannot be read: "},
		{"{kind: StatefulSet, spec: {replicas: 2}, status: {updatedReplicas: 2, readyReplicas: 2}}", ""},
		{"{kind: StatefulSet, spec: {replicas: 2}, status: {updatedReplicas: 1, readyReplicas: 2}}", "1 of 2 pods are of the newest form"},
		{"{kind: StatefulSet, spec: {replicas: 2, updateStrategy: {type: OnDelete}}, status: {updatedReplicas: 1, readyReplicas: 2}}", ""},
		{"{kind: StatefulSet, spec: {replicas: 2}, status: {updatedReplicas: 2, readyReplicas: 1}}", "1 of 2 pods are ready"},
		{"{kind: StatefulSet, metadata: {generation: 3}}", unseen},
		{"{kind: StatefulSet, metadata: {generation: 3}, spec: {replicas: 0}, status: {observedGeneration: 3}}", ""},
		{"{kind: StatefulSet, status: {updatedReplicas: 1}}", "0 of 1 pods are ready"},
		{"{kind: DaemonSet, status: {desiredNumberScheduled: 0}}", ""},
		{"{kind: DaemonSet, status: {updatedNumberScheduled: 4, numberAvailable: 4, desiredNumberScheduled: 3}}", ""},
		{"{kind: Deployment, status: {replicas: 3, updatedReplicas: 1, availableReplicas: 1}}", "2 pods of an older form still run"},
		{"{kind: Deployment, metadata: {generation: 1}, status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}}", ""},
		{"{kind: Job, status: {conditions: [{type: Complete, status: 'True'}]}}", ""},
		{"{kind: Job, status: {conditions: [{type: Failed, status: 'True', message: too often}]}}", "it has failed: too often"},
		{"{kind: Job, spec: {completions: 3}, status: {succeeded: 1}}", "1 of 3 pods have succeeded"},
		{"{kind: Job, spec: {suspend: true}}", ""},
		{"{kind: Job, spec: {suspend: false}}", "0 of 1 pods have succeeded"},
		{"{kind: Job, status: {conditions: [{type: Complete, status: 'False'}, {type: Suspended, status: 'True'}]}}", "0 of 1 pods have succeeded"},
		{"{kind: Job, status: {conditions: [{type: Failed, status: 'False'}], succeeded: 2}}", "2 of 1 pods have succeeded"},
		{"{kind: CustomResourceDefinition, status: {conditions: [{type: Established, status: 'True'}]}}", ""},
		{"{kind: CustomResourceDefinition}", "not Established"},
		{"{kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: 'True'}]}}", "not Established"},
		{"{kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: 'False', message: no}, {type: Established, status: 'True'}]}}", ""},
		{"{kind: APIService, status: {conditions: [{type: Available, status: 'True'}]}}", ""},
		{"{}", ""},
		{"{kind: APIService, status: {conditions: [{type: Available, status: 'False', message: no endpoints}]}}", "not Available: no endpoints"},
	} {
		got := Unready(parsed(t, c.object))
		if got != c.want && (c.want != "it cannot be read: " || len(got) < len(c.want) || got[:len(c.want)] != c.want) {
			t.Errorf("%s: %q, want %q", c.object, got, c.want)
		}
	}
	for kind, want := range map[string]bool{
		"Deployment": true, "DaemonSet": true, "StatefulSet": true, "Job": true, "CustomResourceDefinition": true, "APIService": true,
		"ConfigMap": false, "Pod": false, "": false,
	} {
		if got := Awaitable(map[string]any{"kind": kind}); got != want {
			t.Errorf("objects of kind %q can be awaited: %v", kind, got)
		}
	}
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// replaceAll replaces old texts by new ones, which alternate.
