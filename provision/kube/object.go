package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// ErrImmutable says that an object differs in what the API server does not let anybody change.
// It has to be deleted first.
var ErrImmutable = errors.New("it cannot be changed, delete it first")

// Apply makes the fields of an object in the cluster what they are in object, by server-side
// apply. Fields that others own and object names are taken over; fields that an earlier Apply
// set and object no longer names go away; all others stay. A namespaced object without a
// namespace goes to "default". object is not changed.
func (c *Client) Apply(ctx context.Context, object map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	u, err := identify(object)
	if err != nil {
		return fmt.Errorf("apply object: %w", err)
	}
	resource, err := c.resource(ctx, u)
	if err == nil {
		_, err = resource.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	}
	if apierrors.IsInvalid(err) && strings.Contains(err.Error(), "field is immutable") {
		err = fmt.Errorf("%w: %w", ErrImmutable, err)
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", describe(u), err)
	}
	return nil
}

// get returns the live object that has the apiVersion, kind, namespace and name of object; nil
// where there is none.
func (c *Client) get(ctx context.Context, object map[string]any) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	u, err := identify(object)
	if err != nil {
		return nil, fmt.Errorf("get object: %w", err)
	}
	resource, err := c.resource(ctx, u)
	var live *unstructured.Unstructured
	if err == nil {
		live, err = resource.Get(ctx, u.GetName(), metav1.GetOptions{})
	}
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", describe(u), err)
	}
	return live, nil
}

func identify(object map[string]any) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{Object: object}
	if u.GetAPIVersion() == "" || u.GetKind() == "" || u.GetName() == "" {
		return nil, errors.New("it lacks apiVersion, kind or metadata.name")
	}
	return u.DeepCopy(), nil
}

func describe(u *unstructured.Unstructured) string {
	if u.GetNamespace() == "" {
		return u.GetKind() + " " + u.GetName()
	}
	return u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()
}

// absent tells whether an error proves that an object does not exist.
func absent(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// resource returns the part of the API that serves an object.
func (c *Client) resource(ctx context.Context, u *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := u.GroupVersionKind()
	found, err := c.kind(ctx, kind)
	if err != nil {
		return nil, err
	}
	resource := c.dynamic.Resource(kind.GroupVersion().WithResource(found.Name))
	if !found.Namespaced {
		return resource, nil
	}
	if u.GetNamespace() == "" {
		u.SetNamespace(metav1.NamespaceDefault)
	}
	return resource.Namespace(u.GetNamespace()), nil
}

// kind returns the resource of a kind. What the API server said is kept; a kind that is not
// among it is asked for anew each time, since it may just have been defined.
func (c *Client) kind(ctx context.Context, kind schema.GroupVersionKind) (metav1.APIResource, error) {
	if found, ok := c.known(kind); ok {
		return found, nil
	}
	group := kind.GroupVersion()
	api := discovery.ToDiscoveryInterfaceWithContext(c.clientset.Discovery())
	list, err := api.ServerResourcesForGroupVersionWithContext(ctx, group.String())
	if err != nil && !apierrors.IsNotFound(err) {
		return metav1.APIResource{}, fmt.Errorf("ask for the kinds of %s: %w", group, err)
	}
	if err == nil {
		c.learn(group, list.APIResources)
	}
	found, ok := c.known(kind)
	if !ok {
		return metav1.APIResource{}, &meta.NoKindMatchError{GroupKind: kind.GroupKind(), SearchedVersions: []string{kind.Version}}
	}
	return found, nil
}

func (c *Client) known(kind schema.GroupVersionKind) (metav1.APIResource, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.kinds[kind]
	return found, ok
}

// learn keeps the resources of a group and version, without their subresources.
func (c *Client) learn(group schema.GroupVersion, resources []metav1.APIResource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds = map[schema.GroupVersionKind]metav1.APIResource{}
	}
	for _, r := range resources {
		if !strings.Contains(r.Name, "/") {
			c.kinds[group.WithKind(r.Kind)] = r
		}
	}
}
