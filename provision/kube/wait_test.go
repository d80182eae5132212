package kube

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// direct answers requests by a handler without a network, so that a test in a bubble of
// testing/synctest has the time in its hands.
type direct struct {
	http.HandlerFunc
	silent bool // watches stay open and say nothing; else the handler answers them
}

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if d.silent && r.URL.Query().Get("watch") == "true" {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: silence{r.Context()}, Request: r,
		}, nil
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	return response, nil
}

// silence is a body of which nothing comes.
type silence struct{ context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.Done()
	return 0, s.Err()
}

func (s silence) Close() error { return nil }

// directClient makes one request in a second at most.
func directClient(t *testing.T, transport direct) *Client {
	t.Helper()
	config := &rest.Config{Host: "https://api.example:6443", QPS: 1, Burst: 1, WarningHandlerWithContext: rest.NoWarnings{}}
	httpClient := &http.Client{Transport: transport}
	clientset, err := kubernetes.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	dynamicClient, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{clientset: clientset, dynamic: dynamicClient, http: httpClient, now: time.Now, retry: retryInterval}
}

// unchanging is an API server on which nothing happens: a cordoned node, an ending pod on it and
// a ConfigMap that cannot go.
func unchanging(t *testing.T) http.HandlerFunc {
	kinds := map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{
		map[string]any{"name": "pods", "kind": "Pod", "namespaced": true},
		map[string]any{"name": "configmaps", "kind": "ConfigMap", "namespaced": true},
	}}
	node := map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "w1"}, "spec": map[string]any{"unschedulable": true}}
	list := func(kind string, items ...any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"resourceVersion": "1"}, "items": append([]any{}, items...)}
	}
	ending := map[string]any{"metadata": map[string]any{"namespace": "app", "name": "web", "deletionTimestamp": "2026-11-24T12:00:00Z"}, "spec": map[string]any{"nodeName": "w1"}}
	held := owned(named("v1", "ConfigMap", "app", "held"), "app")
	held["metadata"].(map[string]any)["uid"] = "first"
	answers := map[string]map[string]any{
		"/api/v1":                                   kinds,
		"/api/v1/nodes":                             list("NodeList"),
		"/api/v1/nodes/w1":                          node,
		"/api/v1/pods":                              list("PodList", ending),
		"/api/v1/namespaces/app/configmaps":         list("ConfigMapList", held),
		"/api/v1/namespaces/app/configmaps/held":    held,
		"/api/v1/namespaces/app/pods":               list("PodList"),
		"/api/v1/namespaces/kube-system/pods":       list("PodList"),
		"/api/v1/namespaces/kube-public/configmaps": list("ConfigMapList"),
		"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases": {"apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList", "items": []any{}},
		"/apis/certificates.k8s.io/v1/certificatesigningrequests":        {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequestList", "items": []any{}},
	}
	return func(w http.ResponseWriter, r *http.Request) {
		answer := answers[r.URL.Path]
		switch {
		case r.URL.Path == "/readyz":
			http.Error(w, "[-]etcd failed", http.StatusInternalServerError)
		case answer == nil:
			t.Errorf("%s %s", r.Method, r.URL)
		case r.URL.Query().Get("watch") == "true": // it ends at once
		default:
			answerJSON(t, w, http.StatusOK, answer)
		}
	}
}

