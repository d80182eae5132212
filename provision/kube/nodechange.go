package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// conflictTries bounds how often a change is worked out anew because another writer came first.
const conflictTries = 10

// ChangeNode makes a change. It writes only what differs, and nothing if nothing does. The
// write holds only for the state that it was worked out from: if another writer came first,
// it is worked out again.
func (c *Client) ChangeNode(ctx context.Context, name string, ch object.NodeChange) error {
	var err error
	for range conflictTries {
		if err = c.changeNode(ctx, name, ch); !apierrors.IsConflict(err) {
			break
		}
		if pause(ctx, c.retry/10) != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("change node %s: %w", name, err)
	}
	return nil
}

func (c *Client) changeNode(ctx context.Context, name string, ch object.NodeChange) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	nodes := c.clientset.CoreV1().Nodes()
	node, err := nodes.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	patch, err := nodePatch(node, ch)
	if err != nil || patch == nil {
		return err
	}
	_, err = nodes.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	return err
}

// nodePatch returns the JSON merge patch from the node to the change, or nil if the node is
// as the change wants it. The patch holds the node's resource version, so that the API server
// refuses it with a conflict if the node was written since.
func nodePatch(node *corev1.Node, ch object.NodeChange) ([]byte, error) {
	metadata, spec := map[string]any{}, map[string]any{}
	if labels := changed(node.Labels, ch.Labels); len(labels) > 0 {
		metadata["labels"] = labels
	}
	if annotations := changed(node.Annotations, ch.Annotations); len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	if taints := withTaints(node.Spec.Taints, ch); !slices.EqualFunc(taints, node.Spec.Taints, sameTaint) {
		spec["taints"] = taints
	}
	if ch.Unschedulable != nil && *ch.Unschedulable != node.Spec.Unschedulable {
		spec["unschedulable"] = *ch.Unschedulable
	}
	if len(metadata)+len(spec) == 0 {
		return nil, nil
	}
	metadata["resourceVersion"] = node.ResourceVersion
	return json.Marshal(map[string]any{"metadata": metadata, "spec": spec})
}

// changed returns the part of want that differs from have.
func changed(have map[string]string, want map[string]*string) map[string]*string {
	diff := maps.Clone(want)
	maps.DeleteFunc(diff, func(key string, value *string) bool {
		current, exists := have[key]
		return exists == (value != nil) && (value == nil || *value == current)
	})
	return diff
}

// withTaints returns the taints after the change, kept ones in their order.
func withTaints(have []corev1.Taint, ch object.NodeChange) []corev1.Taint {
	matches := func(t object.Taint, taint corev1.Taint) bool {
		return t.Key == taint.Key && (t.Effect == string(taint.Effect) || t.Effect == "")
	}
	taints := make([]corev1.Taint, 0, len(have)+len(ch.AddTaints))
	for _, taint := range have {
		drop := slices.ContainsFunc(ch.RemoveTaints, func(t object.Taint) bool { return matches(t, taint) })
		keep := slices.ContainsFunc(ch.AddTaints, func(t object.Taint) bool { return matches(t, taint) })
		if !drop || keep {
			taints = append(taints, taint)
		}
	}
	for _, t := range ch.AddTaints {
		add := corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)}
		at := slices.IndexFunc(taints, func(taint corev1.Taint) bool { return taint.MatchTaint(&add) })
		switch {
		case at < 0:
			taints = append(taints, add)
		case taints[at].Value != add.Value:
			taints[at] = add
		}
	}
	return taints
}

func sameTaint(a, b corev1.Taint) bool { return a.MatchTaint(&b) && a.Value == b.Value }
