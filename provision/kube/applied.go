package kube

import (
	"context"
	"encoding/json"
	"fmt"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// recordName is the ConfigMap in kube-system that says what was applied.
const recordName = "fairlead-addons"

// Applied reads the cluster's record of what was applied, by set. A cluster without a record
// has none.
func (c *Client) Applied(ctx context.Context) (map[string][]object.Applied, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	record, err := c.record(ctx)
	if err != nil || record == nil {
		return map[string][]object.Applied{}, err
	}
	sets := map[string][]object.Applied{}
	for set, text := range record.Data {
		var objects []object.Applied
		if err := json.Unmarshal([]byte(text), &objects); err != nil {
			return nil, fmt.Errorf("read %s of ConfigMap %s/%s: %w", set, metav1.NamespaceSystem, recordName, err)
		}
		sets[set] = objects
	}
	return sets, nil
}

// record is the ConfigMap, nil where there is none.
func (c *Client) record(ctx context.Context) (*corev1.ConfigMap, error) {
	record, err := c.clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, recordName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ConfigMap %s/%s: %w", metav1.NamespaceSystem, recordName, err)
	}
	return record, nil
}

// RecordApplied makes objects those of the set in the record; none take the set out of it. Other
// sets stay, also when they are written at the same time.
func (c *Client) RecordApplied(ctx context.Context, set string, objects []object.Applied) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		err := c.recordOnce(ctx, set, objects)
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			return err
		}
		if pause(ctx, c.retry) != nil {
			return err
		}
	}
}

// recordOnce fails with a conflict when somebody else was faster.
func (c *Client) recordOnce(ctx context.Context, set string, objects []object.Applied) error {
	record, err := c.record(ctx)
	if err != nil {
		return err
	}
	exists := record != nil
	if !exists {
		record = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: recordName}}
	}
	if record.Data == nil {
		record.Data = map[string]string{}
	}
	delete(record.Data, set)
	if len(objects) > 0 {
		text, err := json.Marshal(objects)
		if err != nil {
			return fmt.Errorf("record what was applied: %w", err)
		}
		record.Data[set] = string(text)
	}
	maps := c.clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	switch {
	case exists && len(record.Data) == 0:
		err = maps.Delete(ctx, recordName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &record.ResourceVersion}})
	case exists:
		_, err = maps.Update(ctx, record, metav1.UpdateOptions{FieldManager: fieldManager})
	case len(record.Data) > 0:
		_, err = maps.Create(ctx, record, metav1.CreateOptions{FieldManager: fieldManager})
	}
	if err != nil {
		return fmt.Errorf("write ConfigMap %s/%s: %w", metav1.NamespaceSystem, recordName, err)
	}
	return nil
}
