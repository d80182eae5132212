package kube

import (
	"context"
	"fmt"
	"slices"

	"fairlead/provision/object"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Prune deletes an object of the owner and waits until it is gone. An absent one is fine. One
// that bears another label, or none, stays; so does a namespace or a definition of a kind in
// which there is anything that is not the owner's, or may be, as not all can be asked for. kept says why an object stays.
func (c *Client) Prune(ctx context.Context, object object.Applied, owner object.Owner, report func(string)) (kept string, err error) {
	live, err := c.get(ctx, object.Object())
	if err != nil || live == nil {
		return "", err
	}
	if !owner.Owns(live.Object) {
		return fmt.Sprintf("it does not bear the label %s=%s", owner.Label, owner.Value), nil
	}
	if kept, err = c.inhabited(ctx, live, owner); kept != "" || err != nil {
		return kept, err
	}
	if err := c.deleteExactly(ctx, live, metav1.DeletePropagationBackground); err != nil {
		return "", err
	}
	return "", c.waitGone(ctx, live, report)
}

// Replace deletes an object, waits until it is gone, and applies it anew.
func (c *Client) Replace(ctx context.Context, object map[string]any, report func(string)) error {
	live, err := c.get(ctx, object)
	if err != nil {
		return err
	}
	if live != nil {
		if err := c.deleteExactly(ctx, live, metav1.DeletePropagationForeground); err != nil {
			return err
		}
		if err := c.waitGone(ctx, live, report); err != nil {
			return err
		}
	}
	return c.Apply(ctx, object)
}

// deleteExactly deletes the object that was looked at, and no successor of its name.
func (c *Client) deleteExactly(ctx context.Context, live *unstructured.Unstructured, policy metav1.DeletionPropagation) error {
	u, resource, err := c.find(ctx, live.Object)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		uid := live.GetUID()
		err = resource.Delete(ctx, u.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy, Preconditions: &metav1.Preconditions{UID: &uid}})
	}
	if err != nil && !absent(err) {
		return fmt.Errorf("delete %s: %w", describe(live), err)
	}
	return nil
}

// inhabited says what lives in a namespace, or is of a kind, and is not the owner's.
func (c *Client) inhabited(ctx context.Context, live *unstructured.Unstructured, owner object.Owner) (string, error) {
	switch live.GetKind() {
	case "Namespace":
		resources, unknown, err := c.namespacedResources(ctx)
		if err != nil {
			return "", err
		}
		if kept, err := c.others(ctx, resources, live.GetName(), owner); kept != "" || err != nil || unknown == "" {
			return kept, err
		}
		return fmt.Sprintf("what it holds of %s is not known, as that API does not answer (kubectl get apiservices)", unknown), nil
	case "CustomResourceDefinition":
		resource, ok := definedResource(live)
		if !ok {
			return "none of its versions is served, so what there is of its kind is not known", nil
		}
		return c.others(ctx, []schema.GroupVersionResource{resource}, metav1.NamespaceAll, owner)
	}
	return "", nil
}

// definedResource is the first version that is served of the kind that a definition makes.
func definedResource(definition *unstructured.Unstructured) (schema.GroupVersionResource, bool) {
	group, _, err1 := unstructured.NestedString(definition.Object, "spec", "group")
	plural, _, err2 := unstructured.NestedString(definition.Object, "spec", "names", "plural")
	versions, _, err3 := unstructured.NestedSlice(definition.Object, "spec", "versions")
	if err1 != nil || err2 != nil || err3 != nil {
		return schema.GroupVersionResource{}, false
	}
	for _, v := range versions {
		if fields, ok := v.(map[string]any); ok && fields["served"] == true {
			return schema.GroupVersionResource{Group: group, Version: object.TextOf(fields["name"]), Resource: plural}, true
		}
	}
	return schema.GroupVersionResource{}, false
}

// namespacedResources are all kinds of objects in namespaces that can be listed. Those of APIs that do not answer, of which
// unknown names one, are not among them: an extension's own server may be away while it still holds objects.
func (c *Client) namespacedResources(ctx context.Context) (all []schema.GroupVersionResource, unknown string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	lists, err := discovery.ToDiscoveryInterfaceWithContext(c.clientset.Discovery()).ServerPreferredNamespacedResourcesWithContext(ctx)
	failed, partly := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partly {
		return nil, "", fmt.Errorf("ask for all kinds: %w", err)
	}
	for group := range failed {
		if name := group.String(); unknown == "" || name < unknown {
			unknown = name
		}
	}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, "", fmt.Errorf("ask for all kinds: %w", err)
		}
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "list") && !transientKinds(resource.Name) {
				all = append(all, group.WithResource(resource.Name))
			}
		}
	}
	return all, unknown, nil
}

// transientKinds are kinds whose objects controllers make anew, without naming an owner.
func transientKinds(resource string) bool {
	return slices.Contains([]string{"events", "leases", "endpoints", "endpointslices"}, resource)
}

// others names an object of the resources that is neither the owner's nor made by something
// that is.
func (c *Client) others(ctx context.Context, resources []schema.GroupVersionResource, namespace string, owner object.Owner) (string, error) {
	for _, resource := range resources {
		listCtx, cancel := context.WithTimeout(ctx, requestTimeout)
		list, err := c.dynamic.Resource(resource).Namespace(namespace).List(listCtx, metav1.ListOptions{})
		cancel()
		if absent(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("list %s: %w", resource.Resource, err)
		}
		for _, item := range list.Items {
			if !owner.Owns(item.Object) && len(item.GetOwnerReferences()) == 0 && item.GetDeletionTimestamp() == nil && !automatic(&item) {
				return "it holds " + describe(&item), nil
			}
		}
	}
	return "", nil
}

// automatic says that every namespace has the object by itself.
func automatic(u *unstructured.Unstructured) bool {
	return u.GetKind() == "ConfigMap" && u.GetName() == "kube-root-ca.crt" || u.GetKind() == "ServiceAccount" && u.GetName() == "default"
}
