package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// Nodes returns all nodes, sorted by name.
func (c *Client) Nodes(ctx context.Context) ([]object.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	list, err := c.clientset.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	nodes := make([]object.Node, len(list.Items))
	for i := range list.Items {
		nodes[i] = nodeOf(&list.Items[i])
	}
	slices.SortFunc(nodes, func(a, b object.Node) int { return cmp.Compare(a.Name, b.Name) })
	return nodes, nil
}

// DeleteNode deletes a node object. An absent one is fine.
func (c *Client) DeleteNode(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := c.clientset.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	return nil
}

// WaitNode waits until the node exists and, if ready is set, is Ready. report, which may be
// nil, gets the reason whenever it changes; the error at the context's end holds the last one.
// An API server that is away is waited for; a refusal of it ends the wait.
func (c *Client) WaitNode(ctx context.Context, name string, ready bool, report func(reason string)) error {
	w := &waiting{what: "wait for node " + name, report: report}
	nodes := c.clientset.CoreV1().Nodes()
	from := source{
		list:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return nodes.List(ctx, o) },
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) { return nodes.Watch(ctx, o) },
	}
	return waitObject(ctx, c, w, name, from, func(node *corev1.Node) (bool, string) {
		if node == nil {
			return false, "the node is not registered"
		}
		isReady, message := readiness(node)
		return isReady || !ready, message
	})
}

func nodeOf(n *corev1.Node) object.Node {
	node := object.Node{
		Name:             n.Name,
		UID:              string(n.UID),
		Labels:           n.Labels,
		Annotations:      n.Annotations,
		Unschedulable:    n.Spec.Unschedulable,
		KubeletVersion:   n.Status.NodeInfo.KubeletVersion,
		PodCIDR:          n.Spec.PodCIDR,
		MachineID:        n.Status.NodeInfo.MachineID,
		ContainerRuntime: n.Status.NodeInfo.ContainerRuntimeVersion,
	}
	node.Ready, node.ReadyMessage = readiness(n)
	for _, t := range n.Spec.Taints {
		node.Taints = append(node.Taints, object.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			node.InternalIP = a.Address
			break
		}
	}
	return node
}

// readiness returns the Ready condition and, where it is not true, why.
func readiness(node *corev1.Node) (bool, string) {
	for _, c := range node.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		switch {
		case c.Status == corev1.ConditionTrue:
			return true, ""
		case c.Message != "":
			return false, c.Message
		}
		return false, cmp.Or(c.Reason, "the Ready condition is "+string(c.Status))
	}
	return false, "the kubelet has not reported its condition"
}
