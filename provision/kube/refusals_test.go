package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// scripted is an API server that answers with one status after the other, the last one for ever.
type scripted struct {
	mu       sync.Mutex
	ready    []int // of /readyz
	answers  []int // of everything else
	requests []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	s.requests = append(s.requests, strings.TrimSpace(fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, len(body))))
	list := &s.answers
	if r.URL.Path == "/readyz" {
		list = &s.ready
	}
	status := (*list)[0]
	if len(*list) > 1 {
		*list = (*list)[1:]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status == http.StatusOK || status == http.StatusCreated {
		fmt.Fprint(w, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"kube-system"}}`)
	} else {
		fmt.Fprintf(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","code":%d,"message":"no"}`, status)
	}
}

// A refusal counts when the API server is ready, and still refuses.
func TestRefusalsOfAnAPIServerThatStarts(t *testing.T) {
	const get, post, readyz = "GET /api/v1/namespaces/kube-system/secrets/s 0", "POST /api/v1/namespaces/kube-system/secrets 45", "GET /readyz 0"
	for _, c := range []struct {
		name           string
		ready, answers []int
		create         bool
		later, refused bool
		requests       []string
	}{
		{name: "no refusal", answers: []int{200}, requests: []string{get}},
		{name: "refused while it starts", ready: []int{500}, answers: []int{403}, later: true, requests: []string{get, readyz}},
		{name: "refused by one that refuses to say", ready: []int{403}, answers: []int{401}, later: true, requests: []string{get, readyz}},
		{name: "ready by the time it is asked", ready: []int{200}, answers: []int{403, 200}, requests: []string{get, readyz, get}},
		{name: "ready when something is made", ready: []int{200}, answers: []int{403, 201}, create: true, requests: []string{post, readyz, post}},
		{name: "refused", ready: []int{200}, answers: []int{403}, refused: true, requests: []string{get, readyz, get}},
		{name: "another error", answers: []int{409}, requests: []string{get}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &scripted{ready: c.ready, answers: c.answers}
			client := connect(t, apiServer(t, s.ServeHTTP))
			err := func(ctx context.Context) error {
				secrets := client.clientset.CoreV1().Secrets(metav1.NamespaceSystem)
				if c.create {
					_, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}}, metav1.CreateOptions{})
					return err
				}
				_, err := secrets.Get(ctx, "s", metav1.GetOptions{})
				return err
			}(t.Context())
			if c.refused != apierrors.IsForbidden(err) || c.later != (err != nil && transient(err)) {
				t.Errorf("error is %v", err)
			}
			if !slices.Equal(s.requests, c.requests) {
				t.Errorf("it asked %q, want %q", s.requests, c.requests)
			}
		})
	}
}
