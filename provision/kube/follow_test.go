package kube

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

func TestTransient(t *testing.T) {
	status := func(code int32) error { return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code}} }
	certificate := &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errors.New("connection refused"), true},
		{fmt.Errorf("list: %w", context.DeadlineExceeded), true},
		{fmt.Errorf("list: %w", status(http.StatusTooManyRequests)), true},
		{status(http.StatusGone), true},
		{status(http.StatusInternalServerError), true},
		{status(http.StatusServiceUnavailable), true},
		{status(http.StatusForbidden), false},
		{status(http.StatusUnauthorized), false},
		{status(http.StatusNotFound), false},
		{status(http.StatusConflict), false},
		{status(http.StatusUnprocessableEntity), false},
		{fmt.Errorf("get: %w", certificate), false},
		{fmt.Errorf("get: %w", ErrTunnelClosed), false},
	} {
		if got := transient(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// What a watch sends beside the object is passed over, whatever it is.
func TestFollow(t *testing.T) {
	node := func(name string) *corev1.Node { return readyNode(name, corev1.ConditionFalse, "") }
	expired := apierrors.NewResourceExpired("too old")
	for _, c := range []struct {
		title  string
		events []watch.Event
		done   bool
		want   []string // names that check saw; "" is an absent one
		err    string
	}{
		{"the end of the watch", nil, false, nil, ""},
		{"others", []watch.Event{{Type: watch.Added, Object: node("w2")}, {Type: watch.Added, Object: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}}, {Type: watch.Bookmark, Object: node("w1")}}, false, nil, ""},
		{"its changes", []watch.Event{{Type: watch.Added, Object: node("w1")}, {Type: watch.Deleted, Object: node("w1")}, {Type: watch.Deleted, Object: node("w2")}}, false, []string{"w1", ""}, ""},
		{"until it is done", []watch.Event{{Type: watch.Added, Object: node("w1")}, {Type: watch.Modified, Object: node("w1")}, {Type: watch.Modified, Object: node("w1")}, {Type: watch.Modified, Object: node("w1")}}, true, []string{"w1", "w1", "w1"}, ""},
		{"an error", []watch.Event{{Type: watch.Error, Object: &expired.ErrStatus}, {Type: watch.Modified, Object: node("w1")}}, false, nil, "too old"},
	} {
		events := watch.NewRaceFreeFake()
		for _, e := range c.events {
			events.Action(e.Type, e.Object)
		}
		events.Stop()
		var saw []string
		done, err := follow(t.Context(), &waiting{}, "w1", events, func(n *corev1.Node) (bool, string) {
			name := ""
			if n != nil {
				name = n.Name
			}
			saw = append(saw, name)
			return len(saw) == 3, "not yet"
		})
		if done != c.done || !slices.Equal(saw, c.want) || (err != nil) != (c.err != "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: %v, %v, saw %q", c.title, done, err, saw)
		}
	}
}

func TestPick(t *testing.T) {
	list := &corev1.NodeList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: []corev1.Node{*readyNode("w2", "", ""), *readyNode("w1", "", ""), *readyNode("w3", "", "")}}
	if node, version, err := pick[*corev1.Node](list, "w1"); err != nil || node == nil || node.Name != "w1" || version != "7" {
		t.Errorf("pick = %v, %q, %v", node, version, err)
	}
	if node, version, err := pick[*corev1.Node](list, "w4"); err != nil || node != nil || version != "7" {
		t.Errorf("pick = %v, %q, %v", node, version, err)
	}
	if node, _, err := pick[*corev1.Node](&corev1.Node{}, "w1"); err == nil || node != nil || !strings.HasPrefix(err.Error(), "read list: ") {
		t.Errorf("pick = %v, %v", node, err)
	}
}
