package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestServerVersion(t *testing.T) {
	for _, c := range []struct {
		status        int
		answer        string
		want, problem string
	}{
		{http.StatusOK, `{"major": "1", "minor": "37", "gitVersion": "v1.37.2"}`, "1.37.2", ""},
		{http.StatusOK, "no JSON", "", "parse server version: "},
		{http.StatusNotFound, "", "", "read server version: "},
	} {
		client := connect(t, apiServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/version" {
				t.Errorf("asked for %s", r.URL)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.answer)
		}))
		got, err := client.ServerVersion(t.Context())
		if got != c.want || (err != nil) != (c.problem != "") || err != nil && !strings.HasPrefix(err.Error(), c.problem) {
			t.Errorf("%q: %q, %v, want %q, %q", c.answer, got, err, c.want, c.problem)
		}
	}
}

func TestNewInClusterOutside(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if client, err := NewInCluster(); client != nil || err == nil || !strings.HasPrefix(err.Error(), "use the pod's service account: ") {
		t.Errorf("NewInCluster = %v, %v", client, err)
	}
}
