package kube

import (
	"context"
	"encoding/json"
	"fmt"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Removed are the nodes that were removed without their machines, by name. One whose mark cannot be read is in it with its name
// alone: it was removed.
func (c *Client) Removed(ctx context.Context) (map[string]object.Removed, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	record, err := c.clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, object.RemovedRecord, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read which nodes were removed: %w", err)
	}
	all := map[string]object.Removed{}
	for node, text := range record.Data {
		removed, err := object.ReadRemoved(text)
		if err != nil {
			removed = object.Removed{}
		}
		removed.Node = node
		all[node] = removed
	}
	return all, nil
}

// MarkRemoved keeps that a node is removed without its machine. A mark that is there already stays as it is.
func (c *Client) MarkRemoved(ctx context.Context, removed object.Removed) error {
	text, err := removed.Text()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	maps := c.clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	_, err = maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: object.RemovedRecord}, Data: map[string]string{removed.Node: text},
	}, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		var is *corev1.ConfigMap
		if is, err = maps.Get(ctx, object.RemovedRecord, metav1.GetOptions{}); err == nil && is.Data[removed.Node] == "" {
			err = c.changeRemoved(ctx, map[string]any{removed.Node: text})
		}
	}
	if err != nil {
		return fmt.Errorf("mark node %s as removed: %w", removed.Node, err)
	}
	return nil
}

// ForgetRemoved takes the mark of a node away. None is fine.
func (c *Client) ForgetRemoved(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := c.changeRemoved(ctx, map[string]any{node: nil}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("forget that node %s was removed: %w", node, err)
	}
	return nil
}

// changeRemoved patches the record; nil removes a mark.
func (c *Client) changeRemoved(ctx context.Context, data map[string]any) error {
	patch, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return fmt.Errorf("write patch: %w", err)
	}
	_, err = c.clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem).Patch(ctx, object.RemovedRecord, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	return err
}
