package kube

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
)

func named(apiVersion, kind, namespace, name string) map[string]any {
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	return map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}
}

// objectServer knows the kinds of v1 and, once defined is set, of example.com/v1. It writes
// its requests to log, those for kinds as "kinds PATH".
func objectServer(t *testing.T, requests *[]string, defined *atomic.Bool) *Client {
	t.Helper()
	notFound := map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
	server := apiServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		switch r.URL.Path {
		case "/api/v1":
			*requests = append(*requests, "kinds "+r.URL.Path)
			answerJSON(t, w, http.StatusOK, map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{
				map[string]any{"name": "namespaces/finalize", "kind": "Namespace"},
				map[string]any{"name": "namespaces", "kind": "Namespace"},
				map[string]any{"name": "configmaps", "kind": "ConfigMap", "namespaced": true},
			}})
			return
		case "/apis/example.com/v1":
			*requests = append(*requests, "kinds "+r.URL.Path)
			if defined.Load() {
				answerJSON(t, w, http.StatusOK, map[string]any{"kind": "APIResourceList", "groupVersion": "example.com/v1", "resources": []any{
					map[string]any{"name": "lines", "kind": "Line"},
				}})
				return
			}
		case "/apis/broken.example.com/v1":
			answerJSON(t, w, http.StatusInternalServerError, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "out of order"})
			return
		default:
			*requests = append(*requests, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type")+" "+string(body)))
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/there"):
			live := named("v1", "ConfigMap", "app", "there")
			live["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": "x"}}
			answerJSON(t, w, http.StatusOK, live)
		case r.URL.Path == "/readyz": // it is
		case strings.HasSuffix(r.URL.Path, "/forbidden"):
			answerJSON(t, w, http.StatusForbidden, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "not for you"})
		case strings.HasSuffix(r.URL.Path, "/fixed"), strings.HasSuffix(r.URL.Path, "/wrong"):
			message := map[bool]string{true: "spec.template: field is immutable", false: "spec.replicas: must be a number"}[strings.HasSuffix(r.URL.Path, "/fixed")]
			answerJSON(t, w, http.StatusUnprocessableEntity, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422, "message": message})
		default:
			answerJSON(t, w, http.StatusNotFound, notFound)
		}
	})
	return connect(t, server)
}

func TestApply(t *testing.T) {
	var requests []string
	var defined atomic.Bool
	client := objectServer(t, &requests, &defined)
	object := named("v1", "ConfigMap", "", "there")
	for range 2 {
		if err := client.Apply(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	const apply = `?fieldManager=fairlead&force=true application/apply-patch+yaml `
	first := `PATCH /api/v1/namespaces/default/configmaps/there` + apply + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"there","namespace":"default"}}`
	if want := []string{"kinds /api/v1", first, first}; !slices.Equal(requests, want) {
		t.Errorf("requests %q\nwant %q", requests, want)
	}
	if text, err := json.Marshal(object); err != nil || strings.Contains(string(text), "default") {
		t.Errorf("the object was changed: %s", text)
	}
	requests = nil
	if err := client.Apply(t.Context(), named("v1", "Namespace", "", "there")); err != nil {
		t.Fatal(err)
	}
	if want := []string{`PATCH /api/v1/namespaces/there` + apply + `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"there"}}`}; !slices.Equal(requests, want) {
		t.Errorf("requests %q\nwant %q", requests, want)
	}
	if err := client.Apply(t.Context(), named("v1", "ConfigMap", "app", "forbidden")); err == nil || !strings.Contains(err.Error(), "apply ConfigMap app/forbidden: not for you") {
		t.Errorf("forbidden: %v", err)
	}
	for name, immutable := range map[string]bool{"fixed": true, "wrong": false, "forbidden": false} {
		if err := client.Apply(t.Context(), named("v1", "ConfigMap", "app", name)); err == nil || errors.Is(err, ErrImmutable) != immutable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := client.Apply(t.Context(), map[string]any{"kind": "ConfigMap"}); err == nil || !strings.Contains(err.Error(), "metadata.name") {
		t.Errorf("no name: %v", err)
	}
}

func TestApplyOfAKindJustDefined(t *testing.T) {
	var requests []string
	var defined atomic.Bool
	client := objectServer(t, &requests, &defined)
	line := named("example.com/v1", "Line", "", "there")
	if err := client.Apply(t.Context(), line); !meta.IsNoMatchError(err) {
		t.Errorf("undefined: %v", err)
	}
	if live, exists, err := client.Look(t.Context(), line); live.Object != nil || exists || err != nil {
		t.Errorf("Look = %v, %v, %v", live, exists, err)
	}
	defined.Store(true)
	if err := client.Apply(t.Context(), line); err != nil {
		t.Errorf("defined: %v", err)
	}
	if last := requests[len(requests)-1]; !strings.HasPrefix(last, "PATCH /apis/example.com/v1/lines/there?") {
		t.Errorf("last request %q", last)
	}
}

func TestLookAtAnObject(t *testing.T) {
	var requests []string
	client := objectServer(t, &requests, new(atomic.Bool))
	live, exists, err := client.Look(t.Context(), named("v1", "ConfigMap", "app", "there"))
	if err != nil || !exists {
		t.Fatalf("Look = %v, %v", exists, err)
	}
	if text, err := json.Marshal(live.Object); err != nil || strings.Contains(string(text), "managedFields") {
		t.Errorf("live object %s, %v", text, err)
	}
	if _, exists, err := client.Look(t.Context(), named("v1", "ConfigMap", "app", "absent")); exists || err != nil {
		t.Errorf("absent: %v, %v", exists, err)
	}
	for want, object := range map[string]map[string]any{
		"get ConfigMap app/forbidden: not for you":                             named("v1", "ConfigMap", "app", "forbidden"),
		"get Namespace forbidden: not for you":                                 named("v1", "Namespace", "", "forbidden"),
		"get object: it lacks apiVersion, kind or metadata.name":               {"apiVersion": "v1", "kind": "ConfigMap"},
		"get Line x: ask for the kinds of broken.example.com/v1: out of order": named("broken.example.com/v1", "Line", "", "x"),
	} {
		if live, exists, err := client.Look(t.Context(), object); exists || live.Object != nil || err == nil || err.Error() != want {
			t.Errorf("Look = %v, %v, %v, want %s", live, exists, err, want)
		}
	}
	for _, lacks := range []map[string]any{
		{"kind": "ConfigMap", "metadata": map[string]any{"name": "x"}}, {"apiVersion": "v1", "metadata": map[string]any{"name": "x"}}, {"apiVersion": "v1", "kind": "ConfigMap"},
	} {
		if err := client.Apply(t.Context(), lacks); err == nil || err.Error() != "apply object: it lacks apiVersion, kind or metadata.name" {
			t.Errorf("Apply of %v = %v", lacks, err)
		}
	}
}
