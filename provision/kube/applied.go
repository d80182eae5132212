package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// recordName is the ConfigMap in kube-system that says what was applied.
const recordName = "fairlead-addons"

// AppliedObject identifies an object that was applied.
type AppliedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// SHA256 is that of the object as it was applied; empty for Secrets, whose content it
	// would let people try to guess.
	SHA256 string `json:"sha256,omitempty"`
}

// Identify is what the record says of an object.
func Identify(object map[string]any) AppliedObject {
	metadata, _ := object["metadata"].(map[string]any)
	applied := AppliedObject{
		APIVersion: textOf(object["apiVersion"]), Kind: textOf(object["kind"]),
		Namespace: textOf(metadata["namespace"]), Name: textOf(metadata["name"]),
	}
	if text, err := json.Marshal(object); err == nil && applied.Kind != "Secret" {
		sum := sha256.Sum256(text)
		applied.SHA256 = hex.EncodeToString(sum[:])
	}
	return applied
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}

// Object has the fields that identify the object.
func (a AppliedObject) Object() map[string]any {
	metadata := map[string]any{"name": a.Name}
	if a.Namespace != "" {
		metadata["namespace"] = a.Namespace
	}
	return map[string]any{"apiVersion": a.APIVersion, "kind": a.Kind, "metadata": metadata}
}

// Same says that both are the same object, whatever its content.
func (a AppliedObject) Same(b AppliedObject) bool {
	a.SHA256, b.SHA256 = "", ""
	return a == b
}

// Applied reads the cluster's record of what was applied, by set. A cluster without a record
// has none.
func (c *Client) Applied(ctx context.Context) (map[string][]AppliedObject, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	record, err := c.record(ctx)
	if err != nil || record == nil {
		return map[string][]AppliedObject{}, err
	}
	sets := map[string][]AppliedObject{}
	for set, text := range record.Data {
		var objects []AppliedObject
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
func (c *Client) RecordApplied(ctx context.Context, set string, objects []AppliedObject) error {
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
func (c *Client) recordOnce(ctx context.Context, set string, objects []AppliedObject) error {
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
