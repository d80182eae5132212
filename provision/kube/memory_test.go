package kube

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// memory is an API server that holds objects in memory: what is created by applying, is
// looked at, listed and deleted. Watches end at once, so that waits list anew.
type memory struct {
	t  *testing.T
	mu sync.Mutex
	// objects by their path in the API.
	objects map[string]map[string]any
	// kept are the paths of objects that are only marked when they are deleted.
	kept     map[string]bool
	requests []string
	// texts are answers that are no objects, by path and query: logs of containers.
	texts map[string]string
	// refused are requests that end with a status: "GET /api/v1/…".
	refused map[string]int
	// onList is called before each list, with its path.
	onList func(path string)
}

// resources are the kinds that memory knows, by group and version.
func resources() map[string][]map[string]any {
	kind := func(name, kind string, namespaced bool) map[string]any {
		return map[string]any{"name": name, "kind": kind, "namespaced": namespaced, "verbs": []any{"list", "get"}}
	}
	unlisted := kind("reviews", "Review", true)
	unlisted["verbs"] = []any{"create"}
	return map[string][]map[string]any{
		"v1": {
			unlisted,
			kind("configmaps", "ConfigMap", true), kind("serviceaccounts", "ServiceAccount", true), kind("pods", "Pod", true),
			kind("namespaces", "Namespace", false), kind("secrets", "Secret", true),
		},
		"apps/v1":                 {kind("deployments", "Deployment", true)},
		"coordination.k8s.io/v1":  {kind("leases", "Lease", true)},
		"batch/v1":                {kind("jobs", "Job", true)},
		"apiextensions.k8s.io/v1": {kind("customresourcedefinitions", "CustomResourceDefinition", false)},
		"example.com/v1":          {kind("lines", "Line", true)},
	}
}

func newMemory(t *testing.T, objects ...map[string]any) (*memory, *Client) {
	m := &memory{t: t, objects: map[string]map[string]any{}, kept: map[string]bool{}}
	for _, object := range objects {
		m.put(object)
	}
	server := apiServer(t, m.serve)
	return m, connect(t, server)
}

// pathOf is where the API has an object.
func pathOf(object map[string]any) string {
	u := &unstructured.Unstructured{Object: object}
	root := "/apis/"
	if u.GetAPIVersion() == "v1" {
		root = "/api/"
	}
	for _, resource := range resources()[u.GetAPIVersion()] {
		if resource["kind"] != u.GetKind() {
			continue
		}
		path := root + u.GetAPIVersion()
		if resource["namespaced"] == true {
			path += "/namespaces/" + u.GetNamespace()
		}
		return path + "/" + resource["name"].(string) + "/" + u.GetName()
	}
	return ""
}

func (m *memory) put(object map[string]any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := (&unstructured.Unstructured{Object: object}).DeepCopy()
	if u.GetUID() == "" {
		u.SetUID("first")
	}
	m.objects[pathOf(object)] = u.Object
}

func (m *memory) remove(object map[string]any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, pathOf(object))
}

func (m *memory) has(object map[string]any) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, exists := m.objects[pathOf(object)]
	return exists
}

func (m *memory) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/readyz" {
		return // it is
	}
	query := r.URL.Query()
	if r.Method == http.MethodGet && query.Get("watch") == "true" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if r.URL.Path == "/api/v1/namespaces/app/reviews" {
		m.t.Errorf("asked for %s, which cannot be listed", r.URL)
	}
	m.mu.Lock()
	code := m.refused[r.Method+" "+r.URL.Path]
	m.mu.Unlock()
	if code != 0 {
		answerJSON(m.t, w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "not for you"})
		return
	}
	if m.discover(w, r.URL.Path) {
		return
	}
	if text, ok := m.texts[r.URL.RequestURI()]; ok {
		io.WriteString(w, text)
		return
	}
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if kind := kindOf(last); r.Method == http.MethodGet && kind != "" {
		if m.onList != nil {
			m.onList(r.URL.Path)
		}
		m.list(w, r, kind, strings.TrimPrefix(query.Get("fieldSelector"), "metadata.name="))
		return
	}
	m.one(w, r)
}

func kindOf(resource string) string {
	for _, list := range resources() {
		for _, r := range list {
			if r["name"] == resource {
				return r["kind"].(string)
			}
		}
	}
	return ""
}

// discover answers questions for kinds.
func (m *memory) discover(w http.ResponseWriter, path string) bool {
	group := strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")
	if list, ok := resources()[group]; ok {
		answerJSON(m.t, w, http.StatusOK, map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": list})
		return true
	}
	switch path {
	case "/api":
		answerJSON(m.t, w, http.StatusOK, map[string]any{"kind": "APIVersions", "versions": []any{"v1"}})
	case "/apis":
		var groups []any
		for version := range resources() {
			name, number, grouped := strings.Cut(version, "/")
			if grouped {
				v := map[string]any{"groupVersion": version, "version": number}
				groups = append(groups, map[string]any{"name": name, "versions": []any{v}, "preferredVersion": v})
			}
		}
		answerJSON(m.t, w, http.StatusOK, map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
	default:
		return false
	}
	return true
}

func (m *memory) list(w http.ResponseWriter, r *http.Request, kind, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := []any{}
	version := ""
	for path, object := range m.objects {
		within := strings.HasPrefix(path, r.URL.Path+"/") || !strings.Contains(r.URL.Path, "/namespaces/") && object["kind"] == kind
		if !within || name != "" && !strings.HasSuffix(path, "/"+name) {
			continue
		}
		items, version = append(items, object), object["apiVersion"].(string)
	}
	if version == "" {
		version = "v1"
	}
	answerJSON(m.t, w, http.StatusOK, map[string]any{"kind": kind + "List", "apiVersion": version, "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
}

// one reads, applies or deletes one object.
func (m *memory) one(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.t.Error(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Method != http.MethodGet {
		m.requests = append(m.requests, r.Method+" "+r.URL.Path+" "+string(body))
	}
	object, exists := m.objects[r.URL.Path]
	switch {
	case r.Method == http.MethodPatch:
		applied := map[string]any{}
		if err := json.Unmarshal(body, &applied); err != nil {
			m.t.Error(err)
		}
		(&unstructured.Unstructured{Object: applied}).SetUID("applied")
		m.objects[r.URL.Path] = applied
		answerJSON(m.t, w, http.StatusOK, applied)
	case !exists:
		answerJSON(m.t, w, http.StatusNotFound, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
	case r.Method == http.MethodDelete:
		if !m.kept[r.URL.Path] {
			delete(m.objects, r.URL.Path)
		}
		answerJSON(m.t, w, http.StatusOK, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
	default:
		answerJSON(m.t, w, http.StatusOK, object)
	}
}
