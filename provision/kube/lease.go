package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrLeaseChanged says that a Lease is another one than that which was to be replaced.
var ErrLeaseChanged = errors.New("the Lease has changed")

// Lease is who holds a Lease of kube-system.
type Lease struct {
	Holder            string
	Acquired, Renewed time.Time
	Duration          time.Duration
	// Version is the resource version; empty for one that is not there yet.
	Version string
}

// Lease returns the Lease of that name; nil where there is none.
func (c *Client) Lease(ctx context.Context, name string) (*Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	is, err := c.clientset.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get Lease %s: %w", name, err)
	}
	lease := &Lease{Version: is.ResourceVersion}
	if is.Spec.HolderIdentity != nil {
		lease.Holder = *is.Spec.HolderIdentity
	}
	if is.Spec.AcquireTime != nil {
		lease.Acquired = is.Spec.AcquireTime.Time
	}
	if is.Spec.RenewTime != nil {
		lease.Renewed = is.Spec.RenewTime.Time
	}
	if is.Spec.LeaseDurationSeconds != nil {
		lease.Duration = time.Duration(*is.Spec.LeaseDurationSeconds) * time.Second
	}
	return lease, nil
}

// PutLease creates the Lease, or replaces the version of it that lease names, and returns the new version. Where another one is
// there, or it is gone, the error is ErrLeaseChanged.
func (c *Client) PutLease(ctx context.Context, name string, lease Lease) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	acquired, renewed := metav1.NewMicroTime(lease.Acquired), metav1.NewMicroTime(lease.Renewed)
	seconds := int32(lease.Duration / time.Second) //nolint:gosec // some seconds
	object := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceSystem, ResourceVersion: lease.Version},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &lease.Holder, AcquireTime: &acquired, RenewTime: &renewed, LeaseDurationSeconds: &seconds,
		},
	}
	leases := c.clientset.CoordinationV1().Leases(metav1.NamespaceSystem)
	var is *coordinationv1.Lease
	if lease.Version == "" {
		is, err = leases.Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
	} else {
		is, err = leases.Update(ctx, object, metav1.UpdateOptions{FieldManager: fieldManager})
	}
	if err != nil {
		return "", fmt.Errorf("write Lease %s: %w", name, leaseError(err, lease.Version))
	}
	return is.ResourceVersion, nil
}

// DeleteLease deletes a version of the Lease. An absent one is fine; another version is ErrLeaseChanged.
func (c *Client) DeleteLease(ctx context.Context, name, version string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := c.clientset.CoordinationV1().Leases(metav1.NamespaceSystem).Delete(ctx, name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{ResourceVersion: &version},
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete Lease %s: %w", name, leaseError(err, version))
	}
	return nil
}

// leaseError tells a lost race from other failures.
func leaseError(err error, version string) error {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || version != "" && apierrors.IsNotFound(err) {
		return fmt.Errorf("%w: %w", ErrLeaseChanged, err)
	}
	return err
}
