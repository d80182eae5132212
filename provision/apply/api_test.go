package apply_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// fields are those of an object of the API.
type fields = map[string]any

// api is an API server that holds objects in memory, by their paths. Watches of it end at once.
type api struct {
	t    *testing.T
	note func(entry string) // takes each request that is to change something: "METHOD PATH"

	mu      sync.Mutex
	objects map[string]fields
	refused map[string]int    // statuses of requests that are refused, by "METHOD PATH"
	lingers map[string]bool   // paths of what stays when it is deleted
	texts   map[string]string // answers that are no objects, by path
	bodies  map[string]fields // of the last request that was noted, by "METHOD PATH"
	created func(path string, object fields)
}

func newAPI(t *testing.T, note func(string)) *api {
	return &api{
		t: t, note: note, objects: map[string]fields{}, refused: map[string]int{}, lingers: map[string]bool{},
		texts: map[string]string{"/readyz": "ok"}, bodies: map[string]fields{}, created: func(string, fields) {},
	}
}

// resource is one kind of objects.
type resource struct{ version, kind string }

// resources are the kinds that the server has, by what they are called in paths.
func resources() map[string]resource {
	return map[string]resource{
		"nodes": {"v1", "Node"}, "pods": {"v1", "Pod"}, "secrets": {"v1", "Secret"}, "configmaps": {"v1", "ConfigMap"},
		"leases":                     {"coordination.k8s.io/v1", "Lease"},
		"certificatesigningrequests": {"certificates.k8s.io/v1", "CertificateSigningRequest"},
	}
}

// put makes the object at a path, with its name, namespace and kind.
func (a *api) put(path string, object fields) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(path, object)
}

func (a *api) keep(path string, object fields) {
	words := strings.Split(path, "/")
	name, plural := words[len(words)-1], words[len(words)-2]
	metadata, _ := object["metadata"].(fields)
	metadata = maps.Clone(metadata)
	if metadata == nil {
		metadata = fields{}
	}
	metadata["name"], metadata["uid"] = name, "uid-of-"+name
	if i := len(words) - 4; words[i] == "namespaces" {
		metadata["namespace"] = words[i+1]
	}
	object = maps.Clone(object)
	object["apiVersion"], object["kind"], object["metadata"] = resources()[plural].version, resources()[plural].kind, metadata
	a.objects[path] = object
}

// has says whether there is an object at a path.
func (a *api) has(path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.objects[path] != nil
}

// body is that of the last request, "METHOD PATH", as JSON.
func (a *api) body(request string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.json(a.bodies[request])
}

func (a *api) json(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		a.t.Error(err)
	}
	return string(text)
}

// refuse has the server refuse a request, "METHOD PATH".
func (a *api) refuse(request string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused[request] = status
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	request := r.Method + " " + r.URL.Path
	body := a.read(r)
	if r.Method != http.MethodGet {
		a.note(request)
		a.bodies[request] = body
	}
	status, object := a.refused[request], any(nil)
	if status == 0 {
		if text, ok := a.texts[r.URL.Path]; ok {
			io.WriteString(w, text)
			return
		}
		status, object = a.handle(r, body)
	}
	if status >= http.StatusBadRequest {
		object = fields{
			"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
			"reason": map[int]string{http.StatusNotFound: "NotFound", http.StatusForbidden: "Forbidden"}[status], "message": http.StatusText(status),
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if object != nil {
		io.WriteString(w, a.json(object))
	}
}

// read reads what a request brings: an object as JSON, or as protobuf, which the typed client sends.
func (a *api) read(r *http.Request) fields {
	text, err := io.ReadAll(r.Body)
	if err == nil && bytes.HasPrefix(text, []byte("k8s\x00")) {
		var object runtime.Object
		if object, _, err = scheme.Codecs.UniversalDeserializer().Decode(text, nil, nil); err == nil {
			text, err = json.Marshal(object)
		}
	}
	var body fields
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		a.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return body
}

// handle answers a request that is not refused.
func (a *api) handle(r *http.Request, body fields) (int, any) {
	path := r.URL.Path
	last := path[strings.LastIndexByte(path, '/')+1:]
	_, isList := resources()[last]
	object, exists := a.objects[path]
	switch {
	case path == "/api/v1":
		return http.StatusOK, a.kinds()
	case r.URL.Query().Get("watch") != "":
		return http.StatusOK, nil
	case r.Method == http.MethodGet && isList:
		return http.StatusOK, a.list(path, last)
	case r.Method == http.MethodPost && isList:
		path += "/" + body["metadata"].(fields)["name"].(string)
		a.keep(path, body)
		a.created(path, body)
		return http.StatusCreated, a.objects[path]
	case last == "eviction":
		delete(a.objects, strings.TrimSuffix(path, "/eviction"))
		return http.StatusCreated, fields{"kind": "Status", "apiVersion": "v1", "status": "Success"}
	case last == "approval", r.Method == http.MethodPut, r.Method == http.MethodPatch && strings.Contains(r.Header.Get("Content-Type"), "apply"):
		path = strings.TrimSuffix(path, "/approval")
		a.keep(path, body)
		return http.StatusOK, a.objects[path]
	case !exists:
		return http.StatusNotFound, nil
	case r.Method == http.MethodDelete && !a.lingers[path]:
		delete(a.objects, path)
	}
	return http.StatusOK, object
}

// kinds is what the server says of its kinds in v1.
func (a *api) kinds() fields {
	var list []any
	for name, resource := range resources() {
		if resource.version == "v1" {
			list = append(list, fields{"name": name, "kind": resource.kind, "namespaced": name != "nodes", "verbs": []any{"get", "list"}})
		}
	}
	return fields{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": list}
}

// list is the objects of one kind, in one namespace or in all.
func (a *api) list(path, plural string) fields {
	items := []any{}
	for at, object := range a.objects {
		everywhere := !strings.Contains(path, "/namespaces/") && strings.Contains(at, "/"+plural+"/")
		if strings.HasPrefix(at, path+"/") || everywhere {
			items = append(items, object)
		}
	}
	kind := resources()[plural]
	return fields{"kind": kind.kind + "List", "apiVersion": kind.version, "metadata": fields{"resourceVersion": "1"}, "items": items}
}
