package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"fairlead/provision/object"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// WaitObject waits until Unready has nothing to say about an object. A Job that deletes itself
// may be gone by then. report, which may be nil, gets the reason whenever it changes, and what
// ails the object's pods. An image that can never be pulled ends the wait with ErrImage.
func (c *Client) WaitObject(ctx context.Context, item map[string]any, report func(reason string)) error {
	u, resource, err := c.find(ctx, item)
	if err != nil {
		return fmt.Errorf("wait for object: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	note := func(reason string) {
		mu.Lock()
		defer mu.Unlock()
		if report != nil {
			report(reason)
		}
	}
	look := newTroubles(c, u, note)
	var group sync.WaitGroup
	group.Go(func() { look.follow(ctx, cancel) })
	w := &waiting{what: "wait for " + describe(u), report: note}
	err = waitObject(ctx, c, w, u.GetName(), sourceOf(resource), func(live *unstructured.Unstructured) (bool, string) {
		if live == nil {
			return object.DeletesItself(item), "it does not exist"
		}
		reason := object.Unready(live.Object)
		return reason == "", reason
	})
	cancel(nil)
	group.Wait()
	if last := look.last(); err != nil && len(last) > 0 && !errors.Is(err, ErrImage) {
		return fmt.Errorf("%w; %s", err, strings.Join(last, "; "))
	}
	return err
}

// find identifies an object and the part of the API that serves it.
func (c *Client) find(ctx context.Context, object map[string]any) (*unstructured.Unstructured, dynamic.ResourceInterface, error) {
	u, err := identify(object)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resource, err := c.resource(ctx, u)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", describe(u), err)
	}
	return u, resource, nil
}

func sourceOf(resource dynamic.ResourceInterface) source {
	return source{
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return resource.List(ctx, o) },
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return resource.Watch(ctx, o)
		},
	}
}

// waitGone waits until the object that has the UID is no more.
func (c *Client) waitGone(ctx context.Context, live *unstructured.Unstructured, report func(string)) error {
	u, resource, err := c.find(ctx, live.Object)
	if absent(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait for the end of an object: %w", err)
	}
	w := &waiting{what: "wait for the end of " + describe(u), report: report}
	return waitObject(ctx, c, w, u.GetName(), sourceOf(resource), func(now *unstructured.Unstructured) (bool, string) {
		if now == nil || now.GetUID() != live.GetUID() {
			return true, ""
		}
		reason := "it is being deleted"
		if finalizers := now.GetFinalizers(); len(finalizers) > 0 {
			reason += ", finalizers: " + strings.Join(finalizers, ", ")
		}
		return false, reason
	})
}
