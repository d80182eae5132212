package kubetest

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// leases is where Leases of kube-system are: all that may be written here, as runs hold them while they work.
const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"

// Lease is the Lease of that name as it is now; nil where there is none.
func (a *API) Lease(name string) map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.objects[leases+"/"+name]
}

// PutLease makes the API server hold a Lease, in a version that nobody has read.
func (a *API) PutLease(name string, spec map[string]any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keepLease(leases+"/"+name, map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": map[string]any{"name": name, "namespace": "kube-system"}, "spec": spec,
	})
}

// OnLease has a function be called before each look at a Lease.
func (a *API) OnLease(look func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.onLease = look
}

// lookAtLease says that somebody is about to.
func (a *API) lookAtLease(r *http.Request) {
	a.mu.Lock()
	look := a.onLease
	a.mu.Unlock()
	if look != nil && r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, leases) {
		look()
	}
}

func (a *API) keepLease(path string, object map[string]any) {
	a.versions++
	object["metadata"].(map[string]any)["resourceVersion"] = strconv.Itoa(a.versions)
	a.objects[path] = object
}

// writeLease creates, replaces or deletes a Lease as an API server does: a version that is named has to be the one that is there.
func (a *API) writeLease(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, leases) {
		return false
	}
	object := a.decode(r)
	path, named := r.URL.Path, "preconditions"
	if r.Method != http.MethodDelete {
		named = "metadata"
	}
	metadata, _ := object[named].(map[string]any)
	if r.Method == http.MethodPost {
		path += fmt.Sprintf("/%v", metadata["name"])
	}
	is := a.objects[path]
	switch {
	case r.Method == http.MethodPost && is != nil:
		a.fail(w, http.StatusConflict)
	case r.Method != http.MethodPost && is == nil:
		a.fail(w, http.StatusNotFound)
	case is != nil && metadata["resourceVersion"] != is["metadata"].(map[string]any)["resourceVersion"]:
		a.fail(w, http.StatusConflict)
	case r.Method == http.MethodDelete:
		delete(a.objects, path)
		a.send(w, http.StatusOK, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
	default:
		a.keepLease(path, object)
		a.send(w, http.StatusOK, object)
	}
	return true
}

// decode is what a request holds, in whichever of the encodings the client has chosen.
func (a *API) decode(r *http.Request) map[string]any {
	text, err := io.ReadAll(r.Body)
	var typed runtime.Object
	if err == nil {
		typed, _, err = scheme.Codecs.UniversalDeserializer().Decode(text, nil, nil)
	}
	var object map[string]any
	if err == nil {
		object, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	}
	if err != nil {
		a.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return map[string]any{}
	}
	object["apiVersion"], object["kind"] = typed.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	return object
}
