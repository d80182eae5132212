package kube

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"fairlead/provision/object"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func owned(object map[string]any, set string) map[string]any {
	object["metadata"].(map[string]any)["labels"] = map[string]any{"fairlead/addon": set}
	return object
}

func TestPrune(t *testing.T) {
	owner := object.Owner{Label: "fairlead/addon", Value: "app"}
	mine := func(apiVersion, kind, namespace, name string) map[string]any {
		return owned(named(apiVersion, kind, namespace, name), "app")
	}
	definition := mine("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "lines.example.com")
	definition["spec"] = map[string]any{
		"group": "example.com", "names": map[string]any{"plural": "lines"}, "versions": []any{map[string]any{"name": "v1", "served": true}},
	}
	unserved := mine("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "lines.example.com")
	unserved["spec"] = map[string]any{
		"group": "example.com", "names": map[string]any{"plural": "lines"}, "versions": []any{map[string]any{"name": "v1", "served": false}},
	}
	versions := mine("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "lines.example.com")
	versions["spec"] = map[string]any{
		"group": "example.com", "names": map[string]any{"plural": "lines"},
		"versions": []any{"x", map[string]any{"name": "v0", "served": false}, map[string]any{"name": "v1", "served": true}},
	}
	undefined := mine("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "dots.example.com")
	undefined["spec"] = map[string]any{
		"group": "example.com", "names": map[string]any{"plural": "dots"}, "versions": []any{map[string]any{"name": "v1", "served": true}},
	}
	made := named("apps/v1", "Deployment", "app", "made")
	made["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "x"}}
	leaving := named("v1", "Secret", "app", "leaving")
	leaving["metadata"].(map[string]any)["deletionTimestamp"] = "2026-11-24T12:00:00Z"
	for _, c := range []struct {
		name   string
		object map[string]any
		others []map[string]any
		kept   string
	}{
		{"ours", mine("v1", "ConfigMap", "app", "x"), nil, ""},
		{"of another set", owned(named("v1", "ConfigMap", "app", "x"), "other"), nil, "it does not bear the label fairlead/addon=app"},
		{"of nobody", named("v1", "ConfigMap", "app", "x"), nil, "it does not bear the label"},
		{"empty namespace", mine("v1", "Namespace", "", "app"), []map[string]any{
			named("v1", "ConfigMap", "app", "kube-root-ca.crt"), named("v1", "ServiceAccount", "app", "default"), made, leaving,
			named("coordination.k8s.io/v1", "Lease", "app", "leader"), named("v1", "Review", "app", "x"),
			mine("v1", "Secret", "app", "ours"), named("v1", "Secret", "elsewhere", "theirs"),
		}, ""},
		{"inhabited namespace", mine("v1", "Namespace", "", "app"), []map[string]any{named("v1", "Secret", "app", "theirs")}, "it holds Secret app/theirs"},
		{"namespace with a ConfigMap", mine("v1", "Namespace", "", "app"), []map[string]any{named("v1", "ConfigMap", "app", "default")}, "it holds ConfigMap app/default"},
		{"namespace with an account", mine("v1", "Namespace", "", "app"), []map[string]any{named("v1", "ServiceAccount", "app", "kube-root-ca.crt")}, "it holds ServiceAccount app/kube-root-ca.crt"},
		{"namespace with a pod of nobody's", mine("v1", "Namespace", "", "app"), []map[string]any{named("v1", "Pod", "app", "bare")}, "it holds Pod app/bare"},
		{"namespace with another set", mine("v1", "Namespace", "", "app"), []map[string]any{owned(named("v1", "Secret", "app", "x"), "other")}, "it holds Secret app/x"},
		{"unused kind", definition, nil, ""},
		{"kind that is not served", unserved, []map[string]any{named("example.com/v1", "Line", "app", "theirs")}, "none of its versions is served"},
		{"kind with an older version", versions, []map[string]any{named("example.com/v1", "Line", "app", "theirs")}, "it holds Line app/theirs"},
		{"kind that the API server forgot", undefined, nil, ""},
		{"definition that is none", mine("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "x"), nil, "none of its versions is served"},
		{"used kind", definition, []map[string]any{named("example.com/v1", "Line", "app", "theirs")}, "it holds Line app/theirs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, client := newMemory(t, append(c.others, c.object)...)
			kept, err := client.Prune(t.Context(), object.Identify(c.object), owner, nil)
			if err != nil || !strings.HasPrefix(kept, c.kept) || (kept == "") != (c.kept == "") {
				t.Errorf("Prune = %q, %v, want %q", kept, err, c.kept)
			}
			if m.has(c.object) != (c.kept != "") {
				t.Errorf("the object is there: %v", m.has(c.object))
			}
			for _, other := range c.others {
				if !m.has(other) {
					t.Errorf("%v is gone", other)
				}
			}
			if c.kept == "" && (len(m.requests) != 1 || !strings.Contains(m.requests[0], `"uid":"first"`) || !strings.Contains(m.requests[0], "Background")) {
				t.Errorf("requests %q", m.requests)
			}
		})
	}
	_, client := newMemory(t)
	if kept, err := client.Prune(t.Context(), object.Identify(named("example.org/v1", "Dot", "", "undefined")), owner, nil); kept != "" || err != nil {
		t.Errorf("of a kind that is gone: %q, %v", kept, err)
	}
	if kept, err := client.Prune(t.Context(), object.Identify(named("v1", "ConfigMap", "app", "absent")), owner, nil); kept != "" || err != nil {
		t.Errorf("absent: %q, %v", kept, err)
	}
}

func TestPruneAndReplaceNameWhatFails(t *testing.T) {
	owner := object.Owner{Label: "fairlead/addon", Value: "app"}
	for _, c := range []struct {
		refused        string
		code           int
		prune, replace string // the errors; empty: none
		kept           string // why it is not pruned
	}{
		{"GET /api/v1/namespaces/app", 403, "get Namespace app: not for you", "get Namespace app: not for you", ""},
		{"GET /apis", 500, "ask for all kinds: ", "", ""},
		{"GET /apis/example.com/v1", 503, "", "", "what it holds of example.com/v1 is not known"}, // an extension that is away
		{"GET /api/v1/namespaces/app/secrets", 403, "list secrets: not for you", "", ""},
		{"GET /api/v1/namespaces/app/secrets", 404, "", "", ""},
		{"DELETE /api/v1/namespaces/app", 403, "delete Namespace app: not for you", "delete Namespace app: not for you", ""},
		{"DELETE /api/v1/namespaces/app", 404, "", "", ""}, // somebody was faster
		{"GET /api/v1/namespaces", 403, "wait for the end of Namespace app: not for you", "wait for the end of Namespace app: not for you", ""},
		{"PATCH /api/v1/namespaces/app", 403, "", "apply Namespace app: not for you", ""},
	} {
		setup := func() (*Client, map[string]any) {
			namespace := owned(named("v1", "Namespace", "", "app"), "app")
			m, client := newMemory(t, namespace)
			m.refused = map[string]int{c.refused: c.code}
			if c.code == http.StatusNotFound {
				m.onList = func(path string) {
					if path == "/api/v1/namespaces" {
						m.remove(namespace)
					}
				}
			}
			return client, namespace
		}
		fits := func(err error, want string) bool {
			return (err != nil) == (want != "") && (err == nil || strings.HasPrefix(err.Error(), want))
		}
		client, namespace := setup()
		if kept, err := client.Prune(t.Context(), object.Identify(namespace), owner, nil); !strings.HasPrefix(kept, c.kept) || (kept == "") != (c.kept == "") || !fits(err, c.prune) {
			t.Errorf("%s: Prune = %q, %v, want %q", c.refused, kept, err, c.prune)
		}
		client, namespace = setup()
		if err := client.Replace(t.Context(), namespace, nil); !fits(err, c.replace) {
			t.Errorf("%s: Replace = %v, want %q", c.refused, err, c.replace)
		}
	}
}

func TestDefinedResource(t *testing.T) {
	const good = "{spec: {group: example.com, names: {plural: lines}, versions: [{name: v1alpha1, served: false}, {name: v1, served: true}, {name: v2, served: true}]}}"
	for text, want := range map[string]string{
		good:                                 "example.com/v1, Resource=lines",
		replaceAll(good, "example.com", "7"): "",
		replaceAll(good, "lines", "[]"):      "",
		replaceAll(good, "served: true", "x: true"):                          "",
		"{spec: {group: example.com, names: {plural: lines}, versions: v1}}": "",
		"{}": "",
	} {
		resource, ok := definedResource(&unstructured.Unstructured{Object: decoded(t, text)})
		if ok != (want != "") || ok && resource.String() != want || !ok && !resource.Empty() {
			t.Errorf("%s: %s, %v", text, resource, ok)
		}
	}
}

func TestPruneWaits(t *testing.T) {
	item := owned(named("v1", "ConfigMap", "app", "x"), "app")
	item["metadata"].(map[string]any)["finalizers"] = []any{"example.com/hold"}
	m, client := newMemory(t, item)
	m.kept[pathOf(item)] = true
	looks := 0
	m.onList = func(string) {
		if looks++; looks == 3 {
			m.remove(item)
		}
	}
	var reasons []string
	if _, err := client.Prune(t.Context(), object.Identify(item), object.Owner{Label: "fairlead/addon", Value: "app"}, func(r string) { reasons = append(reasons, r) }); err != nil {
		t.Fatal(err)
	}
	if len(reasons) != 1 || reasons[0] != "it is being deleted, finalizers: example.com/hold" {
		t.Errorf("reasons %q", reasons)
	}
}

func TestReplace(t *testing.T) {
	object := named("batch/v1", "Job", "app", "once")
	m, client := newMemory(t, object)
	if err := client.Replace(t.Context(), object, nil); err != nil {
		t.Fatal(err)
	}
	if len(m.requests) != 2 || !strings.HasPrefix(m.requests[0], "DELETE ") || !strings.Contains(m.requests[0], "Foreground") || !strings.HasPrefix(m.requests[1], "PATCH ") {
		t.Errorf("requests %q", m.requests)
	}
	if err := client.Replace(t.Context(), named("batch/v1", "Job", "app", "new"), nil); err != nil || !strings.HasPrefix(m.requests[2], "PATCH ") {
		t.Errorf("an absent one: %v, %q", err, m.requests)
	}
}

func TestWaitObject(t *testing.T) {
	deployment := decoded(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web}, spec: {selector: {matchLabels: {app: web}}, template: {spec: {containers: [{name: web, image: 'web:1'}]}}}}")
	m, client := newMemory(t, deployment)
	looks := 0
	m.onList = func(path string) {
		if !strings.HasSuffix(path, "/deployments") {
			return
		}
		if looks++; looks == 2 {
			ready := decoded(t, "{replicas: 1, updatedReplicas: 1, availableReplicas: 1}")
			m.mu.Lock()
			m.objects[pathOf(deployment)]["status"] = ready
			m.mu.Unlock()
		}
	}
	var reasons []string
	if err := client.WaitObject(t.Context(), deployment, func(r string) { reasons = append(reasons, r) }); err != nil {
		t.Fatal(err)
	}
	if len(reasons) != 1 || reasons[0] != "0 of 1 pods are of the newest form" {
		t.Errorf("reasons %q", reasons)
	}
	gone := decoded(t, "{apiVersion: batch/v1, kind: Job, metadata: {namespace: app, name: once}, spec: {ttlSecondsAfterFinished: 0}}")
	if err := client.WaitObject(t.Context(), gone, nil); err != nil {
		t.Errorf("a Job that deleted itself: %v", err)
	}
}

func TestWaitObjectGivesUpOnImages(t *testing.T) {
	deployment := decoded(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: app, name: web}, spec: {selector: {matchLabels: {app: web}}, template: {spec: {containers: [{name: web, image: 'web:1'}]}}}}")
	pod := decoded(t, `{apiVersion: v1, kind: Pod, metadata: {namespace: app, name: web-x, labels: {app: web}}, spec: {nodeName: w1, containers: [{name: web, image: 'web:1'}]},
		status: {containerStatuses: [{name: web, image: 'web:1', state: {waiting: {reason: ErrImagePull, message: 'failed to resolve web:1: not found'}}}]}}`)
	_, client := newMemory(t, deployment, pod)
	now := time.Unix(0, 0)
	client.now = func() time.Time { // called once for the first sight, then once for each look
		now = now.Add(imagePatience / 2)
		return now
	}
	var reasons []string
	err := client.WaitObject(t.Context(), deployment, func(r string) { reasons = append(reasons, r) })
	const want = "pod web-x on w1: image web:1: ErrImagePull: failed to resolve web:1: not found"
	if err == nil || !strings.Contains(err.Error(), ErrImage.Error()) || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v", err)
	}
	if !strings.Contains(strings.Join(reasons, "\n"), want) {
		t.Errorf("reasons %q", reasons)
	}
}
