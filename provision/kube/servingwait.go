package kube

import (
	"context"
	"errors"
	"fmt"

	"fairlead/provision/object"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// WaitServing waits until the newest request of the node's kubelet has its certificate, and
// approves those on the way that CheckServing has nothing against. A request that it has
// something against is an error, and stays undecided.
func (c *Client) WaitServing(ctx context.Context, id object.ServingIdentity, report func(string)) error {
	w := &waiting{what: "wait for the serving certificate of " + id.Node, report: report}
	for {
		done, reason, err := c.serveOnce(undated{ctx}, id)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return w.ended(ctx)
		case err != nil && !apierrors.IsConflict(err) && !transientServing(err):
			return fmt.Errorf("%s: %w", w.what, err)
		case err != nil:
			w.failed(err)
		default:
			w.note(reason)
		}
		if pause(ctx, c.retry) != nil {
			return w.ended(ctx)
		}
	}
}

// transientServing keeps a refusal, which has no status of the API server, from being taken
// for a lost connection.
func transientServing(err error) bool { return !errors.Is(err, ErrServing) && transient(err) }

func (c *Client) serveOnce(ctx context.Context, id object.ServingIdentity) (done bool, reason string, err error) {
	all, err := c.listServing(ctx)
	if err != nil {
		return false, "", err
	}
	var newest *certificatesv1.CertificateSigningRequest
	for i, request := range all {
		if servingRequest(&request).Node == id.Node && (newest == nil || newest.CreationTimestamp.Before(&request.CreationTimestamp)) {
			newest = &all[i]
		}
	}
	switch {
	case newest == nil:
		return false, "the kubelet has not asked for it yet", nil
	case pendingServing(newest):
		return false, "request " + newest.Name + " waits for approval", c.ApproveServing(ctx, newest.Name, id)
	case len(newest.Status.Certificate) > 0:
		return true, "", nil
	}
	for _, condition := range newest.Status.Conditions {
		if condition.Type != certificatesv1.CertificateApproved {
			return false, "", fmt.Errorf("%w: request %s is %s: %s", ErrServing, newest.Name, condition.Type, condition.Message)
		}
	}
	return false, "request " + newest.Name + " is approved and not signed yet", nil
}

// FollowServing hands each request that nobody has decided on to decide, those that are there
// and those that come, until the context ends. report gets nil each time the requests could be
// listed, else the error.
func (c *Client) FollowServing(ctx context.Context, decide func(context.Context, object.ServingRequest), report func(error)) error {
	for {
		if err := c.followServing(ctx, decide, report); err != nil && ctx.Err() == nil {
			report(err)
		}
		if pause(ctx, c.retry) != nil {
			return ctx.Err()
		}
	}
}

// followServing lists the requests and follows what is new until the watch ends.
func (c *Client) followServing(ctx context.Context, decide func(context.Context, object.ServingRequest), report func(error)) error {
	watchCtx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	options := metav1.ListOptions{FieldSelector: "spec.signerName=" + certificatesv1.KubeletServingSignerName}
	requests := c.clientset.CertificatesV1().CertificateSigningRequests()
	list, err := requests.List(watchCtx, options)
	if err != nil {
		return fmt.Errorf("list certificate signing requests: %w", err)
	}
	report(nil)
	for _, request := range list.Items {
		if pendingServing(&request) {
			decide(ctx, servingRequest(&request))
		}
	}
	options.ResourceVersion = list.ResourceVersion
	events, err := requests.Watch(watchCtx, options)
	if err != nil {
		return fmt.Errorf("watch certificate signing requests: %w", err)
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		request, ok := event.Object.(*certificatesv1.CertificateSigningRequest)
		switch {
		case event.Type == watch.Error:
			return fmt.Errorf("watch certificate signing requests: %w", apierrors.FromObject(event.Object))
		case ok && event.Type != watch.Deleted && pendingServing(request):
			decide(ctx, servingRequest(request))
		}
	}
	return nil
}
