package kube

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// WaitReady waits until the API server is ready. Whatever it answers before counts as not yet,
// refusals included: its access rules are set up while it starts. Only a certificate that does
// not verify and ErrTunnelClosed end the wait. report, which may be nil, gets the reason
// whenever it changes; the error at the context's end holds the last one.
func (c *Client) WaitReady(ctx context.Context, report func(reason string)) error {
	w := waiting{what: "wait for API server", report: report}
	for {
		err := c.Ready(undated{ctx})
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return w.ended(ctx)
		case hopeless(err):
			return fmt.Errorf("%s: %w", w.what, err)
		}
		w.note(err.Error())
		if pause(ctx, c.retry) != nil {
			return w.ended(ctx)
		}
	}
}

// source lists and watches one kind of object.
type source struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// undated is a context that ends when the one in it does, but does not say beforehand when that
// is. A request of a wait gets it, so that none fails in view of the wait's end, as client-go's
// own limit of requests lets it: the wait would take such an error for its reason.
type undated struct{ context.Context }

// Deadline implements context.Context.
func (undated) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// waiting is one wait: what it waits for, and the reason why it still does.
type waiting struct {
	what, reason string
	state        string // the last reason that is not a failed request
	report       func(string)
}

// note takes the reason that was seen in the cluster.
func (w *waiting) note(reason string) {
	if reason != "" {
		w.state = reason
		w.tell(reason)
	}
}

// failed takes the error of a request. It is the reason until something is seen again, and does
// not put what was seen before out of mind.
func (w *waiting) failed(err error) { w.tell(err.Error()) }

func (w *waiting) tell(reason string) {
	if reason != w.reason {
		w.reason = reason
		if w.report != nil {
			w.report(reason)
		}
	}
}

// ended is the error of a wait whose context ended.
func (w *waiting) ended(ctx context.Context) error {
	seen := w.reason
	if w.state != "" && w.state != w.reason {
		seen = w.state + "; then: " + w.reason
	}
	if seen == "" {
		return fmt.Errorf("%s: %w", w.what, context.Cause(ctx))
	}
	return fmt.Errorf("%s: %w; last seen: %s", w.what, context.Cause(ctx), seen)
}

// waitObject waits until check is done with the one object of the given name: it gets each new
// state, the zero T where there is no object, and says whether the wait is over and why not.
func waitObject[T runtime.Object](ctx context.Context, c *Client, w *waiting, name string, from source, check func(T) (bool, string)) error {
	return c.wait(ctx, w, func(ctx context.Context) (bool, error) { return watchObject(ctx, w, name, from, check) })
}

// wait looks again and again until it is done. What an API server that is away says counts as not yet.
func (c *Client) wait(ctx context.Context, w *waiting, look func(context.Context) (done bool, err error)) error {
	for {
		done, err := look(undated{ctx})
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return w.ended(ctx)
		case err != nil && !transient(err):
			return fmt.Errorf("%s: %w", w.what, err)
		case err != nil:
			w.failed(err)
		}
		if pause(ctx, c.retry) != nil {
			return w.ended(ctx)
		}
	}
}

// watchObject lists the object and follows its changes until check is done or the watch ends.
func watchObject[T runtime.Object](ctx context.Context, w *waiting, name string, from source, check func(T) (bool, string)) (bool, error) {
	options := metav1.ListOptions{FieldSelector: "metadata.name=" + name}
	listCtx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	list, err := from.list(listCtx, options)
	if err != nil {
		return false, err
	}
	object, version, err := pick[T](list, name)
	if err != nil {
		return false, err
	}
	done, reason := check(object)
	if done {
		return true, nil
	}
	w.note(reason)
	watchCtx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	options.ResourceVersion = version
	events, err := from.watch(watchCtx, options)
	if err != nil {
		return false, err
	}
	defer events.Stop()
	return follow(watchCtx, w, name, events, check)
}

// follow feeds check from a watch until it is done or the watch ends, which is no error.
func follow[T runtime.Object](ctx context.Context, w *waiting, name string, events watch.Interface, check func(T) (bool, string)) (bool, error) {
	for {
		select {
		case <-ctx.Done():
			return false, nil
		case event, open := <-events.ResultChan():
			if !open {
				return false, nil
			}
			if event.Type == watch.Error {
				return false, apierrors.FromObject(event.Object)
			}
			object, ok := event.Object.(T)
			if !ok || event.Type == watch.Bookmark || nameOf(object) != name {
				continue
			}
			if event.Type == watch.Deleted {
				var absent T
				object = absent
			}
			done, reason := check(object)
			if done {
				return true, nil
			}
			w.note(reason)
		}
	}
}

// pick returns the object of the given name from a list, the zero T if it has none, and the
// list's resource version.
func pick[T runtime.Object](list runtime.Object, name string) (object T, version string, err error) {
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return object, "", fmt.Errorf("read list: %w", err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return object, "", fmt.Errorf("read list: %w", err)
	}
	for _, item := range items {
		if typed, ok := item.(T); ok && nameOf(item) == name {
			object = typed
		}
	}
	return object, accessor.GetResourceVersion(), nil
}

func nameOf(object runtime.Object) string {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return ""
	}
	return accessor.GetName()
}

// transient tells whether an error says that the API server is away or busy, so that the same
// request may succeed later. What the server decided (not allowed, not valid) is not.
func transient(err error) bool {
	if hopeless(err) {
		return false
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // no answer from the API server: not reachable, cut off, too slow
	}
	code := status.Status().Code
	return code == http.StatusTooManyRequests || code == http.StatusGone || code >= http.StatusInternalServerError
}

// hopeless tells whether an error can only repeat itself: the server is not the one that the
// kubeconfig's CA vouches for, or there is no way to it any more.
func hopeless(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate) || errors.Is(err, ErrTunnelClosed)
}

// pause waits for d or the context's end, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