// The client may make one request in a second, and each wait ends between two of them, so that
// client-go sees beforehand that the next one comes too late.
func TestWaitsEndWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		what string
		wait func(ctx context.Context, c *Client, report func(string)) error
		want string
	}{
		{"WaitReady", func(ctx context.Context, c *Client, report func(string)) error { return c.WaitReady(ctx, report) },
			"ask API server for readiness: an error on the server (\"[-]etcd failed\") has prevented the request from succeeding"},
		{"WaitNode", func(ctx context.Context, c *Client, report func(string)) error {
			return c.WaitNode(ctx, "w1", true, report)
		},
			"the node is not registered"},
		{"WaitHeartbeat", func(ctx context.Context, c *Client, report func(string)) error {
			return c.WaitHeartbeat(ctx, "w1", report)
		},
			"it has not been heard of"},
		{"WaitTokenSigned", func(ctx context.Context, c *Client, report func(string)) error {
			const reason = "the ConfigMap kube-public/cluster-info does not exist"
			report(reason) // it reports nothing itself
			return c.WaitTokenSigned(ctx, testToken)
		}, "the ConfigMap kube-public/cluster-info does not exist"},
		{"WaitStaticPod", func(ctx context.Context, c *Client, report func(string)) error {
			return c.WaitStaticPod(ctx, "kube-scheduler-cp1", map[string]any{}, report)
		}, "the kubelet has not shown it yet"},
		{"WaitObject", func(ctx context.Context, c *Client, report func(string)) error {
			return c.WaitObject(ctx, named("v1", "Pod", "app", "web"), report)
		}, "it does not exist"},
		{"waitGone", func(ctx context.Context, c *Client, report func(string)) error {
			live, err := c.get(ctx, named("v1", "ConfigMap", "app", "held"))
			if err != nil {
				return err
			}
			return c.waitGone(ctx, live, report)
		}, "it is being deleted"},
		{"WaitServing", func(ctx context.Context, c *Client, report func(string)) error {
			return c.WaitServing(ctx, identityOfW1(), report)
		}, "the kubelet has not asked for it yet"},
		{"Drain", func(ctx context.Context, c *Client, report func(string)) error {
			return c.Drain(ctx, "w1", DrainOptions{Report: report})
		}, "1 pods are ending: app/web"},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 10800*time.Millisecond)
				defer cancel()
				var reasons []string
				err := c.wait(ctx, directClient(t, direct{HandlerFunc: unchanging(t)}), func(r string) { reasons = append(reasons, r) })
				if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), "; last seen: "+c.want) || !slices.Equal(reasons, []string{c.want}) {
					t.Errorf("error is %v, reasons %q", err, reasons)
				}
				if took := time.Since(began); took != 10800*time.Millisecond {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// What was seen stays known when the API server goes away.
func TestWaitKeepsWhatWasSeen(t *testing.T) {
	for _, c := range []struct {
		what, path, reason string
		wait               func(ctx context.Context, c *Client) error
	}{
		{"WaitNode", "/api/v1/nodes", "the node is not registered", func(ctx context.Context, c *Client) error { return c.WaitNode(ctx, "w1", true, nil) }},
		{"WaitServing", "/apis/certificates.k8s.io/v1/certificatesigningrequests", "the kubelet has not asked for it yet",
			func(ctx context.Context, c *Client) error { return c.WaitServing(ctx, identityOfW1(), nil) }},
		{"Drain", "/api/v1/pods", "1 pods are ending: app/web", func(ctx context.Context, c *Client) error { return c.Drain(ctx, "w1", DrainOptions{}) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10800*time.Millisecond)
				defer cancel()
				var lists atomic.Int32
				well := unchanging(t)
				client := directClient(t, direct{HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == c.path && r.URL.Query().Get("watch") == "" && lists.Add(1) > 1 {
						http.Error(w, "no leader", http.StatusServiceUnavailable)
						return
					}
					well(w, r)
				}})
				err := c.wait(ctx, client)
				if err == nil || !strings.Contains(err.Error(), "; last seen: "+c.reason+"; then: ") || !strings.Contains(err.Error(), "unable to handle the request") {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

// Neither a request nor a watch holds a wait up for longer than half a minute.
func TestWaitOutlivesDeadConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var lists []time.Duration
		client := directClient(t, direct{silent: true, HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
			lists = append(lists, time.Since(began))
			items := []any{}
			switch len(lists) {
			case 1:
				<-r.Context().Done()
				return
			case 3:
				items = append(items, readyNode("w1", corev1.ConditionTrue, ""))
			}
			answerJSON(t, w, http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "NodeList", "items": items})
		}})
		if err := client.WaitNode(t.Context(), "w1", true, nil); err != nil {
			t.Error(err)
		}
		if want := []time.Duration{0, 30500 * time.Millisecond, time.Minute + time.Second}; !slices.Equal(lists, want) {
			t.Errorf("listed at %v, want %v", lists, want)
		}
	})
}
