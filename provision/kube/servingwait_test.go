package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/object"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	k8stesting "k8s.io/client-go/testing"
)

var csrResource = schema.GroupResource{Group: "certificates.k8s.io", Resource: "certificatesigningrequests"}

// decided makes a request of w1 with one condition.
func decided(name string, condition certificatesv1.RequestConditionType, message string) func(*testing.T) *certificatesv1.CertificateSigningRequest {
	return func(t *testing.T) *certificatesv1.CertificateSigningRequest {
		t.Helper()
		return servingCSR(t, name, func(_ *x509.CertificateRequest, o *certificatesv1.CertificateSigningRequest) {
			o.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: condition, Message: message}}
		})
	}
}

func TestWaitServing(t *testing.T) {
	requests := func(c *Client) func(string) {
		return func(string) { // the controller signs what is approved
			api := c.clientset.CertificatesV1().CertificateSigningRequests()
			list, err := api.List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Error(err)
			}
			for _, request := range list.Items {
				if len(request.Status.Conditions) > 0 {
					request.Status.Certificate = []byte("x")
					if _, err := api.UpdateStatus(t.Context(), &request, metav1.UpdateOptions{}); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	client, clientset := fakeClient()
	asked := false
	if err := client.WaitServing(t.Context(), identityOfW1(), func(reason string) {
		if !asked {
			asked = true
			if reason != "the kubelet has not asked for it yet" {
				t.Errorf("first reason %q", reason)
			}
			if err := clientset.Tracker().Add(servingCSR(t, "csr", nil)); err != nil {
				t.Error(err)
			}
		}
		requests(client)(reason)
	}); err != nil {
		t.Fatal(err)
	}
	if err := clientset.Tracker().Add(servingCSR(t, "csr-newer", func(c *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequest) {
		c.DNSNames = []string{"other"}
	})); err != nil {
		t.Fatal(err)
	}
	if err := client.WaitServing(t.Context(), identityOfW1(), nil); !errors.Is(err, ErrServing) || !strings.Contains(err.Error(), "the name other") {
		t.Errorf("a wrong request: %v", err)
	}
}

// The age of a request in these tests is the length of its name: longer is newer.
func TestWaitServingLooksAtTheNewest(t *testing.T) {
	type object = certificatesv1.CertificateSigningRequest
	issued := func(name string) *object {
		return servingCSR(t, name, func(_ *x509.CertificateRequest, o *object) { o.Status.Certificate = []byte("x") })
	}
	denied := decided("denied", certificatesv1.CertificateDenied, "not today")(t)
	failed := decided("failed", certificatesv1.CertificateFailed, "no key")(t)
	others := servingCSR(t, "longest-name-of-all", func(_ *x509.CertificateRequest, o *object) {
		o.Spec.Username, o.Status.Conditions = "system:node:w10", denied.Status.Conditions
	})
	for _, c := range []struct {
		title    string
		requests []runtime.Object
		want     string
	}{
		{"denied", []runtime.Object{denied, issued("old")}, "request denied is Denied: not today"},
		{"failed", []runtime.Object{failed}, "request failed is Failed: no key"},
		{"denied, then issued", []runtime.Object{denied, issued("newest-of-these")}, ""},
		{"another node's is denied", []runtime.Object{issued("mine"), others}, ""},
	} {
		client, _ := fakeClient(c.requests...)
		err := client.WaitServing(t.Context(), identityOfW1(), nil)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrServing) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q in it", c.title, err, c.want)
		}
	}
}

func TestWaitServingMeetsErrors(t *testing.T) {
	conflict := apierrors.NewConflict(csrResource, "csr", nil)
	client, clientset := fakeClient(servingCSR(t, "csr", nil))
	clientset.PrependReactor("list", "certificatesigningrequests", errorsFirst(apierrors.NewServiceUnavailable("starting")))
	clientset.PrependReactor("update", "certificatesigningrequests", errorsFirst(conflict))
	var reasons []string
	err := client.WaitServing(t.Context(), identityOfW1(), func(r string) {
		reasons = append(reasons, r)
		if strings.Contains(r, "not signed yet") {
			signed := csrNamed(t, clientset, "csr")
			signed.Status.Certificate = []byte("x")
			if _, err := client.clientset.CertificatesV1().CertificateSigningRequests().UpdateStatus(t.Context(), signed, metav1.UpdateOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	want := []string{
		"list certificate signing requests: starting",
		"approve certificate signing request csr: " + conflict.Error(),
		"request csr waits for approval",
		"request csr is approved and not signed yet",
	}
	if err != nil || !slices.Equal(reasons, want) {
		t.Errorf("WaitServing = %v, reasons %q\nwant %q", err, reasons, want)
	}
	clientset.PrependReactor("list", "certificatesigningrequests", refuseWith(apierrors.NewForbidden(csrResource, "", nil)))
	if err := client.WaitServing(t.Context(), identityOfW1(), nil); !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "wait for the serving certificate of w1: ") {
		t.Errorf("WaitServing = %v, want forbidden", err)
	}
}

func TestFollowServing(t *testing.T) {
	list := "certificatesigningrequests"
	client, clientset := fakeClient(servingCSR(t, "there", nil), decided("denied", certificatesv1.CertificateDenied, "")(t))
	clientset.PrependReactor("list", list, errorsFirst(apierrors.NewServiceUnavailable("starting")))
	expired := apierrors.NewResourceExpired("too old")
	sessions := [][]watch.Event{
		{
			{Type: watch.Added, Object: servingCSR(t, "new", nil)},
			{Type: watch.Added, Object: decided("decided", certificatesv1.CertificateApproved, "")(t)},
			{Type: watch.Deleted, Object: servingCSR(t, "deleted", nil)},
			{Type: watch.Bookmark, Object: &metav1.Status{}},
			{Type: watch.Error, Object: &expired.ErrStatus},
			{Type: watch.Added, Object: servingCSR(t, "after-the-end", nil)},
		},
		{{Type: watch.Modified, Object: servingCSR(t, "last", nil)}},
	}
	clientset.PrependWatchReactor(list, func(action k8stesting.Action) (bool, watch.Interface, error) {
		if fields := action.(k8stesting.WatchAction).GetWatchRestrictions().Fields.String(); fields != "spec.signerName=kubernetes.io/kubelet-serving" {
			t.Errorf("watched with %q", fields)
		}
		w := watch.NewRaceFreeFake()
		for _, e := range sessions[0] {
			w.Action(e.Type, e.Object)
		}
		sessions = sessions[1:]
		w.Stop()
		return true, w, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	var seen []string
	err := client.FollowServing(ctx, func(_ context.Context, r object.ServingRequest) {
		seen = append(seen, r.Node+"'s "+r.Name)
		if r.Name == "last" {
			cancel()
		}
	}, func(err error) {
		if err == nil {
			seen = append(seen, "listed")
			return
		}
		seen = append(seen, err.Error())
	})
	want := []string{
		"list certificate signing requests: starting",
		"listed", "w1's there", "w1's new", "watch certificate signing requests: too old",
		"listed", "w1's there", "w1's last",
	}
	if !errors.Is(err, context.Canceled) || !slices.Equal(seen, want) {
		t.Errorf("FollowServing = %v, seen %q\nwant %q", err, seen, want)
	}
}

// The connection of the first watch dies without a word.
func TestFollowServingListsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		lists := 0
		began := time.Now()
		var at []time.Duration
		client := directClient(t, direct{silent: true, HandlerFunc: func(w http.ResponseWriter, _ *http.Request) {
			requests := []any{}
			if lists++; lists == 2 {
				requests = append(requests, servingCSR(t, "csr", nil))
			}
			answerJSON(t, w, http.StatusOK, map[string]any{
				"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequestList", "metadata": map[string]any{"resourceVersion": "7"}, "items": requests,
			})
		}})
		if err := client.FollowServing(ctx, func(context.Context, object.ServingRequest) { cancel() }, func(err error) {
			if err != nil {
				t.Error(err)
			}
			at = append(at, time.Since(began))
		}); !errors.Is(err, context.Canceled) {
			t.Errorf("FollowServing = %v", err)
		}
		if want := []time.Duration{0, watchLimit + retryInterval}; !slices.Equal(at, want) {
			t.Errorf("listed at %v, want %v", at, want)
		}
	})
}
