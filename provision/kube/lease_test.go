package kube

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Lease holds what was put; what fails for want of the version that was named is told apart from all other failures.
func TestLease(t *testing.T) {
	client, clientset := fakeClient()
	at := time.Date(2026, 11, 30, 12, 0, 0, 1000, time.UTC)
	want := Lease{Holder: "ann@laptop/1", Acquired: at, Renewed: at.Add(time.Second), Duration: 15 * time.Second}
	if is, err := client.Lease(t.Context(), "fairlead"); is != nil || err != nil {
		t.Fatalf("there is %v, %v", is, err)
	}
	if _, err := client.PutLease(t.Context(), "fairlead", want); err != nil {
		t.Fatal(err)
	}
	is, err := client.Lease(t.Context(), "fairlead")
	if err != nil || is == nil || is.Holder != want.Holder || !is.Acquired.Equal(at) || !is.Renewed.Equal(want.Renewed) || is.Duration != want.Duration {
		t.Fatalf("there is %+v, %v", is, err)
	}
	if _, err := client.PutLease(t.Context(), "fairlead", want); !errors.Is(err, ErrLeaseChanged) {
		t.Errorf("made twice: %v", err)
	}
	gone := want
	gone.Version = "7"
	if _, err := client.PutLease(t.Context(), "another", gone); !errors.Is(err, ErrLeaseChanged) {
		t.Errorf("replaced what is gone: %v", err)
	}
	for range 2 { // an absent one is fine
		if err := client.DeleteLease(t.Context(), "fairlead", is.Version); err != nil {
			t.Error(err)
		}
	}
	resource := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	for err, changed := range map[error]bool{
		apierrors.NewConflict(resource, "fairlead", nil): true, apierrors.NewForbidden(resource, "fairlead", nil): false,
	} {
		clientset.PrependReactor("*", "leases", refuseWith(err))
		_, reading := client.Lease(t.Context(), "fairlead")
		_, writing := client.PutLease(t.Context(), "fairlead", gone)
		deleting := client.DeleteLease(t.Context(), "fairlead", "7")
		if reading == nil || errors.Is(writing, ErrLeaseChanged) != changed || errors.Is(deleting, ErrLeaseChanged) != changed || !errors.Is(writing, err) {
			t.Errorf("%v: %v, %v, %v", err, reading, writing, deleting)
		}
	}
}
